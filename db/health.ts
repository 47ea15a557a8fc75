/** Whether the database answers, and what the jobs did lately. */
import type { Level } from "../core/level.ts";
import type { Sql } from "./connect.ts";

/** How long the database takes for the smallest question, in milliseconds. */
export async function databaseLatency(sql: Sql): Promise<number> {
  const start = performance.now();
  await sql`select 1`;
  return performance.now() - start;
}

/** One run of a job for one account and level. */
export type JobRun = {
  config_id: number;
  id: number;
  job: string;
  entity_type: Level;
  as_of: string;
  status: "running" | "succeeded" | "failed";
  counts: Record<string, unknown>;
  error: string | null;
  started_at: Date;
  finished_at: Date | null;
};

/** The newest runs of all accounts, the newest first. Each account is asked by its index. */
export function lastJobRuns(sql: Sql, limit: number): Promise<JobRun[]> {
  return sql<JobRun[]>`
    select
      r.config_id, r.id, r.job, r.entity_type, r.as_of, r.status, r.counts, r.error, r.started_at,
      r.finished_at
    from ads.accounts a
    cross join lateral (
      select *
      from ads.job_runs
      where config_id = a.config_id
      order by started_at desc
      limit ${limit}
    ) r
    order by r.started_at desc, r.id desc
    limit ${limit}`;
}
