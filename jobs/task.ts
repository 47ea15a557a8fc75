/** What a job has to be: one file that exports a task, and one line in the table of tasks. */
import type { Level } from "../core/level.ts";
import type { Transaction } from "../db/connect.ts";
import type { Counts, RunSubject } from "../db/job_runs.ts";
import type { WithReader } from "../db/reader.ts";

/** What a task is asked to do. */
export type TaskRequest = Omit<RunSubject, "job"> & {
  now: Date;
  /** Only these entities; without them all active ones. */
  entityIds?: string[] | undefined;
  /** Do anew what was done before and still holds. */
  force?: boolean | undefined;
  /** How many days to `asOf` to look at, where a task looks at single days; 1 if not given. */
  days?: number | undefined;
  /** How many days before those they are compared with. */
  historyDays?: number | undefined;
  /** Aborted when the work must end: tasks look at it between two steps. */
  signal: AbortSignal;
};

/** A kind of work that is done per account and level. */
export type Task<Result extends Counts = Counts> = {
  name: string;
  /** Changes whenever the same data would give another result. */
  version: string;
  /** Names of tasks that have to succeed first, for the same account, level and day. */
  waitsFor: readonly string[];
  /** Whether days that an import has changed since are worked on again. */
  recomputes: boolean;
  /** When it runs on which level, in UTC: minute, hour, day, month, weekday. */
  schedule: Partial<Record<Level, string>>;
  /**
   * Does the work inside a transaction that also stores its success, so that nothing is half done.
   *
   * @param withReader For what may be read in another session meanwhile: it sees nothing of what the
   * transaction wrote.
   * @returns What it read, wrote and left out.
   */
  run(sql: Transaction, request: TaskRequest, withReader: WithReader): Promise<Result>;
};
