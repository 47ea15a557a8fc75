import { assert, assertEquals, assertRejects } from "@std/assert";
import { addDays } from "../../core/days.ts";
import type { ReplayReport } from "../../core/replay.ts";
import { Refusal } from "../../core/refusal.ts";
import { readAccountSettings } from "../../core/rules/settings.ts";
import { recommendations } from "../../jobs/recommendations.ts";
import { replay, type ReplayRequest } from "../../jobs/replay.ts";
import { startRun } from "../../jobs/runs.ts";
import { type TestDatabase, testDatabase } from "../database.ts";
import { AS_OF, daily, insertAccount, type InsightRow } from "../db/views/rows.ts";

/** The data go on for three weeks after it. */
const DAY = addDays(AS_OF, -21);
const FOLK_PAUSE = "folk: pause at 2 x target spend without a lead";
const FOLK_SCALE = "folk: scale when CPL is 30 % under average for 3 days";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

const ORDINARY = { impressions: 4000, clicks: 40, spend: 40, leads: 4 };

/** 50 days of four ads, each in its own ad set: a dear one, a cheap one, one without leads and another. */
const FOUR_ADS: InsightRow[] = [
  ...daily(50, { ...ORDINARY, spend: 60, leads: 1 }),
  ...daily(50, { ...ORDINARY, leads: 8, ad_id: "32", adset_id: "22" }),
  ...daily(50, { ...ORDINARY, spend: 20, leads: 0, ad_id: "33", adset_id: "23" }),
  ...daily(50, { ...ORDINARY, ad_id: "34", adset_id: "24" }),
];

let accounts = 0;

/** Writes an account whose target is 10, and returns its number. */
async function addAccount(insights = FOUR_ADS): Promise<number> {
  const configId = ++accounts;
  await insertAccount(database.sql, configId, { target_cpl: 10, insights });
  return configId;
}

function replayDays(configId: number, request: Partial<ReplayRequest> & { rules?: unknown } = {}) {
  const { rules = {}, ...rest } = request;
  return replay(database.sql, {
    configId,
    from: DAY,
    to: DAY,
    settings: readAccountSettings(rules),
    ...rest,
  });
}

/** How often each rule spoke on a level, by its name. */
function said({ byRule }: ReplayReport, level = "ad"): Record<string, number> {
  return Object.fromEntries(
    byRule.filter(({ entityType }) => entityType === level).map(({ rule, said }) => [rule, said]),
  );
}

