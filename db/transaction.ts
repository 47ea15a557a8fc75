/** Transactions whose work may fail, or whose connection may be lost, in the middle. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Sql, Transaction } from "./connect.ts";

/**
 * Does work in a transaction: all of it is stored, or nothing, also where the connection is lost, and
 * where a part of the work goes on after another has failed.
 *
 * `sql.begin` of postgres.js 3.4 alone does not promise that (porsager/postgres#1154, #1215). It fails
 * when the connection is lost, but the work goes on, and what it sends then either ends the process by
 * an error that nobody can catch, or is stored at once, because another query has opened the
 * connection again meanwhile. Its own rollback does the same. What is sent behind a rollback is stored
 * at once too. Queries have to be awaited where they are made: one that is sent later is not held back.
 */
export async function inTransaction<Result>(
  sql: Sql,
  work: (transaction: Transaction) => Promise<Result>,
): Promise<Result> {
  let isWorkOver = false;
  let isOver = false;
  const whileOpen = <Value>(use: () => Value): Value => {
    if (isWorkOver || isOver) {
      throw new Error(
        "The transaction has ended, perhaps because its work failed or its connection was lost",
      );
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
        isWorkOver = true;
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
