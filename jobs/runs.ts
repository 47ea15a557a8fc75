/** Runs of tasks: claimed, done in one transaction with their record, tried again when they fail. */
import { getLogger } from "@logtape/logtape";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import project from "../deno.json" with { type: "json" };
import type { Sql } from "../db/connect.ts";
import {
  type Claim,
  type ClaimedRun,
  type Counts,
  enterRequestedRun,
  failRun,
  renewLease,
  succeedRun,
  TRIES,
} from "../db/job_runs.ts";
import { readerBeside } from "../db/reader.ts";
import { inTransaction } from "../db/transaction.ts";
import { countError, countRun, type Outcome } from "./metrics.ts";
import type { Task, TaskRequest } from "./task.ts";

const logger = getLogger(["adstrata", "jobs"]);
const tracer = trace.getTracer("adstrata");

/** How long a worker is believed to be alive without a word of it. */
export const LEASE_MS = 60_000;

/** After the first failure a run waits a minute, after the second one four. */
const FIRST_RETRY_MS = 60_000;
const RETRY_GROWTH = 4;

/** The name of this process among all that share the work. */
export const WORKER: string = crypto.randomUUID();

/** A claim of this process that begins now. */
export function claimFrom(at: Date, worker = WORKER): Claim {
  return { worker, at, leaseUntil: new Date(at.getTime() + LEASE_MS) };
}

/** A run that somebody asked for. */
export type RequestedRun<Result> = {
  /** By which it can be looked up, in `ads.job_runs`. */
  id: number;
  /** Its result, or its error. */
  done: Promise<Result>;
};

/** Starts a run that somebody asked for. It is tried once. */
export async function startRun<Result extends Counts>(
  sql: Sql,
  task: Task<Result>,
  request: Omit<TaskRequest, "signal">,
): Promise<RequestedRun<Result>> {
  const subject = { ...request, job: task.name };
  const run = await enterRequestedRun(sql, subject, claimFrom(new Date()));
  const { signal } = new AbortController();
  return { id: run.id, done: doRun(sql, task, run, { ...request, signal }) };
}

/** The claim on a run was lost: somebody else does it by now. */
class LostClaim extends Error {}

/**
 * Does a claimed run: renews the lease, does the work and enters success in one transaction, or else
 * enters the failure, which is thrown on.
 *
 * @param tryAgain Whether a failure is to be tried again.
 */
export async function doRun<Result extends Counts>(
  sql: Sql,
  task: Task<Result>,
  run: ClaimedRun,
  request: TaskRequest,
  tryAgain = false,
): Promise<Result> {
  const attributes = {
    "adstrata.run_id": run.id,
    "adstrata.config_id": run.configId,
    "adstrata.level": run.entityType,
    "adstrata.as_of": run.asOf,
    "adstrata.attempt": run.attempt,
  };
  return await tracer.startActiveSpan(`run ${run.job}`, { attributes }, async (span) => {
    try {
      const counts = await tryRun(sql, task, run, request, tryAgain);
      countRun(run, "succeeded", counts);
      return counts;
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: String(error) });
      throw error;
    } finally {
      span.end();
    }
  });
}

async function tryRun<Result extends Counts>(
  sql: Sql,
  task: Task<Result>,
  run: ClaimedRun,
  request: TaskRequest,
  tryAgain: boolean,
): Promise<Result> {
  const lost = new AbortController();
  const signal = AbortSignal.any([request.signal, lost.signal]);
  const renewal = setInterval(() => {
    renewLease(sql, run, claimFrom(new Date()).leaseUntil).then(
      (isOurs) => isOurs || lost.abort(new LostClaim("Another worker has taken the run over")),
      // Away for a moment or for good: the lease says when others may go on.
      () => {},
    );
  }, LEASE_MS / 3);
  try {
    return await inTransaction(sql, async (transaction) => {
      const withReader = readerBeside(sql, transaction);
      const counts = await task.run(transaction, { ...request, signal }, withReader);
      signal.throwIfAborted();
      const versions = { program: project.version, [task.name]: task.version };
      const at = new Date();
      if (!await succeedRun(transaction, run, { counts, versions, at })) {
        throw new LostClaim("Another worker has taken the run over");
      }
      return counts;
    });
  } catch (error) {
    let outcome: Outcome = error instanceof LostClaim ? "lost" : "waiting";
    // Who was told to stop gives the run back; what was lost is somebody else's to record.
    if (!(error instanceof LostClaim) && !request.signal.aborted) {
      const at = new Date();
      const wait = FIRST_RETRY_MS * RETRY_GROWTH ** (run.attempt - 1);
      const tryAgainAt = tryAgain && run.attempt < TRIES ? new Date(at.getTime() + wait) : null;
      if (!tryAgainAt) outcome = "failed";
      // Where the database is away, the work's own error says more than that of the record.
      await failRun(sql, run, { error: String(error), at, tryAgainAt }).catch(() => {});
    }
    countRun(run, outcome);
    countError("run", error);
    logger.error("{job} of level {entityType} failed for account {configId}: {error}", {
      ...run,
      error,
      traceId: trace.getActiveSpan()?.spanContext().traceId,
    });
    throw error;
  } finally {
    clearInterval(renewal);
  }
}
