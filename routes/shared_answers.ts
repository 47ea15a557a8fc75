/** Answers that many requests share while nothing in the database changes. */
import type { Context } from "hono";
import { LRUCache } from "lru-cache";
import { respondWritten } from "./router.ts";

/** In characters. A page of 50 classifications has 90,000. */
const KEPT_MAX = 16_000_000;

/** An answer as JSON, and the last millisecond in which it is right if nothing changes. */
export type Written = { json: string; until: number };

/** The newest answers of some routes, each for the state of the database that it was read from. */
export class SharedAnswers {
  readonly #now: () => Date;
  readonly #kept = new LRUCache<string, Written, () => Promise<Written>>({
    maxSize: KEPT_MAX,
    maxEntrySize: KEPT_MAX / 10,
    sizeCalculation: ({ json }, key) => json.length + key.length,
    // Requests that come while an answer is written wait for it, also where it is not kept then.
    fetchMethod: (_key, _kept, { context: write }) => write(),
    ignoreFetchAbort: true,
  });

  constructor(now: () => Date) {
    this.#now = now;
  }

  /**
   * Answers as another request for the same URL was answered that sees the same accounts, if that is
   * what would be written now, or else writes the answer.
   *
   * @param state Of the database, asked for before anything was read: so an answer may be newer than
   * its state, which then never comes back, but not older. Null: the answer is not shared.
   * @param write Writes the answer out of nothing but the URL, what the accounts hold and the clock.
   */
  async respond(
    c: Context,
    { state, configIds }: { state: string | null; configIds: readonly number[] | null },
    write: () => Promise<Written>,
  ): Promise<Response> {
    if (state === null) return respondWritten(c, (await write()).json);
    const key = [state, configIds?.join() ?? "all", c.req.url].join(" ");
    const isOver = this.#now().getTime() > (this.#kept.peek(key)?.until ?? Infinity);
    const { json } = await this.#kept.forceFetch(key, { context: write, forceRefresh: isOver });
    return respondWritten(c, json);
  }
}
