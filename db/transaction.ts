/** Transactions whose connection may be lost in the middle. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Sql, Transaction } from "./connect.ts";

/**
 * Does work in a transaction: all of it is stored, or nothing, also where the connection is lost.
 *
 * `sql.begin` of postgres.js 3.4 alone does not promise that (porsager/postgres#1154, #1215). It fails
 * when the connection is lost, but the work goes on, and what it sends then either ends the process by
 * an error that nobody can catch, or is stored at once, because another query has opened the
 * connection again meanwhile. Its own rollback does the same.
 */
export async function inTransaction<Result>(
  sql: Sql,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  let isOver = false;
  const whileOpen = <Value>(use: () => Value): Value => {
    if (isOver) {
      throw new Error("The transaction has ended, perhaps because its connection was lost");
    }
    return use();
  };
  try {
    const { result } = await sql.begin(async (transaction) => {
      const guarded = new Proxy(transaction, {
        apply: (target, self, args) => whileOpen(() => Reflect.apply(target, self, args)),
        get: (target, name) => whileOpen(() => Reflect.get(target, name)),
      });
      try {
        return { result: await work(guarded) };
      } finally {
        // The query under way learns of a lost connection first, and the transaction right after it.
        await nextTurn();
        if (isOver) await never();
      }
    });
    return result;
  } finally {
    isOver = true;
  }
}

/** Neither a commit nor a rollback may follow. */
function never(): Promise<never> {
  return new Promise(() => {});
}
