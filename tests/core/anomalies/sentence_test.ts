import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cplFactors } from "../../../core/anomalies/cpl_factors.ts";
import type { Day } from "../../../core/anomalies/history.ts";
import { startProfile } from "../../../core/anomalies/profile.ts";
import type { Alarm } from "../../../core/anomalies/select.ts";
import { sentenceOf } from "../../../core/anomalies/sentence.ts";
import type { Branch, Place } from "../../../core/anomalies/tree.ts";
import { drawAccount, heavyTailed, history, incidentsOf, PLAIN, sumOf } from "./accounts.ts";

const OPTIONS = { asOf: "2026-01-31", historyDays: 30, daysToAnalyze: 1 };
const DAYS = PLAIN.days;

/** Cost per click 0.80, CPM 8, CTR 1 %, conversion rate 4 %, CPL 20. */
const USUAL: Day = { spend: 80, impressions: 10_000, clicks: 100, leads: 4, reach: 8000 };

const NAMES: Record<Place, string> = {
  account: "Acme",
  campaign: "Leads BR",
  adset: "Women 25+",
  ad: "Video B",
};

/** The sentences about 32 ads, of which some had other last days than ever before. */
function sentencesOf(
  change: Partial<Day>,
  {
    days = 3,
    ads = [9],
    usual = USUAL,
    nameOf = (place: Place) => NAMES[place],
  } = {},
): string[] {
  const drawn = Array.from({ length: 32 }, (_, ad) =>
    history(
      "ad",
      "",
      null,
      Array.from({ length: DAYS }, (_, day) =>
        day >= DAYS - days && ads.includes(ad) ? { ...usual, ...change } : usual),
    ));
  return incidentsOf(drawn, OPTIONS, nameOf).map(({ sentence }) => sentence);
}

/** The ads of an ad set, of a campaign, and all of them. */
const ADSET = [8, 9, 10, 11];
const CAMPAIGN = [...ADSET, 12, 13, 14, 15];
const ALL = Array.from({ length: 32 }, (_, ad) => ad);

/** A branch of days that were all alike but the last three. */
function branchOf(place: Place, change: Partial<Day> = {}): Branch {
  const days = Array.from(
    { length: DAYS },
    (_, day) => day < DAYS - 3 ? USUAL : { ...USUAL, ...change },
  );
  const own = history("ad", "9", null, days);
  const learner = startProfile(own, OPTIONS);
  learner.add(own);
  return { place, name: NAMES[place], history: own, profile: learner.finish(), children: [] };
}

const ALARM: Alarm = {
  entityId: "9",
  parentId: null,
  metric: "frequency",
  type: "frequency_alert",
  date: OPTIONS.asOf,
  windowDays: 3,
  observed: 2.5,
  expected: 1.2,
  deviation: 5,
  p: 1e-6,
  q: 1e-4,
  severity: "LOW",
  stake: 0,
  leadsStopped: false,
};

Deno.test("sentenceOf() says which factor of a CPL moved", () => {
  const cases: [what: Partial<Day>, sentence: string][] = [
    [
      { leads: 1 },
      "The CPL of ad set 'Women 25+' rose from 20 to 80 USD in the 3 days to 2026-01-31: its " +
      "conversion rate fell from 4.0 to 1.0 %, cost per click unchanged",
    ],
    [
      { leads: 12 },
      "Ad set 'Women 25+' caused 100 % of the fall of the CPL of campaign 'Leads BR' from 20 to 10 " +
      "USD in the 3 days to 2026-01-31: its conversion rate rose from 4.0 to 12 %, cost per click " +
      "unchanged",
    ],
    [
      { clicks: 25, leads: 1 },
      "The CPL of ad set 'Women 25+' rose from 20 to 80 USD in the 3 days to 2026-01-31: its cost " +
      "per click rose from 0.80 to 3.2 USD (its CTR fell from 1.0 to 0.25 %), conversion rate " +
      "unchanged",
    ],
    [
      { impressions: 2500, clicks: 25, leads: 1 },
      "The CPL of ad set 'Women 25+' rose from 20 to 80 USD in the 3 days to 2026-01-31: its cost " +
      "per click rose from 0.80 to 3.2 USD (its CPM rose from 8.0 to 32 USD), conversion rate " +
      "unchanged",
    ],
    [
      { impressions: 4000, clicks: 25, leads: 1 },
      "The CPL of ad set 'Women 25+' rose from 20 to 80 USD in the 3 days to 2026-01-31: its cost " +
      "per click rose from 0.80 to 3.2 USD (its CPM rose from 8.0 to 20 USD and its CTR fell from " +
      "1.0 to 0.63 %), conversion rate unchanged",
    ],
    [
      { clicks: 50, leads: 1 },
      "The CPL of ad set 'Women 25+' rose from 20 to 80 USD in the 3 days to 2026-01-31: its " +
      "conversion rate fell from 4.0 to 2.0 % and its cost per click rose from 0.80 to 1.6 USD " +
      "(its CTR fell from 1.0 to 0.50 %)",
    ],
    [
      { clicks: 200, leads: 1 },
      "The CPL of ad set 'Women 25+' rose from 20 to 80 USD in the 3 days to 2026-01-31: its " +
      "conversion rate fell from 4.0 to 0.50 % although its cost per click fell from 0.80 to 0.40 " +
      "USD (its CTR rose from 1.0 to 2.0 %)",
    ],
  ];
  for (const [change, sentence] of cases) {
    assertEquals(sentencesOf(change, { ads: ADSET }), [sentence]);
  }
});

