/** How far recommendations can be trusted on simulated accounts, beside an oracle and the raw rules. */
import { LEVELS } from "../core/level.ts";
import { BANDS } from "../core/replay.ts";
import type { Beliefs } from "../core/rules/beliefs.ts";
import { isTrue, type Quantity } from "../core/rules/claim.ts";
import { type Advice, createEngine } from "../core/rules/engine.ts";
import { readAccountSettings } from "../core/rules/settings.ts";
import type { Sql } from "../db/connect.ts";
import { type KnownSubject, readFacts } from "../jobs/recommendations.ts";
import { drawPosterior } from "./oracle.ts";
import {
  ORDINARY,
  type Scenario,
  simulateAccount,
  type SimulatedAccount,
  storeAccount,
  TYPICAL_CPL,
} from "./simulation.ts";
import type { Hits } from "./tier_accuracy.ts";

const AS_OF = "2025-12-30";
const NOW = new Date("2025-12-31T07:00:00Z");
/** Draws of the oracle: its probabilities are known to 1.5 points. */
const DRAWS = 1000;

/** Who decides, by the same rules. */
export const MINDS = ["adstrata", "oracle", "unguarded", "raw"] as const;

/** One of them. */
export type Mind = typeof MINDS[number];

/** What the unguarded oracle does without: it pauses whatever the table pauses. */
const NO_BAR_ON_PAUSES = { pause_best_probability: 1 - 1e-9, pause_ratio_probability: 1e-9 };

/** The types that are compared with the oracle's. */
export const FOUND_TYPES = ["PAUSE", "CREATIVE_WINNER", "SCALE_UP"] as const;

/** Accounts whose siblings do not differ, differ little and differ much, with few leads and more. */
export const ADVICE_SCENARIOS: Scenario[] = [0, 0.2, 0.6].flatMap((adDeviation) =>
  [2, 5, 10].map((medianLeadsPerWeek) => ({
    ...ORDINARY,
    name: `siblings ${adDeviation}, ${medianLeadsPerWeek} leads a week`,
    adDeviation,
    medianLeadsPerWeek,
  }))
);

/** Accounts in which creatives tire, without and with days that differ by more than chance. */
export const TREND_SCENARIOS: Scenario[] = [0, 0.5].flatMap((dailyVariance) =>
  [0, 0.05, 0.2].map((tiredShare) => ({
    ...ORDINARY,
    name: `${100 * tiredShare} % tired` + (dailyVariance > 0 ? ", days differ" : ""),
    medianLeadsPerWeek: 20,
    dailyVariance,
    // Reach is told only where something may tire.
    tiredShare: Math.max(tiredShare, 1e-9),
  }))
);

/** What is asked of it. */
export const ASKED_OF_ADVICE = {
  pausedNearReference: { low: 0, high: 0.05 },
  pausedBest: { low: 0, high: 0.01 },
  winners: { low: 0.8, high: 1 },
  crownedAmongEquals: { low: 0, high: 0.02 },
  scaled: { low: 0.85, high: 1 },
  found: { low: 0.85, high: 1 },
  /** How far the share of true claims may lie from their mean confidence, from 100 claims on. */
  calibration: 0.07,
} as const;

/** What was counted of the advice of one mind. */
export type AdviceAccuracy = {
  /** Pauses whose true CPL is below 1.2 x the reference. */
  pausedNearReference: Hits;
  /** Pauses of what is truly the best of its siblings. */
  pausedBest: Hits;
  /** Winners that truly cost at most 0.85 x their siblings. */
  winners: Hits;
  /** Ad sets with a winner. */
  crowned: Hits;
  /** What is to be scaled and truly costs less than the reference. */
  scaled: Hits;
  /** Of the oracle's advice, what this mind gives too. */
  found: Record<typeof FOUND_TYPES[number], Hits>;
  /** True claims, by band of confidence, with the sum of the confidences. */
  bands: (Hits & { confidence: number })[];
};

/** What was counted of claims about changes. */
export type TrendAccuracy = {
  /** True ones, by what they are about, with the sum of the confidences. */
  claims: Record<"ctr_change" | "cpl_change", Hits & { confidence: number }>;
  /** The ads that have tired by so much that the table would see it, and those that were found. */
  found: Hits;
};

