/** Reading many rows in batches while other statements run on the connection. */
import type postgres from "postgres";
import type { Transaction } from "./connect.ts";
import { without } from "./planner.ts";

/**
 * Reads the rows of a query in batches, so that memory does not grow with the account. Not by the
 * driver's cursor: that one lets nothing else run on the connection between batches.
 *
 * @param query Read to its end before the next one of the transaction begins: both have one name.
 */
export async function* readAhead<Row extends object>(
  sql: Transaction,
  query: postgres.PendingQuery<postgres.Row[]>,
  batch: number,
): AsyncGenerator<Row[]> {
  // By loops the planner may compare all entities with all, where it knows little about them.
  await without(sql, ["enable_nestloop"], () => sql`declare ahead cursor for ${query}`);
  const fetch = () => sql<Row[]>`fetch ${sql.unsafe(String(batch))} from ahead`.execute();
  // The server reads the next batch while the caller works on this one.
  for (let next = fetch();;) {
    const rows = await next;
    if (rows.length === 0) break;
    next = fetch();
    // If the caller fails, nobody waits for this batch, and its failure is that of the transaction.
    next.catch(() => {});
    yield rows;
  }
  await sql`close ahead`;
}
