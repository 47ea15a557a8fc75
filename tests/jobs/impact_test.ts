import { assert, assertEquals, assertMatch } from "@std/assert";
import { addDays } from "../../core/days.ts";
import { listRecommendations } from "../../db/recommendations.ts";
import { impact } from "../../jobs/impact.ts";
import { startRun } from "../../jobs/runs.ts";
import { type TestDatabase, testDatabase } from "../database.ts";
import { AS_OF, daily, insertAccount } from "../db/views/rows.ts";

/** The recommendations were applied so that the first window ends on `AS_OF`. */
const CHANGE_DATE = addDays(AS_OF, -7);

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
  const ids = ["31", "32", "33"];
  await insertAccount(database.sql, 1, {
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }],
    ads: [...ids, "34"].map((ad_id) => ({ ad_id })),
    // The ad 31 brings twice as many leads since the change, and the ad 34 has never run.
    insights: ids.flatMap((ad_id) =>
      daily(45, { ad_id }).map((row) => ({
        ...row,
        spend: 100,
        impressions: 10_000,
        clicks: 100,
        leads: ad_id === "31" && (row.date ?? "") > CHANGE_DATE ? 20 : 10,
      }))
    ),
  });
  await database.sql`
    insert into ads.ml_recommendations (
      config_id, id, entity_type, entity_id, parent_id, campaign_id, recommendation_type, kind,
      reason_code, priority, title, description, confidence_score, reasoning, status, as_of,
      model_version, created_at, expires_at, applied_at
    )
    select
      1, id, 'ad', ad_id, '21', '11', type, type, 'test', 4, '', '', 0.9, '{}', status,
      ${addDays(CHANGE_DATE, -1)}, 'test', ${CHANGE_DATE}, ${addDays(CHANGE_DATE, 7)},
      case status when 'applied' then ${CHANGE_DATE}::timestamptz + interval '9 hours' end
    from (
      values
        (1, '31', 'CREATIVE_REFRESH', 'applied'),
        (2, '34', 'CREATIVE_TEST', 'applied'),
        (3, '32', 'CREATIVE_TEST', 'active'),
        (4, '33', 'OPTIMIZE_SCHEDULE', 'applied')
    ) r (id, ad_id, type, status)`;
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

async function measure(asOf: string, force = false) {
  const now = new Date(`${addDays(asOf, 1)}T08:25:00Z`);
  const subject = { configId: 1, entityType: "ad" as const, asOf, now, force };
  return await (await startRun(database.sql, impact, subject)).done;
}

const stored = async () => [
  ...await database.sql`
    select recommendation_id, window_days, verdict, as_of
    from ads.impact_results
    order by recommendation_id, window_days`,
];

Deno.test("impact measures what was applied once its days are over, and once", async () => {
  const early = addDays(AS_OF, -1);
  assertEquals(await measure(early), { asOf: early, read: 0, measured: 0, insufficient: 0 });
  assertEquals(await measure(AS_OF), { asOf: AS_OF, read: 2, measured: 1, insufficient: 1 });
  assertEquals(await measure(AS_OF), { asOf: AS_OF, read: 0, measured: 0, insufficient: 0 });
  assertEquals(await stored(), [
    { recommendation_id: 1, window_days: 7, verdict: "positive", as_of: AS_OF },
    { recommendation_id: 2, window_days: 7, verdict: null, as_of: AS_OF },
  ]);
});

Deno.test("impact measures again when the days that it rests on have changed", async () => {
  await database.sql`
    update ads.insights set leads = 10 where config_id = 1 and date > ${CHANGE_DATE}`;
  assertEquals((await measure(AS_OF, true)).read, 2);
  const [first] = await stored();
  assertEquals(first?.verdict, "inconclusive");
});

Deno.test("impact is stored with the recommendation, and summed up by type", async () => {
  const at = new Date(`${AS_OF}T12:00:00Z`);
  const rows = await listRecommendations(
    database.sql,
    { configId: 1, at },
    { limit: 10, offset: 0 },
  );
  const of = (id: number) => rows.find((row) => row.id === id)?.impact;
  assertEquals(of(3), null);
  const [measured] = of(1) ?? [];
  assertEquals(
    [measured?.change_type, measured?.change_date, measured?.measured_id, measured?.missing],
    ["creative_change", CHANGE_DATE, "31", null],
  );
  assertEquals(measured?.metrics?.[0]?.metric, "cpl");
  assertEquals(measured?.control?.siblings, 1);
  assert(measured?.sentence?.includes("ad “ad 31”"));
  const [missing] = of(2) ?? [];
  assertMatch(missing?.missing ?? "", /delivered on 0 of the 7 days before the change/);
  const sums = await database.sql`
    select recommendation_type, window_days, measured, positive, inconclusive, not_measurable
    from ads.impact_by_type
    where config_id = 1
    order by recommendation_type`;
  assertEquals([...sums], [
    {
      recommendation_type: "CREATIVE_REFRESH",
      window_days: 7,
      measured: 1,
      positive: 0,
      inconclusive: 1,
      not_measurable: 0,
    },
    {
      recommendation_type: "CREATIVE_TEST",
      window_days: 7,
      measured: 0,
      positive: 0,
      inconclusive: 0,
      not_measurable: 1,
    },
  ]);
});

Deno.test("impact catches up what nobody measured in time, to the day it was due", async () => {
  const late = addDays(AS_OF, 10);
  assertEquals((await measure(late)).read, 2);
  assertEquals((await stored()).filter(({ window_days }) => window_days === 14), [
    { recommendation_id: 1, window_days: 14, verdict: "inconclusive", as_of: addDays(AS_OF, 7) },
    { recommendation_id: 2, window_days: 14, verdict: null, as_of: addDays(AS_OF, 7) },
  ]);
});
