/** How far recommendations can be trusted on simulated accounts, beside an oracle and the raw rules. */
import type { Level } from "../core/level.ts";
import { LEVELS } from "../core/level.ts";
import type { Beliefs } from "../core/rules/beliefs.ts";
import { isTrue } from "../core/rules/claim.ts";
import { type Advice, createEngine } from "../core/rules/engine.ts";
import type { Facts } from "../core/rules/facts.ts";
import { readAccountSettings } from "../core/rules/settings.ts";
import type { Sql } from "../db/connect.ts";
import { storeFeatures } from "../db/classification_job.ts";
import type { Subject } from "../db/recommendation_job.ts";
import { readFacts } from "../jobs/recommendations.ts";
import { drawPosterior } from "./oracle.ts";
import {
  type Scenario,
  simulateAccount,
  type SimulatedAccount,
  storeAccount,
} from "./simulation.ts";

const AS_OF = "2025-12-30";
const DRAWS = 1000;

/** Who decides. */
export const MINDS = ["adstrata", "oracle", "raw"] as const;
export type Mind = typeof MINDS[number];

/** One recommendation with the truth about it. */
export type Judged = {
  level: Level;
  key: string;
  type: string;
  rule: string;
  confidence: number;
  claimIsTrue: boolean | null;
  trueRatio: number;
  trueBySiblings: number | null;
  isBest: boolean;
};

type Known = { facts: Facts; subject: Subject };

export async function judgeAccount(
  sql: Sql,
  scenario: Scenario,
  configId: number,
): Promise<{ judged: Record<Mind, Judged[]>; adsets: number }> {
  const account = simulateAccount(scenario, 5000 + configId, AS_OF);
  await storeAccount(sql, configId, account);
  const settings = readAccountSettings({});
  const engine = createEngine(settings, "USD");
  const judged: Record<Mind, Judged[]> = { adstrata: [], oracle: [], raw: [] };
  const at = new Date(`${AS_OF}T12:00:00Z`);
  const draws = drawsOf(account, scenario, String(configId));
  for (const entityType of LEVELS) {
    const known: Known[] = [];
    await sql.begin(async (transaction) => {
      await storeFeatures(transaction, configId, entityType, AS_OF, at);
      for await (const each of readFacts(transaction, { configId, entityType, asOf: AS_OF, at })) {
        known.push(each);
      }
    });
    const families = Map.groupBy(known, ({ facts }) => facts.parentId);
    const truth = account.truth[entityType];
    for (const family of families.values()) {
      for (const own of family) {
        const others = family.filter((each) =>
          each !== own && (each.facts.features.spend_7d ?? 0) > 0
        );
        for (const mind of MINDS) {
          const beliefs = mind === "adstrata"
            ? own.facts.beliefs
            : mind === "raw"
            ? rawBeliefs(own, others)
            : oracleBeliefs(own, others, draws[entityType]);
          const facts = {
            ...own.facts,
            beliefs,
            daysUnderperforming: beliefs.ratio() > 1.5 ? 7 : 0,
          };
          const { advice } = engine.decide({
            facts,
            posterior: own.subject,
            asOf: AS_OF,
            past: [],
            at,
          });
          for (const each of advice) judged[mind].push(judge(each, own, others, truth, configId));
        }
      }
    }
  }
  return { judged, adsets: account.truth.adset.size };
}

function judge(
  { type, reasoning }: Advice,
  own: Known,
  others: Known[],
  truth: Map<string, number>,
  configId: number,
): Judged {
  const cplOf = ({ facts }: Known) => truth.get(facts.entityId) ?? NaN;
  const spendOf = ({ facts }: Known) => facts.features.spend_7d ?? 0;
  const spend = others.reduce((sum, each) => sum + spendOf(each), 0);
  const leads = others.reduce((sum, each) => sum + spendOf(each) / cplOf(each), 0);
  const trueBySiblings = others.length > 0 ? cplOf(own) / (spend / leads) : null;
  const trueRatio = cplOf(own) / own.facts.account.reference;
  const { claim } = reasoning;
  const value = claim.about === "cpl_ratio"
    ? trueRatio
    : claim.about === "cpl_by_siblings"
    ? trueBySiblings
    : null;
  return {
    level: own.facts.entityType,
    key: `${configId} ${own.facts.entityType} ${own.facts.entityId}`,
    type,
    rule: reasoning.rule,
    confidence: reasoning.probability,
    claimIsTrue: value === null ? null : isTrue(claim, value),
    trueRatio,
    trueBySiblings,
    isBest: others.length > 0 && others.every((each) => cplOf(each) > cplOf(own)),
  };
}

