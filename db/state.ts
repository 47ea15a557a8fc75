/** Whether anything in the database has changed. */
import type { Sql } from "./connect.ts";

/**
 * The state of the database as a text, which differs after any change by anybody: the snapshot says
 * of each transaction whether a query sees its work, and the start which server counted them.
 * Null on Citus, whose workers hold rows that this server's snapshot does not cover.
 */
export async function databaseState(sql: Sql): Promise<string | null> {
  const [row] = await sql<{ state: string }[]>`
    select concat(pg_current_snapshot(), ' ', pg_postmaster_start_time()) as state
    where to_regclass('pg_catalog.pg_dist_node') is null`;
  return row?.state ?? null;
}
