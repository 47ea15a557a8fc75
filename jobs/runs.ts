/** Keeps a record of each run of a job: when, for whom, with what result. */
import type { Level } from "../core/level.ts";
import { endRun, startRun } from "../db/job_runs.ts";
import type { Sql } from "../db/connect.ts";

/** What a run is about. */
export type Run = { job: string; configId: number; entityType: Level; asOf: string };

/**
 * Does the work of a run between two entries in `ads.job_runs`. A run that fails is recorded with its
 * error, which is thrown on.
 *
 * @param work Returns what it read, wrote and left out.
 */
export async function recorded<Counts extends Record<string, number | string | null>>(
  sql: Sql,
  run: Run,
  work: () => Promise<Counts>,
): Promise<Counts> {
  const id = await startRun(sql, run);
  try {
    const counts = await work();
    await endRun(sql, run.configId, id, { status: "succeeded", counts, error: null });
    return counts;
  } catch (error) {
    // Where the database is away, the work's own error says more than that of the record.
    await endRun(sql, run.configId, id, { status: "failed", counts: {}, error: String(error) })
      .catch(() => {});
    throw error;
  }
}
