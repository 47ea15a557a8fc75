import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { ImpactAnalysis } from "../../routes/impact.ts";
import { openService, Refused } from "./service.ts";

let service: Awaited<ReturnType<typeof openService>>;
Deno.test.beforeAll(async () => {
  service = await openService();
  // From the day after 3 March the first ad brings five times as many leads, and spends twice as much.
  await service.sql`
    update ads.insights set leads = 20, spend = 40
    where config_id = 1 and ad_id = '31' and date > '2026-03-03'`;
});
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

const CHANGE = {
  config_id: 1,
  entity_type: "ad",
  entity_id: "31",
  change_date: "2026-03-03",
  change_type: "creative_change",
};

const post = (body: Record<string, unknown>) => service.post("/api/v1/impact/analyze", body);
const analyze = async (body: Record<string, unknown> = {}) =>
  (await post({ ...CHANGE, ...body })).read(ImpactAnalysis);
const refuse = async (body: Record<string, unknown>) => {
  const { status, ...answer } = await post({ ...CHANGE, ...body });
  return { status, ...answer.read(Refused) };
};

Deno.test("POST /impact/analyze tells what a change did to each metric", async () => {
  const { metric_changes, control, sentence, ...told } = await analyze();
  assertEquals(told, {
    config_id: 1,
    entity_type: "ad",
    entity_id: "31",
    change_date: "2026-03-03",
    change_type: "creative_change",
    overall_impact: "positive",
    recommendation: "Keep the change.",
    measured_type: "ad",
    measured_id: "31",
    window_before: 7,
    window_after: 7,
    as_of: "2026-03-10",
    analyzed_at: "2026-03-11T16:00:00.000Z",
  });
  assertEquals(
    metric_changes.map(({ metric, before, after }) => [metric, before, after]),
    [["cpl", 5, 2], ["leads", 4, 20], ["ctr", 1, 1], ["conversion_rate", 40, 200], [
      "spend",
      20,
      40,
    ]],
  );
  const [cpl, , ctr, , spend] = metric_changes;
  assertAlmostEquals(cpl?.pct_change ?? 0, -60, 6);
  assert((cpl?.interval.high ?? 0) < 0);
  assertEquals([cpl?.is_significant, ctr?.is_significant], [true, false]);
  assert((spend?.pct_change ?? 0) > 50);
  assertEquals([control.kind, control.siblings, control.others], ["siblings", 1, 1]);
  assertMatch(sentence, /^The CPL of ad “Video <b>” is (5|6)\d % lower than it would have been/);
});

Deno.test("POST /impact/analyze counts the days to as_of, and never a later one", async () => {
  await service.sql`
    update ads.insights set leads = leads * 10
    where config_id = 1 and date > '2026-03-08'`;
  const { as_of, metric_changes: [cpl] } = await analyze({ as_of: "2026-03-08" });
  assertEquals([as_of, cpl?.after], ["2026-03-08", 2]);
  const { as_of: whole } = await analyze({ window_after: 3 });
  assertEquals(whole, "2026-03-06");
  await service.sql`
    update ads.insights set leads = leads / 10
    where config_id = 1 and date > '2026-03-08'`;
});

Deno.test("POST /impact/analyze measures what was paused on what is above it", async () => {
  const ad = await analyze({ change_type: "pause" });
  assertEquals([ad.measured_type, ad.measured_id], ["adset", "21"]);
  assertMatch(ad.sentence, /^After ad “Video <b>” was paused, the CPL of ad set “Parents” is/);
  const campaign = { entity_type: "campaign", entity_id: "11", change_type: "pause" };
  const { measured_type, control, sentence } = await analyze(campaign);
  assertEquals([measured_type, control.kind], ["account", "none"]);
  assertMatch(sentence, /nothing unchanged could be compared with/);
});

Deno.test("POST /impact/analyze compares with nobody who was changed at that time", async () => {
  await service.sql`
    insert into ads.ml_recommendations (
      config_id, entity_type, entity_id, parent_id, campaign_id, recommendation_type, kind,
      reason_code, priority, title, description, confidence_score, reasoning, status, as_of,
      model_version, created_at, expires_at, applied_at
    )
    values (
      1, 'ad', '32', '21', '11', 'CREATIVE_TEST', 'CREATIVE_TEST', 'test', 4, '', '', 0.9, '{}',
      'applied', '2026-03-04', 'test', '2026-03-05Z', '2026-03-09Z', '2026-03-06T12:00Z'
    )`;
  const { control } = await analyze();
  assertEquals([control.kind, control.siblings, control.others], ["account", 0, 1]);
  const before = await analyze({ as_of: "2026-03-06", change_date: "2026-03-02" });
  assertEquals(before.control.siblings, 0);
  const later = await analyze({ window_after: 3, change_date: "2026-03-02" });
  assertEquals([later.as_of, later.control.siblings], ["2026-03-05", 1]);
});

Deno.test("POST /impact/analyze says which of both is missing: the entity, or data", async () => {
  const { status, message } = await refuse({ entity_id: "99" });
  assertEquals([status, message], [404, 'There is no ad "99" in this account']);
  for (
    const [body, reason] of [
      [{ change_date: "2026-03-08" }, /delivered on 2 of the 2 complete days after the change/],
      [{ change_date: "2026-03-10" }, /no day is complete since the change/],
      [{ change_date: "2026-02-20" }, /delivered on 1 of the 7 days before the change/],
      [{ entity_id: "34" }, /^Ad “Snow” delivered on 0 of the 7 days before the change/],
    ] as const
  ) {
    const refused = await refuse(body);
    assertEquals([refused.status, refused.code], [404, "not_found"]);
    assertMatch(refused.message, reason);
  }
});

Deno.test("POST /impact/analyze refuses a day that is not complete yet", async () => {
  const { status, details } = await refuse({ as_of: "2026-03-11" });
  assertEquals([status, details?.parameters[0]?.name], [400, "as_of"]);
});
