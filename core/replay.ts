/** Judging claims of the past by what happened afterwards. */
import { pnbinom } from "lib-r-math.js";
import { daysBetween } from "./days.ts";
import type { Posterior } from "./evidence.ts";
import { type Level, LEVELS } from "./level.ts";
import { type Claim, isTrue } from "./rules/claim.ts";

/** One thing that was said on a past day. */
export type Said = {
  /** The rule that said it. */
  rule: string;
  entityType: Level;
  entityId: string;
  asOf: string;
  claim: Claim;
  /** Null for rules that have none. */
  confidence: number | null;
  /** What a CPL was compared with. */
  reference: number;
  /** What was known of it. */
  posterior: Posterior;
  /** The rates of the week before, in leads by spend and clicks by impressions; null without any. */
  weekBefore: { cpl: number | null; ctr: number | null };
  /** Whether it told to stop the entity. */
  isPause: boolean;
};

/** What an entity did in the days after something was said of it. */
export type Later = {
  spend: number;
  impressions: number;
  clicks: number;
  leads: number;
  /** The spend and the leads of its siblings. */
  siblings: { spend: number; leads: number };
};

/** How a claim turned out. */
export type Outcome = {
  isTrue: boolean;
  /**
   * How likely that outcome was, if all that was believed is right. It differs from the confidence,
   * because a few days' leads are not the truth: an entity that truly costs 0.6 may well seem to cost
   * 0.8 in two weeks.
   */
  expected: number;
};

/** How many days after something was said are looked at to judge it. */
export const LATER_DAYS = 14;

/** Leads that the reference promises of the spend: below it there is nothing to judge by. */
const LEAST_EXPECTED_LEADS = 3;

/**
 * Judges a claim by what happened afterwards, null where too little did.
 *
 * @param truth The true value of what the claim is about, where it is known.
 */
export function judge(said: Said, later: Later | undefined, truth?: number | null): Outcome | null {
  const { claim, confidence, reference, posterior, weekBefore } = said;
  if (truth !== undefined) {
    return truth === null ? null : { isTrue: isTrue(claim, truth), expected: confidence ?? NaN };
  }
  if (later === undefined || later.spend < LEAST_EXPECTED_LEADS * reference) return null;
  const cpl = later.leads > 0 ? later.spend / later.leads : Infinity;
  switch (claim.about) {
    case "cpl_ratio":
      return against(reference, later);
    case "cpl_by_siblings": {
      const { spend, leads } = later.siblings;
      return leads > 0 ? against(spend / leads, later) : null;
    }
    case "cpl_change":
      return weekBefore.cpl === null ? null : afterChange(cpl * weekBefore.cpl);
    case "ctr_change":
      return weekBefore.ctr === null || later.impressions === 0
        ? null
        : afterChange(later.clicks / later.impressions / weekBefore.ctr);
  }

  function against(unit: number, { spend }: Later): Outcome {
    // Leads to come, given the Gamma posterior of their rate, are negative binomial.
    const atLeast = (leads: number) =>
      pnbinom(
        Math.ceil(leads) - 1,
        posterior.alpha,
        posterior.beta / (posterior.beta + spend),
        undefined,
        false,
      );
    const { at_least = 0, at_most = Infinity } = claim;
    const cheapEnough = at_most === Infinity ? 1 : atLeast(spend / (at_most * unit));
    const tooCheap = at_least === 0 ? 0 : atLeast(Math.floor(spend / (at_least * unit)) + 1);
    return { isTrue: isTrue(claim, cpl / unit), expected: Math.max(cheapEnough - tooCheap, 0) };
  }

  function afterChange(factor: number): Outcome {
    return { isTrue: isTrue(claim, 100 * (factor - 1)), expected: confidence ?? NaN };
  }
}

/** How claims of one kind turned out. */
export type Score = {
  said: number;
  judged: number;
  /** Of those judged, the share that was true, and the share that was to be expected. */
  trueShare: number | null;
  expectedShare: number | null;
  meanConfidence: number | null;
};