/** Draws accounts as `measureAdvice` does, and judges what is said of changes. */
export async function measureTrends(
  sql: Sql,
  scenario: Scenario,
  { seeds, firstConfigId }: { seeds: number; firstConfigId: number },
): Promise<TrendAccuracy> {
  const none = () => ({ hits: 0, of: 0, confidence: 0 });
  const total: TrendAccuracy = {
    claims: { ctr_change: none(), cpl_change: none() },
    found: { hits: 0, of: 0 },
  };
  const engine = createEngine(readAccountSettings({}), "USD");
  for (let configId = firstConfigId; configId < firstConfigId + seeds; configId++) {
    const account = simulateAccount(scenario, 7000 + configId, AS_OF);
    await storeAccount(sql, configId, account);
    const found = new Set<string>();
    for (const entityType of LEVELS) {
      for (const { facts } of await readLevel(sql, configId, entityType)) {
        const change = account.changes[entityType].get(facts.entityId);
        for (const { claim, probability } of engine.allow(facts)) {
          if (claim.about !== "ctr_change" && claim.about !== "cpl_change") continue;
          const truth = claim.about === "ctr_change" ? change?.ctr : change?.cpl;
          const claims = total.claims[claim.about];
          claims.of += 1;
          claims.hits += Number(isTrue(claim, truth ?? 0));
          claims.confidence += probability;
          if (account.tired.has(facts.entityId)) found.add(facts.entityId);
        }
      }
    }
    total.found.hits += found.size;
    total.found.of += account.tired.size;
  }
  return total;
}

/** One recommendation with the truth about it. */
type JudgedAdvice = {
  /** Who it is about. */
  key: string;
  adset: string;
  type: string;
  confidence: number;
  /** Null where the truth is not known. */
  isTrue: boolean | null;
  trueRatio: number;
  trueBySiblings: number | null;
  isBest: boolean;
};

/** Draws an account per seed, stores it and compares the advice of all minds with the truth. */
export async function measureAdvice(
  sql: Sql,
  scenario: Scenario,
  { seeds, firstConfigId }: { seeds: number; firstConfigId: number },
): Promise<Record<Mind, AdviceAccuracy>> {
  const parts: Record<Mind, AdviceAccuracy>[] = [];
  for (let configId = firstConfigId; configId < firstConfigId + seeds; configId++) {
    parts.push(await measureAccount(sql, scenario, configId));
  }
  return poolAdvice(parts);
}

/** Adds up what was counted in several accounts. */
export function poolAdvice(
  parts: Record<Mind, AdviceAccuracy>[],
): Record<Mind, AdviceAccuracy> {
  const pool = (mind: Mind): AdviceAccuracy => {
    const sum = (read: (accuracy: AdviceAccuracy) => Hits) =>
      parts.map((part) => read(part[mind])).reduce(
        (total, { hits, of }) => ({ hits: total.hits + hits, of: total.of + of }),
        { hits: 0, of: 0 },
      );
    return {
      pausedNearReference: sum((each) => each.pausedNearReference),
      pausedBest: sum((each) => each.pausedBest),
      winners: sum((each) => each.winners),
      crowned: sum((each) => each.crowned),
      scaled: sum((each) => each.scaled),
      found: {
        PAUSE: sum((each) => each.found.PAUSE),
        CREATIVE_WINNER: sum((each) => each.found.CREATIVE_WINNER),
        SCALE_UP: sum((each) => each.found.SCALE_UP),
      },
      bands: BANDS.slice(0, -1).map((_, band) => ({
        ...sum((each) => each.bands[band] ?? { hits: 0, of: 0 }),
        confidence: parts.reduce(
          (total, part) => total + (part[mind].bands[band]?.confidence ?? 0),
          0,
        ),
      })),
    };
  };
  return eachMind(pool);
}

function eachMind<Value>(make: (mind: Mind) => Value): Record<Mind, Value> {
  return {
    adstrata: make("adstrata"),
    oracle: make("oracle"),
    unguarded: make("unguarded"),
    raw: make("raw"),
  };
}

