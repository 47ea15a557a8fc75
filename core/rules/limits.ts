/** The kinds of limits that rules have, each with its default and the range that makes sense. */
import { z } from "@hono/zod-openapi";

/** A probability that has to be reached. */
export const probability = (usual: number) => z.number().gt(0).lt(1).default(usual);

/** A multiple of a CPL. */
export const ratio = (usual: number) => z.number().gt(0).max(100).default(usual);

/** A number of leads, impressions, or a priority. */
export const count = (usual: number) => z.int().min(0).max(1_000_000).default(usual);

/** A number of days. */
export const days = (usual: number) => z.int().min(0).max(30).default(usual);

/** Percent. */
export const percentage = (usual: number) => z.number().min(-100).max(1000).default(usual);

/** A share, 0 to 1. */
export const share = (usual: number) => z.number().min(0).max(1).default(usual);
