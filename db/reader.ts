/** Reading in a session of its own while a transaction writes in another. */
import { isEmbedded, type Sql, type Transaction } from "./connect.ts";
import { inTransaction } from "./transaction.ts";

/** Does work with a transaction that only reads, at the same time as the one that was there before. */
export type WithReader = <Result>(
  work: (reader: Transaction) => Promise<Result>,
) => Promise<Result>;

/** Of a pool's connections one in so many may be a reader. */
const CONNECTIONS_PER_READER = 4;

/**
 * How long each of the two waits for a lock. Somebody who wants a table for himself (a migration, say)
 * waits for the one and holds up the other, and both belong to one work: no server sees that nobody
 * can go on. The transaction may also wait for another run that writes the same.
 */
const LOCK_TIMEOUTS = { reader: "5s", transaction: "60s" };

const readers = new WeakMap<Sql, number>();

/**
 * Hands out readers beside a transaction of a pool. Where there is none to be had, it is the
 * transaction itself: on the embedded engine, where transactions take turns, and where others of the
 * pool have one already, because who holds a connection must never wait for those who do too.
 */
export function readerBeside(sql: Sql, transaction: Transaction): WithReader {
  return async (work) => {
    const most = Math.floor(sql.options.max / CONNECTIONS_PER_READER);
    if (await isEmbedded(transaction)) return await work(transaction);
    const taken = readers.get(sql) ?? 0;
    if (taken >= most) return await work(transaction);
    readers.set(sql, taken + 1);
    try {
      await limitWaits(transaction, LOCK_TIMEOUTS.transaction);
      return await inTransaction(sql, async (reader) => {
        await reader`set transaction read only`;
        await limitWaits(reader, LOCK_TIMEOUTS.reader);
        return await work(reader);
      });
    } finally {
      readers.set(sql, (readers.get(sql) ?? 1) - 1);
    }
  };
}

async function limitWaits(sql: Transaction, timeout: string): Promise<void> {
  await sql`select set_config('lock_timeout', ${timeout}, true)`;
}
