import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type Sql } from "../../db/connect.ts";
import { migrate } from "../../db/migrate.ts";
import { classification } from "../../jobs/classification.ts";
import type { Task } from "../../jobs/task.ts";
import { enterNewestRuns, startWorker } from "../../jobs/worker.ts";
import { daily, insertAccount } from "../db/views/rows.ts";
import { startNativeServer } from "../native_server.ts";

const DUE = new Date("2026-04-01T06:00:00Z");

// The tests on the embedded engine take no other server than that.
const ignore = !Deno.env.get("TEST_DATABASE_URL");

/** A task that tells of each statement before it is sent, and waits for what that does after the last. */
function watched(task: Task, onStatement: () => void | Promise<void>): Task {
  return {
    ...task,
    async run(transaction, request) {
      const counts = await task.run(
        new Proxy(transaction, {
          apply(target, self, args) {
            onStatement();
            return Reflect.apply(target, self, args);
          },
        }),
        request,
      );
      await onStatement();
      return counts;
    },
  };
}

/** Asks by a connection that never saw the server fall. */
async function asking<Answer>(url: string, ask: (sql: Sql) => Promise<Answer>): Promise<Answer> {
  const sql = connect(url, { max: 1 });
  try {
    return await ask(sql);
  } finally {
    await sql.end();
  }
}

/** The run and what it has stored, apart from when and under which number. */
async function state(sql: Sql) {
  const features = await sql`
    select entity_id, feature_date, spend_7d, leads_7d from ads.ml_features order by entity_id`;
  const classifications = await sql`
    select entity_id, as_of, tier, confidence_score from ads.ml_classifications order by entity_id`;
  const [run] = await sql<{ status: string; attempt: number; counts: unknown }[]>`
    select status, attempt, counts from ads.job_runs`;
  return { features: [...features], classifications: [...classifications], run };
}

function resultsOf({ features, classifications }: Awaited<ReturnType<typeof state>>) {
  return { features, classifications };
}

Deno.test({
  name: "startWorker() does a run again when the database fell at any of its statements",
  ignore,
  async fn() {
    await using server = await startNativeServer({ synchronous_commit: "on" });
    await migrate(server.url, "up");
    const ids = ["31", "32", "33"];
    await asking(server.url, (sql) =>
      insertAccount(sql, 1, {
        campaigns: [{ campaign_id: "11" }],
        adsets: [{ adset_id: "21" }],
        ads: ids.map((ad_id) => ({ ad_id })),
        insights: ids.flatMap((ad_id, index) => daily(30, { ad_id, spend: 10, leads: index })),
      }));

    /** Does the run of a day that was never done yet; the clock goes on when the callback is done. */
    async function work(task: Task, untilNextTry: () => Promise<void>) {
      await asking(server.url, async (sql) => {
        await sql`truncate ads.ml_features, ads.ml_classifications, ads.job_runs cascade`;
        await enterNewestRuns(sql, { task, entityType: "ad", cron: "0 6 * * *" }, DUE);
      });
      let now = DUE;
      const pool = connect(server.url);
      const worker = startWorker(pool, [task], { concurrency: 1, now: () => now, pollMs: 20 });
      await untilNextTry();
      // After the lease of a worker, and after the pause that follows a failure.
      now = new Date(Date.now() + 120_000);
      const outcome = await asking(server.url, async (sql) => {
        while ((await state(sql)).run?.status !== "succeeded") await delay(20);
        return await state(sql);
      });
      await worker.stop(1000);
      await pool.end({ timeout: 0 });
      return outcome;
    }

    let statements = 0;
    const complete = await work(watched(classification, () => void statements++), async () => {});
    assertEquals([complete.features.length, complete.classifications.length], [3, 3]);

    let repeated = 0;
    for (let fatal = 1; fatal <= statements; fatal++) {
      let sent = 0;
      const fallen = Promise.withResolvers<void>();
      const task = watched(classification, async () => {
        sent += 1;
        if (sent !== fatal) return;
        await server.crash();
        fallen.resolve();
      });
      let attempt = 1;
      const after = await work(task, async () => {
        await fallen.promise;
        await server.restart();
        const { run, ...results } = await asking(server.url, state);
        // The server may do what little is left while it falls: all of it then.
        const isComplete = run?.status === "succeeded";
        assertEquals(
          results,
          isComplete ? resultsOf(complete) : { features: [], classifications: [] },
        );
        if (!isComplete) attempt += 1;
      });
      assertEquals(resultsOf(after), resultsOf(complete));
      assertEquals(after.run, { ...complete.run, attempt });
      repeated += attempt - 1;
    }
    assert(repeated > statements / 2, `${repeated} of ${statements}`);
  },
});
