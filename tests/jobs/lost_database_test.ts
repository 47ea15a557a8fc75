import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type Sql, type Transaction } from "../../db/connect.ts";
import { migrate } from "../../db/migrate.ts";
import type { Task } from "../../jobs/task.ts";
import { TASKS } from "../../jobs/tasks.ts";
import { enterNewestRuns, startWorker } from "../../jobs/worker.ts";
import { AS_OF, daily, insertAccount } from "../db/views/rows.ts";
import { startNativeServer } from "../native_server.ts";

const DUE = new Date("2026-04-01T06:00:00Z");

// The tests on the embedded engine take no other server than that.
const ignore = !Deno.env.get("TEST_DATABASE_URL");

/** A task that tells of each statement before it is sent, and waits for what that does after the last. */
function watched(task: Task, onStatement: () => void | Promise<void>): Task {
  const telling = (transaction: Transaction) =>
    new Proxy(transaction, {
      apply(target, self, args) {
        onStatement();
        return Reflect.apply(target, self, args);
      },
    });
  return {
    ...task,
    async run(transaction, request, withReader) {
      const counts = await task.run(
        telling(transaction),
        request,
        (work) => withReader((reader) => work(telling(reader))),
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

/** Everything that a run of any task stores. */
const RESULTS = [
  "ml_features",
  "ml_classifications",
  "ml_anomalies",
  "anomaly_luck",
  "ml_recommendations",
  "incidents",
  "incident_members",
  "ml_forecasts",
  "forecast_shapes",
  "forecast_scores",
  "impact_results",
];

/** What differs between two runs that do the same. */
const ACCIDENTS = [
  ...["id", "incident_id", "anomaly_id", "facts"],
  ...["computed_at", "classified_at", "valid_until", "detected_at", "updated_at"],
  ...["measured_at"],
  ...["created_at", "expires_at"],
];

/** The run and what it has stored, apart from when and under which number. */
async function state(sql: Sql) {
  const results = await sql<{ row: unknown }[]>`
    ${
    sql.unsafe(
      RESULTS.map((table) =>
        `select '${table}' || (to_jsonb(t) - '{${ACCIDENTS.join()}}'::text[])::text as row ` +
        `from ads.${table} t`
      ).join(" union all "),
    )
  } order by row`;
  const [run] = await sql<{ status: string; attempt: number; counts: unknown }[]>`
    select status, attempt, counts from ads.job_runs`;
  return { results: results.map(({ row }) => row), run };
}

/** What there was before: advice that somebody followed a week ago, and a forecast of the last day. */
async function addPast(sql: Sql) {
  await sql`
    insert into ads.ml_recommendations (
      config_id, id, entity_type, entity_id, parent_id, campaign_id, recommendation_type, kind,
      reason_code, priority, title, description, confidence_score, reasoning, status, as_of,
      model_version, created_at, expires_at, applied_at
    )
    values (
      1, 1000000, 'ad', '31', '21', '11', 'CREATIVE_REFRESH', 'CREATIVE_REFRESH', 'test', 4, '', '', 0.9,
      '{}', 'applied', '2026-03-23', 'test', '2026-03-24Z', '2026-03-31Z', '2026-03-24T12:00Z'
    )`;
  await sql`
    insert into ads.forecast_shapes
    select 1, 'ad', metric, ${AS_OF}::date - 1, -2, -1.3, 1.3, 2, 1, 1, 0,
      array_fill(0::double precision, array[31])
    from unnest(array['spend', 'leads']) metric`;
  await sql`
    insert into ads.ml_forecasts (
      config_id, id, entity_type, entity_id, as_of, spend, spend_spread, leads, leads_spread,
      known_days, insufficient_data, model_version, created_at
    )
    values (1, 1000000, 'ad', '31', ${AS_OF}::date - 1, '{10}', '{2}', '{1}', '{1}', 44, false, 'test', '2026-03-31Z')`;
}

for (const subject of TASKS) {
  Deno.test({
    name:
      `startWorker() does ${subject.name} again when the database fell at any of its statements`,
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
          // The last ad spent and was shown thirty times as much on the last day.
          insights: ids.flatMap((ad_id, index) =>
            daily(45, { ad_id, leads: index }).map((row) => {
              const factor = ad_id === "33" && row.date === AS_OF ? 30 : 1;
              return { ...row, spend: 10 * factor, impressions: 1000 * factor };
            })
          ),
        }));

      /** Does the run of a day that was never done yet; the clock goes on when the callback is done. */
      async function work(task: Task, untilNextTry: () => Promise<void>) {
        await asking(server.url, async (sql) => {
          const tables = [...RESULTS, "job_runs"].map((table) => `ads.${table}`);
          await sql.unsafe(`truncate ${tables.join()} cascade`);
          await addPast(sql);
          // As if what it waits for had been done.
          const alone = { ...task, waitsFor: [] };
          await enterNewestRuns(sql, { task: alone, entityType: "ad", cron: "0 6 * * *" }, DUE);
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

      const given = await asking(server.url, async (sql) => {
        await addPast(sql);
        return (await state(sql)).results;
      });
      let statements = 0;
      const complete = await work(watched(subject, () => void statements++), async () => {});
      // With what somebody did before.
      assert(complete.results.length > 1, `${complete.results}`);

      let repeated = 0;
      for (let fatal = 1; fatal <= statements; fatal++) {
        let sent = 0;
        const fallen = Promise.withResolvers<void>();
        const task = watched(subject, async () => {
          sent += 1;
          if (sent !== fatal) return;
          await server.crash();
          fallen.resolve();
        });
        let attempt = 1;
        const after = await work(task, async () => {
          await fallen.promise;
          await server.restart();
          const { run, results } = await asking(server.url, state);
          // The server may do what little is left while it falls: all of it then.
          const isComplete = run?.status === "succeeded";
          assertEquals(
            results,
            isComplete ? complete.results : given,
          );
          if (!isComplete) attempt += 1;
        });
        assertEquals(after.results, complete.results);
        assertEquals(after.run, { ...complete.run, attempt });
        repeated += attempt - 1;
      }
      assert(repeated > statements / 2, `${repeated} of ${statements}`);
    },
  });
}
