/** What requests ask the database. */
import type { Access } from "../core/access.ts";
import type { Queries, Sql } from "./connect.ts";
import { inTransaction } from "./transaction.ts";

/**
 * Lets a request ask the database for what it may see.
 *
 * Its queries run in a transaction of a role that owns nothing, and row level security shows it the
 * rows of its accounts only: a query that forgot to say which account it is about finds nothing. The
 * settings are those of the transaction, because the embedded engine is one session for everybody, and
 * they are set by `set local`, because Citus passes only that on to its workers.
 *
 * @param timeoutMs How long one query may take.
 */
export function asRequest<Result>(
  sql: Sql,
  { configIds }: Access,
  timeoutMs: number,
  work: (sql: Queries) => Promise<Result>,
): Promise<Result> {
  // Where there are no keys, there is nothing to keep apart.
  const ofAccounts = configIds && `
    set local role adstrata_request;
    set local adstrata.config_ids = '${configIds.map(Number).join(",")}';`;
  return inTransaction(sql, async (transaction) => {
    await transaction.unsafe(`
      set local citus.propagate_set_commands = 'local';
      set local statement_timeout = ${Math.round(timeoutMs)};
      ${ofAccounts ?? ""}`);
    return await work(transaction);
  });
}
