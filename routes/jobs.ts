/** The jobs of the schedule and what became of their runs. */
import { createRoute, z } from "@hono/zod-openapi";
import { nextTime } from "../core/cron.ts";
import { Refusal } from "../core/refusal.ts";
import {
  countRuns,
  findRun,
  type JobRun,
  listRuns,
  newestJobStates,
  RUN_STATUSES,
} from "../db/job_runs.ts";
import type { RequestedRun } from "../jobs/runs.ts";
import { requireAccount } from "./accounts.ts";
import { errorAnswers } from "./errors.ts";
import { listOf } from "./lists.ts";
import {
  accountParameters,
  EntityType,
  pageNumbers,
  pageOf,
  pagingParameters,
  RowId,
  text,
} from "./parameters.ts";
import { answer, createRouter, eachOf, type Surroundings } from "./router.ts";

const RunStatusName = z.enum(RUN_STATUSES).openapi("RunStatus");

/** One run of a job for one account and level. */
export const Run = z.object({
  id: z.int(),
  config_id: z.int(),
  job: z.string(),
  entity_type: EntityType,
  as_of: z.iso.date(),
  status: RunStatusName,
  attempt: z.int(),
  counts: z.record(z.string(), z.unknown()).openapi({
    description: "What it read, wrote and left out",
  }),
  versions: z.record(z.string(), z.string()),
  error: z.string().nullable(),
  scheduled_at: z.iso.datetime(),
  started_at: z.iso.datetime().nullable(),
  finished_at: z.iso.datetime().nullable(),
  duration_ms: z.int().nullable(),
}).openapi("JobRun");

const RunList = listOf(
  "runs",
  z.object({
    config_id: z.int(),
    total: z.int().nullable().openapi({ description: "All matches; null with `count=false`" }),
    page: z.int(),
    page_size: z.int(),
    next_after: z.int().nullable(),
    data: z.array(Run),
    runs: z.array(Run).openapi({ description: "The same as `data`" }),
  }).openapi("JobRunList"),
);

const Job = z.object({
  job: z.string(),
  entity_type: EntityType,
  cron: z.string().nullable().openapi({
    description: "Minute, hour, day, month and weekday in UTC; null where it is switched off",
  }),
  next_run_at: z.iso.datetime().nullable(),
  last_run_at: z.iso.datetime().nullable().openapi({
    description: "The newest time of the schedule for which runs were entered",
  }),
  last_runs: eachOf(RunStatusName, z.int()).nullable().openapi({
    description: "How far the runs of that time are, over all accounts that the key sees",
  }),
}).openapi("Job");

const JobList = z.object({
  total: z.int(),
  data: z.array(Job),
  jobs: z.array(Job).openapi({ description: "The same as `data`" }),
}).openapi("JobList");

/** The answer to a request whose work goes on. */
export const RunStarted = z.object({
  run_id: z.int().openapi({ description: "`GET /jobs/runs/{id}` tells how far it is" }),
  status: z.literal("running"),
}).openapi("RunStarted");

/**
 * Waits for a run that somebody asked for, but not for ever.
 *
 * @returns Its result, or null where it takes longer. Its failure is thrown, or later recorded.
 */
export async function endsInTime<Result extends object>(
  { done }: RequestedRun<Result>,
  patienceMs: number,
): Promise<Result | null> {
  const { promise: tooLate, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), patienceMs);
  try {
    return await Promise.race([done, tooLate]);
  } finally {
    clearTimeout(timer);
    // Nobody waits any longer; the run's record tells.
    done.catch(() => {});
  }
}

const tags = ["Jobs"];

const jobsRoute = createRoute({
  method: "get",
  path: "/",
  summary: "The schedule",
  tags,
  responses: { 200: answer("All jobs, by level", JobList), ...errorAnswers() },
});

const runsRoute = createRoute({
  method: "get",
  path: "/runs",
  summary: "The runs of an account, newest first",
  tags,
  request: {
    query: z.object({
      ...accountParameters,
      job: text(64).optional(),
      entity_type: EntityType.optional(),
      status: RunStatusName.optional(),
      ...pagingParameters,
      after: RowId.optional().openapi({ description: "The `next_after` of the page before" }),
    }),
  },
  responses: { 200: RunList.answer("One page"), ...errorAnswers(400, 404) },
});

const runRoute = createRoute({
  method: "get",
  path: "/runs/{id}",
  summary: "One run",
  tags,
  request: { params: z.object({ id: RowId }) },
  responses: { 200: answer("The run", Run), ...errorAnswers(400, 404) },
});

/** The routes under `/jobs`. */
export function jobRoutes({ ask, now, schedule }: Surroundings) {
  return createRouter()
    .openapi(jobsRoute, async (c) => {
      const states = await ask(c, newestJobStates);
      const jobs = schedule.map(({ task, entityType, cron }) => {
        const state = states.find((state) =>
          state.job === task.name && state.entity_type === entityType
        );
        return {
          job: task.name,
          entity_type: entityType,
          cron,
          next_run_at: (cron && nextTime(cron, now())?.toISOString()) || null,
          last_run_at: state?.scheduled_at.toISOString() ?? null,
          last_runs: state
            ? {
              waiting: state.waiting,
              running: state.running,
              succeeded: state.succeeded,
              failed: state.failed,
              skipped: state.skipped,
            }
            : null,
        };
      });
      return c.json({ total: jobs.length, data: jobs, jobs }, 200);
    })
    .openapi(runsRoute, (c) =>
      ask(c, async (sql) => {
        const query = c.req.valid("query");
        const { config_id: configId } = await requireAccount(sql, query);
        const page = pageOf(query);
        const filter = {
          configId,
          job: query.job,
          entityType: query.entity_type,
          status: query.status,
        };
        const [runs, total] = await Promise.all([
          listRuns(sql, filter, { ...page, after: query.after }),
          query.count ? countRuns(sql, filter) : null,
        ]);
        return RunList.respond(c, {
          config_id: configId,
          total,
          ...pageNumbers(page),
          next_after: runs.length === page.limit ? runs.at(-1)?.id ?? null : null,
        }, runs.map(presentRun));
      }))
    .openapi(runRoute, async (c) => {
      const { id } = c.req.valid("param");
      const run = await ask(c, (sql) => findRun(sql, id));
      if (!run) throw new Refusal("not_found", `There is no run ${id}`);
      return c.json(presentRun(run), 200);
    });
}

/** A run as clients see it. */
export function presentRun(run: JobRun): z.input<typeof Run> {
  const { scheduled_at, started_at, finished_at, ...rest } = run;
  return {
    ...rest,
    scheduled_at: scheduled_at.toISOString(),
    started_at: started_at?.toISOString() ?? null,
    finished_at: finished_at?.toISOString() ?? null,
    duration_ms: started_at && finished_at ? finished_at.getTime() - started_at.getTime() : null,
  };
}