function drawsOf(account: SimulatedAccount, scenario: Scenario, seed: string) {
  const ads = [...Map.groupBy(account.rows, ({ ad_id }) => ad_id).values()].flatMap((rows) => {
    const [first] = rows;
    if (!first) return [];
    const { ad_id, adset_id, campaign_id } = first;
    const sum = (name: "spend" | "leads") => rows.reduce((total, row) => total + row[name], 0);
    return [{ ad_id, adset_id, campaign_id, spend: sum("spend"), leads: sum("leads") }];
  });
  const ofAds = drawPosterior(ads, { typicalCpl: 20, ...scenario }, DRAWS, seed);
  const mixes = (key: (ad: (typeof ads)[number]) => string) =>
    new Map([...Map.groupBy(ads, key)].map(([id, members]) => {
      const mix = Float64Array.from({ length: DRAWS }, (_, draw) => {
        const spend = members.reduce((sum, each) => sum + each.spend, 0);
        const leads = members.reduce(
          (sum, each) => sum + each.spend / (ofAds.get(each.ad_id)?.[draw] ?? NaN),
          0,
        );
        return spend / leads;
      });
      return [id, mix];
    }));
  return {
    ad: ofAds,
    adset: mixes(({ adset_id }) => adset_id),
    campaign: mixes(({ campaign_id }) => campaign_id),
  };
}

function oracleBeliefs(
  own: Known,
  others: Known[],
  draws: Map<string, Float64Array>,
): Beliefs {
  const mine = draws.get(own.facts.entityId) ?? new Float64Array();
  const theirs = others.map(({ facts }) => ({
    spend: facts.features.spend_7d ?? 0,
    cpls: draws.get(facts.entityId) ?? new Float64Array(),
  }));
  const spend = theirs.reduce((sum, each) => sum + each.spend, 0);
  const siblings = mine.map((_, draw) =>
    spend / theirs.reduce((sum, each) => sum + each.spend / (each.cpls[draw] ?? NaN), 0)
  );
  const { reference } = own.facts.account;
  const share = (holds: (cpl: number, draw: number) => boolean) =>
    mine.filter(holds).length / mine.length;
  const sorted = mine.toSorted();
  const at = (p: number) => sorted[Math.floor(p * sorted.length)] ?? 0;
  return {
    ...own.facts.beliefs,
    atMost: (about, value) =>
      about === "cpl_ratio"
        ? share((cpl) => cpl <= value * reference)
        : about === "cpl_by_siblings"
        ? theirs.length > 0 ? share((cpl, draw) => cpl <= value * (siblings[draw] ?? 0)) : null
        : null,
    atLeast: (about, value) =>
      about === "cpl_ratio"
        ? share((cpl) => cpl >= value * reference)
        : about === "cpl_by_siblings"
        ? theirs.length > 0 ? share((cpl, draw) => cpl >= value * (siblings[draw] ?? 0)) : null
        : null,
    ratio: () => at(0.5) / reference,
    cpl: () => ({ low: at(0.1), median: at(0.5), high: at(0.9) }),
    isBest: () => share((cpl, draw) => theirs.every(({ cpls }) => (cpls[draw] ?? 0) >= cpl)),
    chanceAmongEquals: () => 0,
  };
}

/** The table of rules with raw ratios of 7 days in place of probabilities. */
function rawBeliefs(own: Known, others: Known[]): Beliefs {
  const sum = (name: "spend_7d" | "leads_7d") =>
    others.reduce((total, { subject }) => total + subject[name], 0);
  const cpl = own.subject.spend_7d / own.subject.leads_7d;
  const ratio = cpl / own.facts.account.reference;
  const bySiblings = cpl / (sum("spend_7d") / sum("leads_7d"));
  const value = (about: string) =>
    about === "cpl_ratio"
      ? ratio
      : about === "cpl_by_siblings" && others.length > 0
      ? bySiblings
      : about === "cpl_change"
      ? own.facts.features.cpl_trend
      : own.facts.features.ctr_trend;
  return {
    ...own.facts.beliefs,
    atMost: (about, bound) => {
      const raw = value(about);
      return raw === null ? null : Number(raw <= bound);
    },
    atLeast: (about, bound) => {
      const raw = value(about);
      return raw === null ? null : Number(raw >= bound);
    },
    ratio: () => ratio,
    cpl: () => ({ low: cpl, median: cpl, high: cpl }),
    isBest: () => 0,
    chanceAmongEquals: () => 0,
    rateAtMost: () => 1,
  };
}
