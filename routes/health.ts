/** Whether the service lives, can answer, and how its parts do. Needs no key. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Sql } from "../db/connect.ts";
import { databaseLatency } from "../db/health.ts";
import { lastRuns } from "../db/job_runs.ts";
import { migrationState } from "../db/migrate.ts";
import { presentRun, Run } from "./jobs.ts";
import { answer, createRouter, type Surroundings } from "./router.ts";

/** A database that takes longer than this is as good as none to whoever watches the service. */
const PATIENCE_MS = 3_000;
const RUNS_SHOWN = 20;

const Status = z.enum(["healthy", "degraded", "unhealthy"]).openapi({
  description: "Degraded: the database answers, but is not of this program's version",
});
const Check = z.enum(["ok", "fail"]);

/** Whether the service can do its work. */
export const Health = z.object({
  status: Status,
  timestamp: z.iso.datetime(),
  version: z.string(),
  db: Check,
  redis: z.literal("ok").openapi({ description: "There is none; the field stays for old clients" }),
}).openapi("Health");

/** How each part does. */
export const HealthDetailed = Health.extend({
  checks: z.object({
    database: z.object({ status: Check, latency_ms: z.number().nullable() }),
    migrations: z.object({
      status: Check,
      version: z.string().nullable().openapi({ description: "The newest applied one" }),
      pending: z.int().nullable(),
      unknown: z.int().nullable(),
    }),
  }),
  last_runs: z.array(Run).openapi({ description: "Of the accounts that the key sees" }),
}).openapi("HealthDetailed");

const Ready = z.object({
  status: z.enum(["ready", "not_ready"]),
  reason: z.string().nullable(),
}).openapi("Ready");

const Alive = z.object({ status: z.literal("alive"), timestamp: z.iso.datetime() }).openapi(
  "Alive",
);

const tags = ["Health"];

const healthRoute = createRoute({
  method: "get",
  path: "/",
  summary: "Whether the service can do its work",
  tags,
  responses: { 200: answer("Healthy or degraded", Health), 503: answer("Unhealthy", Health) },
});

const detailedRoute = createRoute({
  method: "get",
  path: "/detailed",
  summary: "How each part does",
  tags,
  responses: {
    200: answer("Healthy or degraded", HealthDetailed),
    503: answer("Unhealthy", HealthDetailed),
  },
});

const readyRoute = createRoute({
  method: "get",
  path: "/ready",
  summary: "Whether requests may be sent here",
  tags,
  responses: { 200: answer("Ready", Ready), 503: answer("Not ready, and why", Ready) },
});

const liveRoute = createRoute({
  method: "get",
  path: "/live",
  summary: "Whether the process runs",
  tags,
  responses: { 200: answer("Alive", Alive) },
});

/** The routes under `/health`. */
export function healthRoutes({ sql, ask, now, version }: Surroundings & { sql: Sql }) {
  return createRouter()
    .openapi(healthRoute, async (c) => {
      const { health } = await examine();
      return c.json(health, health.status === "unhealthy" ? 503 : 200);
    })
    .openapi(detailedRoute, async (c) => {
      const { health, latency, migrations } = await examine();
      const runs = health.status === "healthy"
        ? await ask(c, (sql) => lastRuns(sql, RUNS_SHOWN))
        : [];
      return c.json({
        ...health,
        checks: {
          database: {
            status: health.db,
            latency_ms: latency === null ? null : Math.round(latency * 1000) / 1000,
          },
          migrations: {
            status: health.status === "healthy" ? "ok" as const : "fail" as const,
            version: migrations?.applied.at(-1) ?? null,
            pending: migrations?.pending.length ?? null,
            unknown: migrations?.unknown.length ?? null,
          },
        },
        last_runs: runs.map(presentRun),
      }, health.status === "unhealthy" ? 503 : 200);
    })
    .openapi(readyRoute, async (c) => {
      const { health, migrations } = await examine();
      if (health.status === "healthy") {
        return c.json({ status: "ready" as const, reason: null }, 200);
      }
      const reason = migrations
        ? "The database is not of this program's version; run `deno task migrate status`"
        : "The database does not answer";
      return c.json({ status: "not_ready" as const, reason }, 503);
    })
    .openapi(
      liveRoute,
      (c) => c.json({ status: "alive" as const, timestamp: now().toISOString() }, 200),
    );

  async function examine() {
    const latency = await soon(databaseLatency(sql));
    const migrations = latency === null ? null : await soon(migrationState(sql));
    const current = migrations?.pending.length === 0 && migrations.unknown.length === 0;
    const health = {
      status: migrations === null
        ? "unhealthy" as const
        : current
        ? "healthy" as const
        : "degraded" as const,
      timestamp: now().toISOString(),
      version,
      db: migrations === null ? "fail" as const : "ok" as const,
      redis: "ok" as const,
    };
    return { health, latency, migrations };
  }
}

/** What is asked, or null where it fails or takes too long. */
async function soon<Answer>(question: Promise<Answer>): Promise<Answer | null> {
  const { promise: tooLate, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), PATIENCE_MS);
  try {
    return await Promise.race([question.catch(() => null), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
