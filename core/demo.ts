/**
 * The demo account: a made-up advertiser whose story is known, so that what adstrata says about it
 * can be judged. It is the same story each time, told up to whichever day.
 */
import Papa from "papaparse";
import { addDays } from "./days.ts";
import { createRandom, type Random } from "./random.ts";

/** Days of history. */
export const DEMO_DAYS = 90;

/** What is known about the account besides its numbers. */
export const DEMO_ACCOUNT = {
  accountId: "1202650000000001",
  name: "Sonnenhof Solar (demo)",
  currency: "EUR",
  timeZone: "Europe/Berlin",
};

type Entity = {
  name: string;
  status: "ACTIVE" | "PAUSED";
  effective_status: "ACTIVE" | "PAUSED" | "ADSET_PAUSED" | "CAMPAIGN_PAUSED";
};

/** Rows as the tables of the same names hold them. */
export type DemoAccount = {
  campaigns: (Entity & { campaign_id: string; objective: string; daily_budget: number | null })[];
  adsets: (Entity & { adset_id: string; campaign_id: string; daily_budget: number | null })[];
  ads: (Entity & { ad_id: string; adset_id: string; campaign_id: string })[];
  insights: DemoInsight[];
  /** The ids of the ads that the story is about. */
  story: Record<StoryLine, string>;
};

/** One ad's day. */
export type DemoInsight = {
  date: string;
  campaign_id: string;
  adset_id: string;
  ad_id: string;
  spend: number;
  impressions: number;
  reach: number;
  clicks: number;
  link_clicks: number;
  leads: number;
};

/** What happens to one ad each; all others just run. */
export type StoryLine = "winner" | "loser" | "tired" | "stopped" | "fresh";

/** What a lead truly costs in this account, in euros. Everything else is a factor on it. */
const BASE_CPL = 24;
const BASE_CPM = 9;
const BASE_CTR = 0.013;
/** An ad gets about five leads a week from it: the usual case, in which raw CPLs mislead. */
const BASE_DAILY_SPEND = 18;

// A campaign's factor on the account's CPL is half of its story; the rest is drawn.
const CAMPAIGNS = [
  { name: "LEADS | Prospecting | Broad | DE", cpl: 1.0 },
  { name: "LEADS | Prospecting | Interests: home owners | DE", cpl: 1.15 },
  { name: "LEADS | Prospecting | Lookalike 1 % | DE", cpl: 0.85 },
  { name: "LEADS | Prospecting | Lookalike 3-5 % | DE", cpl: 1.1 },
  { name: "LEADS | Retargeting | Website 30 d | DE", cpl: 0.55 },
  { name: "LEADS | Retargeting | Engaged 90 d | DE", cpl: 0.7 },
  { name: "LEADS | Prospecting | Broad | AT", cpl: 0.95 },
  { name: "LEADS | Prospecting | Interests: energy | CH", cpl: 1.9 },
  { name: "LEADS | Roof check | Advantage+ | DACH", cpl: 0.9 },
  { name: "LEADS | Battery storage | Broad | DE", cpl: 1.6 },
  { name: "LEADS | Price guide PDF | Broad | DE", cpl: 0.8 },
  { name: "LEADS | Spring offer | Broad | DE", cpl: 1.05, stoppedDaysAgo: 40 },
];

const ADSETS = [
  "All 30-65+ | Advantage+ placements",
  "M 35-54 | Feed",
  "F 35-54 | Feed + Stories",
  "All 45-65+ | Facebook only",
  "All 25-44 | Reels + Stories",
];

const ADS = [
  "VID | Founder story | 15s",
  "IMG | Testimonial family Weber | 1:1",
  "CAR | 5 reasons | v2",
  "UGC | Before/after power bill | 9:16",
  "IMG | Price from 79 a month | 4:5",
  "VID | Roof time lapse | 30s",
  "UGC | Neighbour interview | 9:16",
  "IMG | Subsidy ends soon | 1:1",
];

/** Which ad, by its place, each line of the story is about. */
const STORY: Record<StoryLine, { campaign: number; adset: number; ad: number }> = {
  winner: { campaign: 2, adset: 1, ad: 0 },
  loser: { campaign: 0, adset: 2, ad: 1 },
  tired: { campaign: 8, adset: 0, ad: 2 },
  stopped: { campaign: 10, adset: 1, ad: 0 },
  fresh: { campaign: 6, adset: 0, ad: 3 },
};
const STORY_LINES: StoryLine[] = ["winner", "loser", "tired", "stopped", "fresh"];
const STORY_NAMES: Record<StoryLine, string> = {
  winner: 'UGC | "My meter runs backwards" | 9:16',
  loser: "IMG | Stock photo roof | 1:1",
  tired: "VID | Drone flight | 20s | since spring",
  stopped: "CAR | Customer projects | v1",
  fresh: "VID | Installation in one day | 15s | NEW",
};