Deno.test("sentenceOf() says it of every place", () => {
  const rich = {
    ...USUAL,
    spend: 800,
    impressions: 100_000,
    clicks: 1000,
    leads: 40,
    reach: 80_000,
  };
  const because = "its conversion rate fell from 4.0 to 1.0 %, cost per click unchanged";
  assertEquals(sentencesOf({ leads: 10 }, { days: 1, usual: rich }), [
    `The CPL of ad 'Video B' rose from 20 to 80 USD on 2026-01-31: ${because}`,
  ]);
  assertEquals(sentencesOf({ leads: 0 }, { usual: rich }), [
    "Ad 'Video B' caused 100 % of the rise of the CPL of ad set 'Women 25+' from 20 to 27 USD in " +
    "the 3 days to 2026-01-31: its conversion rate fell from 4.0 to 0 %, cost per click unchanged",
  ]);
  assertEquals(sentencesOf({ leads: 10 }, { days: 1, usual: rich, ads: CAMPAIGN }), [
    `The CPL of campaign 'Leads BR' rose from 20 to 80 USD on 2026-01-31: ${because}`,
  ]);
  assertEquals(sentencesOf({ leads: 10 }, { days: 1, usual: rich, ads: ALL }), [
    `The CPL of account 'Acme' rose from 20 to 80 USD on 2026-01-31: ${because}`,
  ]);
});

Deno.test("sentenceOf() says so when there is no lead, no click or nothing at all", () => {
  assertEquals(sentencesOf({ leads: 0 }), [
    "Ad 'Video B' spent 240 USD without a lead in the 3 days to 2026-01-31, at a usual CPL of 20 " +
    "USD: its conversion rate fell from 4.0 to 0 %, cost per click unchanged",
  ]);
  assertEquals(sentencesOf({ impressions: 2500, clicks: 25, leads: 0 }, { ads: ADSET }), [
    "Ad set 'Women 25+' caused 100 % of the rise of the CPL of campaign 'Leads BR' from 20 to 40 USD " +
    "in the 3 days to 2026-01-31: its cost per click rose from 0.80 to 3.2 USD (its CPM rose from 8.0 " +
    "to 32 USD) and its conversion rate fell from 4.0 to 0 %",
  ]);
  assertEquals(sentencesOf({ clicks: 0, leads: 0 }, { ads: ADSET }), [
    "Ad set 'Women 25+' caused 100 % of the rise of the CPL of campaign 'Leads BR' from 20 to 40 USD " +
    "in the 3 days to 2026-01-31: it had no click",
  ]);
  const leads = { metric: "cpl", type: "cpl_spike", observed: null, expected: 20 } as const;
  const above = {
    branch: branchOf("campaign", { leads: 0 }),
    alarm: { ...ALARM, ...leads },
    share: 0.834,
  };
  assertEquals(
    sentenceOf(
      { cause: branchOf("ad", { leads: 0 }), alarm: above.alarm, others: [], above },
      "EUR",
    ),
    "Ad 'Video B' caused 83 % of the missing leads of campaign 'Leads BR', which spent 240 EUR without " +
      "one in the 3 days to 2026-01-31: its conversion rate fell from 4.0 to 0 %, cost per click unchanged",
  );
  const nothing = { spend: 0, impressions: 0, clicks: 0, leads: 0, reach: 0 };
  assertEquals(sentencesOf(nothing, { days: 1, ads: ADSET }), [
    "Ad set 'Women 25+' caused 100 % of the fall of the spend of campaign 'Leads BR' from 640 to 320 " +
    "USD a day on 2026-01-31: its spend fell from 320 to 0 USD a day",
  ]);
  assertEquals(sentencesOf(nothing, { days: 2, ads: CAMPAIGN }), [
    "Campaign 'Leads BR' spent nothing in the 2 days to 2026-01-31 instead of 640 USD a day",
  ]);
  assertEquals(sentencesOf(nothing, { days: 1 }), [
    "Ad 'Video B' caused 100 % of the fall of the spend of ad set 'Women 25+' from 320 to 240 USD a " +
    "day on 2026-01-31: its spend fell from 80 to 0 USD a day",
  ]);
});

Deno.test("sentenceOf() takes leads that stop everywhere for broken tracking", () => {
  assertEquals(sentencesOf({ leads: 0 }, { ads: ALL }), [
    "No lead was counted for account 'Acme' in the 3 days to 2026-01-31 while clicks went on: the " +
    "pixel or the form may be broken",
  ]);
});

