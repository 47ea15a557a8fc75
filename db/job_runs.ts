/** The record of runs, `ads.job_runs`. */
import type { Level } from "../core/level.ts";
import type { Sql } from "./connect.ts";

/** Enters a run that starts now and returns its id. */
export async function startRun(
  sql: Sql,
  { job, configId, entityType, asOf }: {
    job: string;
    configId: number;
    entityType: Level;
    asOf: string;
  },
): Promise<number> {
  const [row] = await sql<[{ id: number }]>`
    insert into ads.job_runs (config_id, job, entity_type, as_of, status, started_at)
    values (${configId}, ${job}, ${entityType}, ${asOf}, 'running', now())
    returning id`;
  return row.id;
}

/** Enters how a run ended. */
export async function endRun(
  sql: Sql,
  configId: number,
  id: number,
  { status, counts, error }: {
    status: "succeeded" | "failed";
    counts: Record<string, number | string | null>;
    error: string | null;
  },
): Promise<void> {
  await sql`
    update ads.job_runs
    set
      status = ${status},
      counts = ${sql.json(counts)},
      error = ${error},
      finished_at = now()
    where config_id = ${configId} and id = ${id}`;
}