/** From Sunday: people fill in forms on working days. */
const WEEKDAY_SPEND = [0.82, 1.08, 1.1, 1.08, 1.04, 0.98, 0.85];
const WEEKDAY_CPL = [1.12, 0.95, 0.93, 0.95, 1.0, 1.04, 1.1];

/** What is true about one ad, before chance has its say. */
type AdTruth = {
  line: StoryLine | null;
  cpl: number;
  ctr: number;
  dailySpend: number;
  /** Days before the last one on which delivery starts and ends, both included. */
  from: number;
  to: number;
};

/**
 * Tells the story up to a day: 12 campaigns, 60 ad sets, 250 ads and 90 days.
 *
 * @param lastDay The last complete day in the account's time zone.
 */
export function demoAccount(lastDay: string): DemoAccount {
  const random = createRandom(20_260_301);
  const account: DemoAccount = {
    campaigns: [],
    adsets: [],
    ads: [],
    insights: [],
    story: { winner: "", loser: "", tired: "", stopped: "", fresh: "" },
  };
  CAMPAIGNS.forEach((campaign, index) => addCampaign(account, random, campaign, index, lastDay));
  return account;
}

/** Writes the account as a daily Ads Manager export, the file that a person would import. */
export function demoExport({ campaigns, adsets, ads, insights }: DemoAccount): string {
  const campaignOf = new Map(campaigns.map((row) => [row.campaign_id, row]));
  const adsetOf = new Map(adsets.map((row) => [row.adset_id, row]));
  const adOf = new Map(ads.map((row) => [row.ad_id, row]));
  return Papa.unparse(insights.map((row) => {
    const campaign = campaignOf.get(row.campaign_id);
    const adset = adsetOf.get(row.adset_id);
    const ad = adOf.get(row.ad_id);
    return {
      "Day": row.date,
      "Account ID": DEMO_ACCOUNT.accountId,
      "Account name": DEMO_ACCOUNT.name,
      "Campaign ID": row.campaign_id,
      "Campaign name": campaign?.name,
      "Objective": campaign?.objective,
      "Campaign status": campaign?.status,
      "Campaign delivery": campaign?.effective_status,
      "Campaign budget": campaign?.daily_budget ?? "Using ad set budget",
      "Campaign budget type": campaign?.daily_budget === null ? "" : "Daily",
      "Ad set ID": row.adset_id,
      "Ad set name": adset?.name,
      "Ad set status": adset?.status,
      "Ad set delivery": adset?.effective_status,
      "Ad set budget": adset?.daily_budget ?? "Using campaign budget",
      "Ad set budget type": adset?.daily_budget === null ? "" : "Daily",
      "Ad ID": row.ad_id,
      "Ad name": ad?.name,
      "Ad status": ad?.status,
      "Ad delivery": ad?.effective_status,
      [`Amount spent (${DEMO_ACCOUNT.currency})`]: row.spend.toFixed(2),
      "Impressions": row.impressions,
      "Reach": row.reach,
      "Clicks (all)": row.clicks,
      "Link clicks": row.link_clicks,
      "Leads": row.leads,
    };
  }));
}

function addCampaign(
  account: DemoAccount,
  random: Random,
  { name, cpl, stoppedDaysAgo = 0 }: (typeof CAMPAIGNS)[number],
  place: number,
  lastDay: string,
): void {
  const campaign_id = metaId(1, place);
  // Meta lets either the campaign or its ad sets hold the budget.
  const holdsBudget = place % 2 === 0;
  const truth = { cpl: BASE_CPL * cpl, to: stoppedDaysAgo };
  const paused = stoppedDaysAgo > 0;
  const dailyBudgets = ADSETS.map((adset, index) =>
    addAdset(account, random, adset, { campaign: place, adset: index }, truth, {
      campaign_id,
      paused,
      holdsBudget: !holdsBudget,
      lastDay,
    })
  );
  account.campaigns.push({
    campaign_id,
    name,
    objective: "OUTCOME_LEADS",
    status: paused ? "PAUSED" : "ACTIVE",
    effective_status: paused ? "PAUSED" : "ACTIVE",
    daily_budget: holdsBudget ? roundBudget(dailyBudgets.reduce((sum, each) => sum + each)) : null,
  });
}