Deno.test("sentenceOf() says what tires an audience", () => {
  const cause = branchOf("ad");
  const of = (changes: Partial<Alarm>) =>
    sentenceOf({ cause, alarm: { ...ALARM, ...changes }, others: [], above: null }, "USD");
  assertEquals(
    of({}),
    "The frequency of ad 'Video B' rose from 1.2 to 2.5 in the 3 days to 2026-01-31",
  );
  assertEquals(
    of({ metric: "reach", type: "reach_saturation", windowDays: 7 }),
    "Ad 'Video B' reached hardly anybody new in the 7 days to 2026-01-31 while its impressions grew",
  );
});

Deno.test("sentenceOf() says what a cause did besides, and claims no more", () => {
  const spree = { spend: 400, impressions: 50_000, clicks: 500, leads: 20, reach: 40_000 };
  assertEquals(sentencesOf(spree, { days: 1 }), [
    "Ad 'Video B' caused 100 % of the rise of the spend of ad set 'Women 25+' from 320 to 640 USD a " +
    "day on 2026-01-31: its spend rose from 80 to 400 USD a day",
  ]);
  assertEquals(sentencesOf({ ...spree, leads: 4 }, { days: 1, ads: ADSET }), [
    "Ad set 'Women 25+' caused 100 % of the rise of the CPL of account 'Acme' from 20 to 30 USD on " +
    "2026-01-31: its conversion rate fell from 4.0 to 0.80 %, cost per click unchanged; its spend " +
    "rose from 320 to 1600 USD a day",
  ]);
});

Deno.test("sentenceOf() keeps names apart from its own words", () => {
  const nameOf = (name: string) =>
    sentencesOf({ spend: 400 }, { days: 1, ads: ALL, nameOf: () => name }).join()
      .match(/account (.*?) rose/)?.[1];
  assertEquals(nameOf("Video B"), "'Video B'");
  assertEquals(nameOf('Bob\'s "best" ad'), '"Bob\'s "best" ad"');
  assertEquals(nameOf(" two  words\n"), "'two words'");
  assertEquals(nameOf("  "), "'account'");
});

/** What happens to entities in generated accounts, as factors. */
const factor = fc.constantFrom(0, 0.1, 0.3, 0.6, 1, 1, 1, 1.5, 2, 4);
const events = fc.record({
  seed: fc.nat(1000),
  leadsPerDay: fc.constantFrom(1, 4, 15),
  isHeavyTailed: fc.boolean(),
  /** How many ads in a row it happens to. */
  size: fc.constantFrom(1, 4, 8, 32),
  days: fc.integer({ min: 1, max: 6 }),
  event: fc.record({
    spend: factor,
    cpm: factor.map((each) => each || 1),
    clicks: factor,
    leads: factor,
  }),
});

function drawOf({ seed, leadsPerDay, isHeavyTailed, size, days, event }: EventOf) {
  const scenario = {
    ...PLAIN,
    entities: 32,
    leadsPerDay,
    draw: isHeavyTailed ? heavyTailed : PLAIN.draw,
  };
  return drawAccount(
    scenario,
    seed,
    (ad, day) => day >= DAYS - days && Math.floor(ad / size) === seed % (32 / size) ? event : {},
  ).entities;
}

type EventOf = typeof events extends fc.Arbitrary<infer Value> ? Value : never;

Deno.test("sentenceOf() reads well whatever happens", () => {
  let count = 0;
  fc.assert(
    fc.property(events, (drawn) => {
      for (const { sentence } of incidentsOf(drawOf(drawn), OPTIONS)) {
        count++;
        assert(!/NaN|undefined|Infinity|null| {2}| -\d/.test(sentence), sentence);
        assert(sentence.length < 400, sentence);
        for (const [, percent] of sentence.matchAll(/([\d.]+) %/g)) {
          assert(Number(percent) >= 0 && Number(percent) <= 100, sentence);
        }
        for (
          const [, move, from, to] of sentence.matchAll(/(rose|fell) from ([\d.]+) to ([\d.]+)/g)
        ) {
          assert(move === "rose" ? Number(from) < Number(to) : Number(from) > Number(to), sentence);
        }
      }
    }),
    { numRuns: 60, seed: 1 },
  );
  assert(count > 30, `${count} sentences`);
});

Deno.test("cplFactors() gives factors that make the whole change", () => {
  fc.assert(
    fc.property(events, (drawn) => {
      const ads = drawOf(drawn);
      const learner = startProfile(sumOf(ads), OPTIONS);
      ads.forEach(learner.add);
      const profile = learner.finish();
      const window = { date: OPTIONS.asOf, windowDays: drawn.days };
      for (const ad of ads) {
        const factors = cplFactors(ad, profile, window);
        if (factors === null) continue;
        const ratioOf = (name: string) => {
          const all = factors.flatMap((each) => [each, ...each.factors]);
          const found = all.find((each) => each.factor === name);
          return (found?.observed ?? NaN) / (found?.expected ?? NaN);
        };
        const isNear = (a: number, b: number) => Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(a));
        assert(isNear(ratioOf("cpc"), ratioOf("cpm") / ratioOf("ctr")));
        assert(isNear(factors.reduce((sum, { share }) => sum + share, 0), 1));
        assert(factors.some(({ isUnchanged }) => !isUnchanged));
      }
    }),
    { numRuns: 20, seed: 1 },
  );
});