async function measureAccount(
  sql: Sql,
  scenario: Scenario,
  configId: number,
): Promise<Record<Mind, AdviceAccuracy>> {
  const account = simulateAccount(scenario, 5000 + configId, AS_OF);
  await storeAccount(sql, configId, account);
  const draws = drawsOf(account, scenario, String(configId));
  const guarded = createEngine(readAccountSettings({}), "USD");
  const unguarded = createEngine(readAccountSettings({ guardrails: NO_BAR_ON_PAUSES }), "USD");
  const judged = eachMind((): JudgedAdvice[] => []);
  for (const entityType of LEVELS) {
    const known = await readLevel(sql, configId, entityType);
    for (const family of Map.groupBy(known, ({ facts }) => facts.parentId).values()) {
      for (const own of family) {
        const others = family.filter((each) => each !== own && each.subject.spend_7d > 0);
        const oracle = oracleBeliefs(own, others, draws[entityType]);
        const minds: Record<Mind, Beliefs> = {
          adstrata: own.facts.beliefs,
          oracle,
          unguarded: oracle,
          raw: rawBeliefs(own, others),
        };
        for (const mind of MINDS) {
          const beliefs = minds[mind];
          // As if it had been so for long: the days before are not simulated.
          const daysUnderperforming = beliefs.ratio() > 1.5 ? 7 : 0;
          const engine = mind === "unguarded" ? unguarded : guarded;
          const { advice } = engine.decide({
            facts: { ...own.facts, beliefs, daysUnderperforming },
            posterior: own.subject,
            asOf: AS_OF,
            past: [],
            at: NOW,
          });
          judged[mind].push(
            ...advice.map((each) => judgeAdvice(each, own, others, account)),
          );
        }
      }
    }
  }
  const adsets = account.truth.adset.size;
  return eachMind((mind) => accuracyOf(judged[mind], judged.oracle, adsets));
}

async function readLevel(
  sql: Sql,
  configId: number,
  entityType: typeof LEVELS[number],
): Promise<KnownSubject[]> {
  return await sql.begin(async (transaction) => {
    const level = { configId, entityType, asOf: AS_OF, at: NOW };
    return await Array.fromAsync(readFacts(transaction, transaction, level));
  });
}

function judgeAdvice(
  { type, reasoning }: Advice,
  own: KnownSubject,
  others: KnownSubject[],
  { truth: truths, changes }: SimulatedAccount,
): JudgedAdvice {
  const truth = truths[own.facts.entityType];
  const change = changes[own.facts.entityType].get(own.subject.entity_id);
  const cplOf = ({ subject }: KnownSubject) => truth.get(subject.entity_id) ?? NaN;
  const spend = sumOf(others, ({ subject }) => subject.spend_7d);
  const leads = sumOf(others, (each) => each.subject.spend_7d / cplOf(each));
  const trueRatio = cplOf(own) / own.facts.account.reference;
  const trueBySiblings = others.length > 0 ? cplOf(own) / (spend / leads) : null;
  const { claim, probability } = reasoning;
  const values: Record<Quantity, number | null> = {
    cpl_ratio: trueRatio,
    cpl_by_siblings: trueBySiblings,
    cpl_change: change?.cpl ?? null,
    ctr_change: change?.ctr ?? null,
  };
  const value = values[claim.about];
  return {
    key: `${own.facts.entityType} ${own.facts.entityId}`,
    adset: own.facts.parentId ?? "",
    type,
    confidence: probability,
    isTrue: value === null ? null : isTrue(claim, value),
    trueRatio,
    trueBySiblings,
    isBest: others.length > 0 && others.every((each) => cplOf(each) > cplOf(own)),
  };
}

function accuracyOf(
  own: JudgedAdvice[],
  oracle: JudgedAdvice[],
  adsets: number,
): AdviceAccuracy {
  const ofType = (type: string, all = own) => all.filter((each) => each.type === type);
  const share = (all: JudgedAdvice[], holds: (each: JudgedAdvice) => boolean): Hits => ({
    hits: all.filter(holds).length,
    of: all.length,
  });
  const found = (type: string) => {
    const keys = new Set(ofType(type).map(({ key }) => key));
    return share(ofType(type, oracle), ({ key }) => keys.has(key));
  };
  const winners = ofType("CREATIVE_WINNER");
  return {
    pausedNearReference: share(ofType("PAUSE"), ({ trueRatio }) => trueRatio < 1.2),
    pausedBest: share(ofType("PAUSE"), ({ isBest }) => isBest),
    winners: share(winners, ({ trueBySiblings }) => (trueBySiblings ?? Infinity) <= 0.85),
    crowned: { hits: new Set(winners.map(({ adset }) => adset)).size, of: adsets },
    scaled: share(ofType("SCALE_UP"), ({ trueRatio }) => trueRatio < 1),
    found: {
      PAUSE: found("PAUSE"),
      CREATIVE_WINNER: found("CREATIVE_WINNER"),
      SCALE_UP: found("SCALE_UP"),
    },
    bands: BANDS.slice(0, -1).map((from, index) => {
      const to = BANDS[index + 1] ?? 1;
      const claims = own.filter((each) =>
        each.isTrue !== null && each.confidence >= from && (each.confidence < to || to === 1)
      );
      return {
        ...share(claims, (each) => each.isTrue === true),
        confidence: sumOf(claims, ({ confidence }) => confidence),
      };
    }),
  };
}