/** Adds an ad set with its ads and returns what it spends on a day. */
function addAdset(
  account: DemoAccount,
  random: Random,
  name: string,
  place: { campaign: number; adset: number },
  campaign: { cpl: number; to: number },
  { campaign_id, paused, holdsBudget, lastDay }: {
    campaign_id: string;
    paused: boolean;
    holdsBudget: boolean;
    lastDay: string;
  },
): number {
  const index = place.campaign * ADSETS.length + place.adset;
  const adset_id = metaId(2, index);
  const adsetCpl = campaign.cpl * spread(random, 0.2);
  let dailySpend = 0;
  // Ten of the sixty have a fifth ad.
  for (let ad = 0; ad < (index % 6 === 0 ? 5 : 4); ad++) {
    const line = STORY_LINES.find((line) => {
      const at = STORY[line];
      return at.campaign === place.campaign && at.adset === place.adset && at.ad === ad;
    }) ?? null;
    const truth = adTruth(random, line, adsetCpl, campaign.to);
    dailySpend += truth.dailySpend;
    const ad_id = metaId(3, account.ads.length);
    if (line) account.story[line] = ad_id;
    const stopped = truth.to > campaign.to;
    account.ads.push({
      ad_id,
      adset_id,
      campaign_id,
      name: line ? STORY_NAMES[line] : adName(index, ad),
      status: stopped ? "PAUSED" : "ACTIVE",
      effective_status: stopped ? "PAUSED" : paused ? "CAMPAIGN_PAUSED" : "ACTIVE",
    });
    for (let ago = truth.from; ago >= truth.to; ago--) {
      const day = adDay(random, truth, addDays(lastDay, -ago), ago);
      account.insights.push({ campaign_id, adset_id, ad_id, ...day });
    }
  }
  account.adsets.push({
    adset_id,
    campaign_id,
    name,
    status: "ACTIVE",
    effective_status: paused ? "CAMPAIGN_PAUSED" : "ACTIVE",
    daily_budget: holdsBudget ? roundBudget(dailySpend) : null,
  });
  return dailySpend;
}

function adTruth(
  random: Random,
  line: StoryLine | null,
  adsetCpl: number,
  campaignStopped: number,
): AdTruth {
  const truth = {
    line,
    cpl: adsetCpl * spread(random, 0.3),
    ctr: BASE_CTR * spread(random, 0.25),
    dailySpend: BASE_DAILY_SPEND * spread(random, 0.5),
    from: DEMO_DAYS - 1,
    to: campaignStopped,
  };
  // Every ninth ad was switched off at some time before.
  const off = Math.floor(random.uniform() * 60);
  if (!line && random.uniform() < 1 / 9) truth.to = Math.max(truth.to, 7 + off);
  switch (line) {
    case "winner":
      return { ...truth, cpl: BASE_CPL * 0.45, ctr: BASE_CTR * 1.6, dailySpend: 42 };
    case "loser":
      return { ...truth, cpl: BASE_CPL * 3.2, ctr: BASE_CTR * 0.8, dailySpend: 38 };
    case "tired":
      return { ...truth, cpl: BASE_CPL * 0.7, ctr: BASE_CTR * 1.5, dailySpend: 45 };
    case "stopped":
      return { ...truth, cpl: BASE_CPL * 0.65, dailySpend: 30, to: 21 };
    case "fresh":
      return { ...truth, cpl: BASE_CPL, dailySpend: 25, from: 3 };
    case null:
      return truth;
  }
}

/** One day of an ad: the truth, the weekday, and chance. */
function adDay(
  random: Random,
  truth: AdTruth,
  date: string,
  ago: number,
): Omit<DemoInsight, "campaign_id" | "adset_id" | "ad_id"> {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  // Over five weeks the tired creative loses two thirds of its clicks to people who know it by heart.
  const tiredness = truth.line === "tired" ? Math.max(0, 1 - ago / 35) : 0;
  const spend = roundCents(
    truth.dailySpend * (WEEKDAY_SPEND[weekday] ?? 1) * random.gamma(30, 1 / 30),
  );
  const cpm = BASE_CPM * random.gamma(60, 1 / 60);
  const impressions = Math.max(1, random.poisson((spend / cpm) * 1000));
  const ctr = truth.ctr * (1 - 0.67 * tiredness);
  const clicks = random.binomial(impressions, ctr);
  // Leads for the money when the creative is fresh, and a share of them when fewer people click.
  // The gamma draw makes days differ more than Poisson counts would, as they do in real accounts.
  const expected = (spend / truth.cpl / (WEEKDAY_CPL[weekday] ?? 1)) * (ctr / truth.ctr);
  const leads = Math.min(clicks, random.poisson(expected * random.gamma(4, 1 / 4)));
  const frequency = 1.15 + 0.15 * random.uniform() + 3.2 * tiredness;
  return {
    date,
    spend,
    impressions,
    reach: Math.max(1, Math.round(impressions / frequency)),
    clicks,
    link_clicks: random.binomial(clicks, 0.8),
    leads,
  };
}

function adName(adset: number, ad: number): string {
  return ADS[(adset * 3 + ad) % ADS.length] ?? "";
}

/** A factor around 1, as different as entities of one parent usually are. */
function spread(random: Random, deviation: number): number {
  return Math.exp(random.normal(0, deviation));
}

/** An id of 18 digits, as Meta's are. */
function metaId(level: 1 | 2 | 3, index: number): string {
  return `12026${level}${String(index + 1).padStart(12, "0")}`;
}

function roundBudget(dailySpend: number): number {
  return Math.ceil((dailySpend * 1.1) / 5) * 5;
}

function roundCents(amount: number): number {
  return Math.round(amount * 100) / 100;
}
