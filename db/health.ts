/** Whether the database answers. */
import type { Sql } from "./connect.ts";

/** How long the database takes for the smallest question, in milliseconds. */
export async function databaseLatency(sql: Sql): Promise<number> {
  const start = performance.now();
  await sql`select 1`;
  return performance.now() - start;
}