/** What stopping would have done over the days that are looked at. */
export type PauseScore = {
  /** Entities, each once for the days that are looked at. */
  pauses: number;
  /** What was spent afterwards, and the leads that it brought. */
  moneySaved: number;
  leadsLost: number;
  /** The leads that the money buys at the reference. */
  leadsElsewhere: number;
};

/** What became of everything that was said. */
export type ReplayReport = {
  byRule: (Score & { rule: string; entityType: Level; claim: Claim })[];
  /** Of all rules that have a confidence. */
  byConfidence: (Score & { from: number; to: number })[];
  pauses: (PauseScore & { rule: string; entityType: Level })[];
};

/** The bands of confidence that are told apart. */
export const BANDS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1] as const;

/** One thing that was said, with how it turned out. */
export type Judged = { said: Said; outcome: Outcome | null; later: Later | undefined };

/** Sums up outcomes by rule and level, and by confidence. */
export function reportOf(all: readonly Judged[]): ReplayReport {
  // Rules of thumb, which have no confidence, come last.
  const place = ({ rule, entityType, confidence }: Said) =>
    `${confidence === null ? 1 : 0} ${LEVELS.indexOf(entityType)} ${rule}`;
  const groups = [...Map.groupBy(all, ({ said }) => place(said))]
    .toSorted(([a], [b]) => a < b ? -1 : 1)
    .map(([, group]) => group);
  const told = <Sums>(group: readonly Judged[], sums: (group: readonly Judged[]) => Sums) =>
    group.slice(0, 1).map(({ said: { rule, entityType } }) => ({
      rule,
      entityType,
      ...sums(group),
    }));
  return {
    byRule: groups.flatMap((group) =>
      group.slice(0, 1).flatMap(({ said: { claim } }) =>
        told(group, (all) => ({ claim, ...scoreOf(all) }))
      )
    ),
    byConfidence: BANDS.slice(0, -1).map((from, index) => {
      const to = BANDS[index + 1] ?? 1;
      const isIn = ({ said: { confidence } }: Judged) =>
        confidence !== null && confidence >= from && (confidence < to || to === 1);
      return { from, to, ...scoreOf(all.filter(isIn)) };
    }),
    pauses: groups.flatMap((group) => told(group.filter(({ said }) => said.isPause), pauseScoreOf)),
  };
}

function scoreOf(group: readonly Judged[]): Score {
  const outcomes = group.flatMap(({ outcome }) => outcome ?? []);
  const confidences = group.flatMap(({ said }) => said.confidence ?? []);
  const expected = outcomes.map((outcome) => outcome.expected).filter(Number.isFinite);
  return {
    said: group.length,
    judged: outcomes.length,
    trueShare: meanOf(outcomes.map((outcome) => Number(outcome.isTrue))),
    expectedShare: meanOf(expected),
    meanConfidence: meanOf(confidences),
  };
}

function pauseScoreOf(all: readonly Judged[]): PauseScore {
  // What is stopped stays so: said again within those days, it would count twice.
  const lastOf = new Map<string, string>();
  const group = all.toSorted((a, b) => a.said.asOf < b.said.asOf ? -1 : 1).filter(({ said }) => {
    const last = lastOf.get(said.entityId);
    if (last !== undefined && daysBetween(last, said.asOf) < LATER_DAYS) return false;
    lastOf.set(said.entityId, said.asOf);
    return true;
  });
  const total = (value: (later: Later, reference: number) => number) =>
    group.reduce((sum, { said, later }) => sum + (later ? value(later, said.reference) : 0), 0);
  return {
    pauses: group.length,
    moneySaved: total(({ spend }) => spend),
    leadsLost: total(({ leads }) => leads),
    leadsElsewhere: total(({ spend }, reference) => spend / reference),
  };
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