/** Everything that is stored, table by table. */
async function everything(): Promise<Record<string, string>> {
  const { sql } = database;
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name
    from pg_catalog.pg_class c
    where c.relnamespace = to_regnamespace('ads')
      and c.relkind in ('r', 'p')
      and not c.relispartition`;
  const contents: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await sql`
      select count(*) || ' ' || coalesce(md5(string_agg(t::text, ' ' order by t::text)), '') as all
      from ${sql.unsafe(name)} t`;
    contents[name] = row?.all;
  }
  return contents;
}

Deno.test("replay() stores nothing and changes nothing", async () => {
  const configId = await addAccount();
  const now = new Date(`${addDays(DAY, 1)}T06:00:00Z`);
  const subject = { configId, entityType: "ad", asOf: DAY, now } as const;
  await (await startRun(database.sql, recommendations, subject)).done;
  // Features of the day are there already, and others by now.
  await database.sql`
    update ads.insights set spend = spend + 1 where config_id = ${configId} and date = ${DAY}`;
  const before = await everything();
  const report = await replayDays(configId, { to: addDays(DAY, 1) });
  assertEquals(await everything(), before);
  assert(report.byRule.length > 0);
  assert(before["ads.ml_features"]?.startsWith("4 "), before["ads.ml_features"]);
});

Deno.test("replay() applies the rules and what people go by, on every level", async () => {
  const configId = await addAccount();
  const days: string[] = [];
  const report = await replayDays(configId, { onDay: (day) => days.push(day) });
  const each = {
    pause_expensive: 1,
    scale_up: 1,
    [FOLK_SCALE]: 1,
    pause_without_leads: 1,
    [FOLK_PAUSE]: 1,
  };
  assertEquals([said(report, "ad"), said(report, "adset")], [each, each]);
  // The campaign as a whole is ordinary: 160 for 13.
  assertEquals([said(report, "campaign"), days], [{}, [DAY]]);
});

Deno.test("replay() counts what was spent after a pause, and the leads it brought", async () => {
  const configId = await addAccount();
  const { pauses } = await replayDays(configId);
  const ofAds = pauses.filter(({ entityType }) => entityType === "ad");
  const without = { moneySaved: 14 * 20, leadsLost: 0, leadsElsewhere: 28 };
  assertEquals(ofAds, [
    {
      rule: "pause_expensive",
      entityType: "ad",
      pauses: 1,
      moneySaved: 14 * 60,
      leadsLost: 14,
      leadsElsewhere: 84,
    },
    { rule: "pause_without_leads", entityType: "ad", pauses: 1, ...without },
    { rule: FOLK_PAUSE, entityType: "ad", pauses: 1, ...without },
  ]);
});

Deno.test("replay() judges what was said by the two weeks after", async () => {
  const configId = await addAccount();
  // Both turn on the next day: the dear one costs 5, the cheap one 40.
  await database.sql`
    update ads.insights
    set leads = case ad_id when '31' then 12 else 1 end
    where config_id = ${configId} and ad_id in ('31', '32') and date > ${DAY}`;
  const { byRule, pauses } = await replayDays(configId);
  const ofAds = byRule.filter(({ entityType }) => entityType === "ad");
  assertEquals(
    Object.fromEntries(ofAds.map(({ rule, judged, trueShare }) => [rule, [judged, trueShare]])),
    {
      pause_expensive: [1, 0],
      scale_up: [1, 0],
      [FOLK_SCALE]: [1, 0],
      pause_without_leads: [1, 1],
      [FOLK_PAUSE]: [1, 1],
    },
  );
  const [first] = pauses.filter(({ entityType }) => entityType === "ad");
  assertEquals([first?.moneySaved, first?.leadsLost], [14 * 60, 14 * 12]);
});

Deno.test("replay() says of a day what was known then, whatever came later", async () => {
  const configId = await addAccount();
  const told = async () =>
    (await replayDays(configId)).byRule.map(({ rule, entityType, said, meanConfidence }) => [
      rule,
      entityType,
      said,
      meanConfidence,
    ]);
  const before = await told();
  await database.sql`
    update ads.insights
    set leads = case ad_id when '31' then 60 else 0 end, spend = 3 * spend, clicks = 1
    where config_id = ${configId} and date > ${DAY}`;
  assertEquals(await told(), before);
  await database.sql`delete from ads.insights where config_id = ${configId} and date > ${DAY}`;
  assertEquals(await told(), before);
  assertEquals(before.length, 10);
});

Deno.test("replay() judges nothing when fewer than seven days came after", async () => {
  const configId = await addAccount();
  const report = await replayDays(configId, { from: addDays(AS_OF, -6), to: addDays(AS_OF, -6) });
  assert(report.byRule.length > 0 && report.pauses.length > 0);
  for (const { judged, trueShare } of report.byRule) assertEquals([judged, trueShare], [0, null]);
  for (const { pauses, moneySaved } of report.pauses) assertEquals([pauses, moneySaved], [1, 0]);
  const week = await replayDays(configId, { from: addDays(AS_OF, -7), to: addDays(AS_OF, -7) });
  assertEquals(week.pauses[0]?.moneySaved, 7 * 60);
});

Deno.test("replay() says the same again only when it has expired", async () => {
  const configId = await addAccount();
  const until = async (days: number) =>
    said(await replayDays(configId, { to: addDays(DAY, days) }));
  const { pause_expensive, scale_up, [FOLK_PAUSE]: folk } = await until(2);
  assertEquals([pause_expensive, scale_up, folk], [1, 1, 1]);
  const later = await until(3);
  assertEquals([later.pause_expensive, later.scale_up, later[FOLK_PAUSE]], [2, 1, 2]);
});

Deno.test("replay() remembers how long something has been an underperformer", async () => {
  // At 1.8 times the target.
  const configId = await addAccount([
    ...daily(50, { ...ORDINARY, spend: 72 }),
    ...daily(50, { ...ORDINARY, spend: 720, leads: 72, ad_id: "32", adset_id: "22" }),
  ]);
  const until = async (days: number) =>
    said(await replayDays(configId, { to: addDays(DAY, days) })).pause_lasting;
  assertEquals([await until(5), await until(6)], [undefined, 1]);
});

Deno.test("replay() takes for running what delivered in the last three days", async () => {
  const cheapUntil = (ad_id: string, day: string) =>
    daily(50, { ...ORDINARY, leads: 8, ad_id }).filter(({ date = "" }) => date <= day);
  const configId = await addAccount([
    ...daily(50, ORDINARY),
    ...cheapUntil("32", addDays(DAY, -2)),
    ...cheapUntil("33", addDays(DAY, -3)),
  ]);
  const { reactivate, scale_up } = said(await replayDays(configId));
  assertEquals([reactivate, scale_up], [1, 1]);
});

Deno.test("replay() obeys the settings that it is given", async () => {
  const configId = await addAccount();
  const rules = { rules: { pause_expensive: { ratio: 50 }, scale_up: { leads_7d: 1000 } } };
  const { pause_expensive, scale_up, pause_without_leads } = said(
    await replayDays(configId, { rules }),
  );
  assertEquals([pause_expensive, scale_up, pause_without_leads], [undefined, undefined, 1]);
});

Deno.test("replay() judges by the truth where it is known", async () => {
  const configId = await addAccount();
  const { byRule } = await replayDays(configId, {
    truthOf: ({ entityType, entityId }) =>
      entityType !== "ad" ? null : entityId === "31" ? 6 : entityId === "32" ? 0.9 : 9,
  });
  const known = byRule.map(({ rule, entityType, judged, trueShare }) =>
    [entityType, rule, judged, trueShare].join(" ")
  );
  assertEquals(known.filter((line) => line.startsWith("ad ")), [
    "ad pause_expensive 1 1",
    "ad pause_without_leads 1 1",
    "ad scale_up 1 0",
    `ad ${FOLK_PAUSE} 1 1`,
    `ad ${FOLK_SCALE} 1 1`,
  ]);
  assert(known.filter((line) => line.startsWith("adset")).every((line) => line.endsWith(" 0 ")));
});

Deno.test("replay() refuses an unknown account", async () => {
  const { code } = await assertRejects(() => replayDays(404), Refusal, "config id 404");
  assertEquals(code, "not_found");
});
