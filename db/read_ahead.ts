/** Reading many rows in batches while other statements run on the connection. */
import type postgres from "postgres";
import type { Transaction } from "./connect.ts";
import { type PlannerSetting, without } from "./planner.ts";

let cursors = 0;

/**
 * Reads the rows of a query in batches, so that memory does not grow with the account. It begins at
 * once, and the server reads the next batch while the caller works on one. Not by the driver's cursor:
 * that one lets nothing else run on the connection between batches.
 *
 * @param avoid What its plan may not do.
 */
export function readAhead<Row extends object>(
  sql: Transaction,
  query: postgres.PendingQuery<postgres.Row[]>,
  batch: number,
  avoid: readonly PlannerSetting[] = [],
): AsyncGenerator<Row[]> {
  const cursor = sql(`ahead_${++cursors}`);
  const fetch = () => {
    const rows = sql<Row[]>`fetch ${sql.unsafe(String(batch))} from ${cursor}`.execute();
    // If the caller fails, nobody waits for this batch, and its failure is that of the transaction.
    rows.catch(() => {});
    return rows;
  };
  const first = without(sql, avoid, () => sql`declare ${cursor} cursor for ${query}`).then(fetch);
  first.catch(() => {});
  return rest();

  async function* rest(): AsyncGenerator<Row[]> {
    for (let next: PromiseLike<Row[]> = first;;) {
      const rows = await next;
      if (rows.length === 0) break;
      next = fetch();
      yield rows;
    }
    await sql`close ${cursor}`;
  }
}

/** What rows of two readings are paired by. */
export type EntityKey = { entity_id: string; parent_id: string | null };

/**
 * Pairs the rows of two readings, each of which is sorted by parent and entity (`collate "C"`, so that
 * text is compared as it is here). What only one of them has is left out.
 */
export async function* pairUp<Left extends EntityKey, Right extends EntityKey>(
  lefts: AsyncGenerator<Left[]>,
  rights: AsyncGenerator<Right[]>,
): AsyncGenerator<(Left & Right)[]> {
  let waiting: Right[] = [];
  let first = 0;
  try {
    for await (const batch of lefts) {
      const pairs: (Left & Right)[] = [];
      for (const left of batch) {
        for (;;) {
          if (first === waiting.length) {
            const { value, done } = await rights.next();
            if (done) break;
            [waiting, first] = [value, 0];
          }
          const right = waiting[first];
          const order = right ? compare(right, left) : 1;
          if (order <= 0) first += 1;
          if (right && order === 0) pairs.push(Object.assign(left, right));
          if (order >= 0) break;
        }
      }
      yield pairs;
    }
  } finally {
    await rights.return(undefined);
  }
}

function compare(one: EntityKey, other: EntityKey): number {
  return compareText(one.parent_id, other.parent_id) ||
    compareText(one.entity_id, other.entity_id);
}

/** As the server does: null comes last. */
function compareText(one: string | null, other: string | null): number {
  if (one === other) return 0;
  if (one === null || other === null) return one === null ? 1 : -1;
  return one < other ? -1 : 1;
}
