/** What every file of routes starts from. */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Queries } from "../db/connect.ts";
import type { Counts } from "../db/job_runs.ts";
import type { RequestedRun } from "../jobs/runs.ts";
import type { ScheduledJob } from "../jobs/schedule.ts";
import type { Task, TaskRequest } from "../jobs/task.ts";
import { onInvalid } from "./errors.ts";
import type { Written } from "./shared_answers.ts";

/** What the routes need from outside. */
export type Surroundings = {
  /** Asks the database for what the request may see: the only way to it that routes have. */
  ask<Result>(c: Context, work: (sql: Queries) => Promise<Result>): Promise<Result>;
  /** Answers like `ask`, or with what was written for the same request if nothing changed since. */
  share(c: Context, write: (sql: Queries) => Promise<Written>): Promise<Response>;
  /** Starts a run on an account that the request has been found to see. */
  startRun<Result extends Counts>(
    task: Task<Result>,
    request: Omit<TaskRequest, "signal">,
  ): Promise<RequestedRun<Result>>;
  /** The clock. */
  now: () => Date;
  /** The version of this program. */
  version: string;
  /** How long a request waits for a run before it answers with the run's id, in milliseconds. */
  runPatienceMs: number;
  /** What runs when. */
  schedule: readonly ScheduledJob[];
};

/** An empty set of routes that refuses wrong parameters the way all do. */
export function createRouter(): OpenAPIHono {
  return new OpenAPIHono({ defaultHook: onInvalid });
}

/** The description of a JSON answer. */
export function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

/** The same for an answer that is written before, and typed by what writes it instead of `c.json`. */
export function writtenAnswer<Schema extends z.ZodType>(description: string, schema: Schema) {
  const content: Record<string, { schema: Schema }> = { "application/json": { schema } };
  return { description, content };
}

/** Answers with written JSON. */
export function respondWritten(c: Context, json: string): Response {
  return c.body(json, 200, { "content-type": "application/json" });
}

/** The description of a JSON body that a request must have. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

/** A named schema or null. `.nullable()` would be published as a reference that cannot be null. */
export function nullable<Schema extends z.ZodType>(schema: Schema) {
  return z.union([schema, z.null()]);
}

/** A value for each of some names. Records of names are published as if all could be left out. */
export function eachOf<Names extends Record<string, string>, Value extends z.ZodType>(
  names: z.ZodEnum<Names>,
  value: Value,
) {
  return z.record(names, value).openapi({ required: names.options });
}
