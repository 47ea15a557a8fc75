import { assert, assertEquals } from "@std/assert";
import { addDays } from "../../core/days.ts";
import { demoAccount, type DemoInsight } from "../../core/demo.ts";

const LAST_DAY = "2026-03-01";
const account = demoAccount(LAST_DAY);

function insightsOf(adId: string): DemoInsight[] {
  return account.insights.filter((row) => row.ad_id === adId);
}

function total(
  rows: DemoInsight[],
  metric: "spend" | "leads" | "clicks" | "impressions" | "reach",
) {
  return rows.reduce((sum, row) => sum + row[metric], 0);
}

Deno.test("demoAccount() tells the same story when the day is the same", () => {
  assertEquals(demoAccount(LAST_DAY), account);
});

Deno.test("demoAccount() has 12 campaigns, 60 ad sets, 250 ads and 90 days", () => {
  assertEquals(account.campaigns.length, 12);
  assertEquals(account.adsets.length, 60);
  assertEquals(account.ads.length, 250);
  const days = new Set(account.insights.map((row) => row.date));
  assertEquals(days.size, 90);
  assertEquals([...days].sort().at(0), addDays(LAST_DAY, -89));
  assertEquals([...days].sort().at(-1), LAST_DAY);
});

Deno.test("demoAccount() gives ids of 18 digits, each once", () => {
  const ids = [
    ...account.campaigns.map((row) => row.campaign_id),
    ...account.adsets.map((row) => row.adset_id),
    ...account.ads.map((row) => row.ad_id),
  ];
  assertEquals(new Set(ids).size, 12 + 60 + 250);
  assert(ids.every((id) => /^\d{18}$/.test(id)));
});

Deno.test("demoAccount() puts a budget on a campaign or on its ad sets, never on both", () => {
  for (const campaign of account.campaigns) {
    const adsets = account.adsets.filter((row) => row.campaign_id === campaign.campaign_id);
    const onCampaign = campaign.daily_budget !== null;
    assert(adsets.every((adset) => (adset.daily_budget === null) === onCampaign));
  }
});

Deno.test("demoAccount() gives the median ad 2 to 10 leads a week", () => {
  const week = account.insights.filter((row) => row.date > addDays(LAST_DAY, -7));
  const leads = new Map<string, number>();
  for (const row of week) leads.set(row.ad_id, (leads.get(row.ad_id) ?? 0) + row.leads);
  const median = [...leads.values()].sort((a, b) => a - b)[Math.floor(leads.size / 2)] ?? 0;
  assert(median >= 2 && median <= 10, `${median}`);
});

Deno.test("demoAccount() lets the creative tire: fewer clicks, seen more often, dearer leads", () => {
  const rows = insightsOf(account.story.tired);
  const [first, last] = [rows.slice(0, 28), rows.slice(-7)];
  const ctr = (part: DemoInsight[]) => total(part, "clicks") / total(part, "impressions");
  const frequency = (part: DemoInsight[]) => total(part, "impressions") / total(part, "reach");
  const cpl = (part: DemoInsight[]) => total(part, "spend") / total(part, "leads");
  assert(ctr(last) < 0.6 * ctr(first));
  assert(frequency(first) < 2 && frequency(last) > 3);
  assert(cpl(last) > 1.5 * cpl(first));
});

Deno.test("demoAccount() stops one ad three weeks ago and starts one four days ago", () => {
  assertEquals(insightsOf(account.story.stopped).at(-1)?.date, addDays(LAST_DAY, -21));
  assertEquals(
    account.ads.find((ad) => ad.ad_id === account.story.stopped)?.status,
    "PAUSED",
  );
  assertEquals(insightsOf(account.story.fresh).map((row) => row.date), [
    addDays(LAST_DAY, -3),
    addDays(LAST_DAY, -2),
    addDays(LAST_DAY, -1),
    LAST_DAY,
  ]);
});

Deno.test("demoAccount() makes the winner much cheaper and the loser much dearer than the rest", () => {
  const cpl = (rows: DemoInsight[]) => total(rows, "spend") / total(rows, "leads");
  const all = cpl(account.insights);
  assert(cpl(insightsOf(account.story.winner)) < 0.7 * all);
  assert(cpl(insightsOf(account.story.loser)) > 2 * all);
});