/** The oracle's draws of the true CPL of every entity. A parent's is that of its mix. */
function drawsOf({ rows }: SimulatedAccount, scenario: Scenario, seed: string) {
  const ads = [...Map.groupBy(rows, ({ ad_id }) => ad_id).values()].flatMap((days) =>
    days.slice(0, 1).map(({ ad_id, adset_id, campaign_id }) => ({
      ad_id,
      adset_id,
      campaign_id,
      spend: sumOf(days, ({ spend }) => spend),
      leads: sumOf(days, ({ leads }) => leads),
    }))
  );
  const ofAds = drawPosterior(ads, { typicalCpl: TYPICAL_CPL, ...scenario }, DRAWS, seed);
  const mixes = (parentOf: (ad: (typeof ads)[number]) => string) =>
    new Map(
      [...Map.groupBy(ads, parentOf)].map(([id, members]) => {
        const spend = sumOf(members, (each) => each.spend);
        const draw = (_: unknown, draw: number) =>
          spend / sumOf(members, (each) => each.spend / (ofAds.get(each.ad_id)?.[draw] ?? NaN));
        return [id, Float64Array.from({ length: DRAWS }, draw)];
      }),
    );
  return {
    ad: ofAds,
    adset: mixes(({ adset_id }) => adset_id),
    campaign: mixes(({ campaign_id }) => campaign_id),
  };
}

/** Shares of the draws in place of posteriors. Of changes it believes what is true: there are none. */
function oracleBeliefs(
  own: KnownSubject,
  others: KnownSubject[],
  draws: Map<string, Float64Array>,
): Beliefs {
  const drawsOf = ({ subject }: KnownSubject) => draws.get(subject.entity_id) ?? new Float64Array();
  const mine = drawsOf(own);
  const theirs = others.map((each) => ({ spend: each.subject.spend_7d, cpls: drawsOf(each) }));
  const spend = sumOf(theirs, (each) => each.spend);
  const siblings = mine.map((_, draw) =>
    spend / sumOf(theirs, (each) => each.spend / (each.cpls[draw] ?? NaN))
  );
  const { reference } = own.facts.account;
  const quantities: Record<Quantity, Float64Array | null> = {
    cpl_ratio: mine.map((cpl) => cpl / reference),
    cpl_by_siblings: others.length > 0
      ? mine.map((cpl, draw) => cpl / (siblings[draw] ?? NaN))
      : null,
    cpl_change: null,
    ctr_change: null,
  };
  const shareOf = (about: Quantity, holds: (value: number) => boolean) => {
    const values = quantities[about];
    return values && values.filter(holds).length / values.length;
  };
  const sorted = mine.toSorted();
  const quantile = (p: number) => sorted[Math.floor(p * sorted.length)] ?? NaN;
  return {
    ...own.facts.beliefs,
    atMost: (about, bound) => shareOf(about, (value) => value <= bound),
    atLeast: (about, bound) => shareOf(about, (value) => value >= bound),
    ratio: () => quantile(0.5) / reference,
    cpl: () => ({ low: quantile(0.1), median: quantile(0.5), high: quantile(0.9) }),
    isBest: () =>
      mine.filter((cpl, draw) => theirs.every(({ cpls }) => (cpls[draw] ?? 0) >= cpl)).length /
      mine.length,
    // Who knows the distribution is not fooled by picking one of many.
    chanceAmongEquals: () => 0,
  };
}

/** Raw ratios of 7 days in place of probabilities: what is so is certain. */
function rawBeliefs(own: KnownSubject, others: KnownSubject[]): Beliefs {
  const { spend_7d: spend, leads_7d: leads } = own.subject;
  const cpl = spend / leads;
  const siblings = sumOf(others, ({ subject }) => subject.spend_7d) /
    sumOf(others, ({ subject }) => subject.leads_7d);
  const quantities: Record<Quantity, number | null> = {
    cpl_ratio: cpl / own.facts.account.reference,
    cpl_by_siblings: others.length > 0 ? cpl / siblings : null,
    cpl_change: own.facts.features.cpl_trend,
    ctr_change: own.facts.features.ctr_trend,
  };
  const compare = (about: Quantity, holds: (value: number) => boolean) => {
    const value = quantities[about];
    return value === null ? null : Number(holds(value));
  };
  return {
    ...own.facts.beliefs,
    atMost: (about, bound) => compare(about, (value) => value <= bound),
    atLeast: (about, bound) => compare(about, (value) => value >= bound),
    ratio: () => cpl / own.facts.account.reference,
    cpl: () => ({ low: cpl, median: cpl, high: cpl }),
    isBest: () => 0,
    chanceAmongEquals: () => 0,
    rateAtMost: () => 1,
  };
}

function sumOf<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
