/** The worker of a process: claims runs that are due and does them, a few at a time. */
import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import type { Sql } from "../db/connect.ts";
import { type Database, isAway, untilReady } from "../db/database.ts";
import {
  claimRun,
  endAbandonedRuns,
  enterScheduledRuns,
  newestJobStates,
  releaseRun,
} from "../db/job_runs.ts";
import { lastTime } from "../core/cron.ts";
import { claimFrom, doRun, WORKER } from "./runs.ts";
import type { ScheduledJob } from "./schedule.ts";
import type { Task } from "./task.ts";

const logger = getLogger(["adstrata", "jobs"]);

/** How often a worker with nothing to do looks for retries and for runs of dead workers. */
const POLL_MS = 10_000;

/** How long to wait before the database is asked for the same again. */
const ASK_AGAIN_MS = 1000;

/** How long giving runs back may take. What is not given back is taken over after its lease. */
const RELEASE_MS = 2_000;

/** A worker at work. */
export type Worker = {
  /** Tells it that something is due. */
  wake(): void;
  /** Lets runs finish for a time, gives back the others, and ends. */
  stop(patienceMs: number): Promise<void>;
};

/**
 * Enters the runs of the newest time of a job of the schedule for all active accounts, where nobody
 * has. Every instance finds the same time, whenever its own clock rings; and after a time without any
 * service it is what was missed, but only the newest.
 */
export async function enterNewestRuns(
  sql: Sql,
  { task, entityType, cron }: ScheduledJob,
  now: Date,
): Promise<void> {
  const scheduledAt = cron === null ? null : lastTime(cron, now);
  if (!scheduledAt) return;
  await enterScheduledRuns(sql, {
    job: task.name,
    entityType,
    scheduledAt,
    enteredAt: now,
    waitsFor: task.waitsFor,
    recomputes: task.recomputes,
  });
}

/** Enters what is due of a job, however often the database is lost before that is done. */
export async function enterRuns(
  database: Pick<Database, "sql" | "url">,
  job: ScheduledJob,
): Promise<void> {
  for (;;) {
    await untilReady(database);
    try {
      return await enterNewestRuns(database.sql, job, new Date());
    } catch (error) {
      if (!isAway(error)) throw error;
      const { task: { name }, entityType } = job;
      logger.warn("Entering runs of {name} of level {entityType} goes on: {error}", {
        name,
        entityType,
        error,
      });
      await delay(ASK_AGAIN_MS);
    }
  }
}

/** Waits while somebody does runs of the newest time of a job. */
export async function untilDone(
  { sql }: Pick<Database, "sql">,
  { task, entityType }: ScheduledJob,
  pollMs = ASK_AGAIN_MS,
): Promise<void> {
  for (;;) {
    await delay(pollMs);
    const states = await newestJobStates(sql);
    const state = states.find((one) => one.job === task.name && one.entity_type === entityType);
    if (!state?.running) return;
  }
}

/**
 * Starts claiming and doing runs until it is stopped.
 *
 * @param options.concurrency How many runs at a time. The largest accounts go first, but one of
 * several places takes the smallest first, so that they never wait for all of the large ones.
 */
export function startWorker(
  sql: Sql,
  tasks: readonly Task[],
  { concurrency, worker = WORKER, now = () => new Date(), pollMs = POLL_MS }: {
    concurrency: number;
    worker?: string;
    now?: () => Date;
    pollMs?: number;
  },
): Worker {
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const stopping = new AbortController();
  const impatience = new AbortController();
  let woken = Promise.withResolvers<void>();
  const places = Array.from({ length: concurrency }, (_, place) => work(place));

  return {
    wake() {
      woken.resolve();
      woken = Promise.withResolvers();
    },
    async stop(patienceMs) {
      stopping.abort();
      this.wake();
      const timer = setTimeout(() => impatience.abort(), patienceMs);
      await orAfter(patienceMs + RELEASE_MS, Promise.all(places));
      clearTimeout(timer);
    },
  };

  async function work(place: number): Promise<void> {
    // With one place alone, every second run is a small one.
    let smallestFirst = concurrency > 1 && place === concurrency - 1;
    while (!stopping.signal.aborted) {
      const next = woken.promise;
      try {
        if (await workOnce(smallestFirst)) {
          if (concurrency === 1) smallestFirst = !smallestFirst;
          continue;
        }
      } catch (error) {
        logger.warn("Looking for runs failed and goes on: {error}", { error });
      }
      await orAfter(pollMs, next);
    }
  }

  /** Does one run if one is due. Its failure is recorded and stops no other. */
  async function workOnce(smallestFirst: boolean): Promise<boolean> {
    const at = now();
    await endAbandonedRuns(sql, at);
    const run = await claimRun(sql, claimFrom(at, worker), [...byName.keys()], smallestFirst);
    const task = run && byName.get(run.job);
    if (!task) return false;
    const request = {
      ...run,
      now: now(),
      force: run.isRecomputation,
      signal: impatience.signal,
    };
    const { promise: outOfPatience, resolve } = Promise.withResolvers<void>();
    const giveUp = () => resolve();
    impatience.signal.addEventListener("abort", giveUp);
    // A failure is recorded and logged there.
    await Promise.race([doRun(sql, task, run, request, true).catch(() => {}), outOfPatience]);
    impatience.signal.removeEventListener("abort", giveUp);
    // Work that goes on after its run was given back cannot store anything: the claim is lost.
    if (impatience.signal.aborted) await releaseRun(sql, run);
    return true;
  }
}

/** Waits for something, but not for longer than a time. */
async function orAfter(ms: number, something: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([something, promise]);
  clearTimeout(timer);
}
