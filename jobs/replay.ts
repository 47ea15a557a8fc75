/** Walks through past days as if each were today, and sees how what was said turned out. */
import { addDays, daysBetween } from "../core/days.ts";
import { type Level, LEVELS } from "../core/level.ts";
import {
  judge,
  type Judged,
  type Later,
  LATER_DAYS,
  type ReplayReport,
  reportOf,
  type Said,
} from "../core/replay.ts";
import { createEngine, type Past } from "../core/rules/engine.ts";
import type { Facts } from "../core/rules/facts.ts";
import type { AccountSettings } from "../core/rules/settings.ts";
import { decideTier } from "../core/tiers.ts";
import { getAccount } from "../db/accounts.ts";
import type { Sql, Transaction } from "../db/connect.ts";
import { entityTotals, type Totals } from "../db/entities.ts";
import { inTransaction } from "../db/transaction.ts";
import { readFacts } from "./recommendations.ts";

/** With fewer of them, nothing is judged. */
const LEAST_LATER_DAYS = 7;
/** What delivered in so many days counts as running: past statuses are not known. */
const RUNNING_DAYS = 3;

const DAY_MS = 86_400_000;

/** The rules of thumb that people use, on the same facts. */
const FOLK_RULES = [
  {
    rule: "folk: pause at 2 x target spend without a lead",
    isPause: true,
    days: 3,
    claim: { about: "cpl_ratio", at_least: 1 },
    fires: ({ features, account }: Facts) =>
      features.leads_7d === 0 && (features.spend_7d ?? 0) >= 2 * account.reference,
  },
  {
    rule: "folk: scale when CPL is 30 % under average for 3 days",
    isPause: false,
    days: 7,
    claim: { about: "cpl_ratio", at_most: 1 },
    fires: ({ account }: Facts, { spend, leads }: Totals) =>
      leads > 0 && spend / leads <= 0.7 * account.reference,
  },
] as const;

/** What to walk through. */
export type ReplayRequest = {
  configId: number;
  /** The first and the last day that is taken for today. */
  from: string;
  to: string;
  settings: AccountSettings;
  /** The true value of what a claim is about, null where it has none; on accounts that know it. */
  truthOf?: (said: Said) => number | null;
  /** Told before each day. */
  onDay?: (day: string) => void;
};

/** What is remembered of an entity from one day to the next. */
type Memory = { past: Past[]; underperformingSince: string | null; folkUntil: Map<string, string> };

/**
 * Replays days. It stores nothing: what it needs to store for a day is rolled back.
 *
 * Statuses and budgets are those of today, because no history of them is kept; what delivered in the
 * 3 days to the day counts as running. Insights are as they are by now, restated or not.
 *
 * @throws {Refusal} `not_found` if there is no such account.
 */
export async function replay(
  sql: Sql,
  { configId, from, to, settings, truthOf, onDay }: ReplayRequest,
): Promise<ReplayReport> {
  const { currency } = await getAccount(sql, configId);
  const engine = createEngine(settings, currency);
  const memories = new Map<string, Memory>();
  const all: Said[] = [];
  for (let index = 0; index <= daysBetween(from, to); index++) {
    const asOf = addDays(from, index);
    onDay?.(asOf);
    for (const entityType of LEVELS) {
      await rolledBack(sql, async (transaction) => {
        all.push(...await sayOf(transaction, entityType, asOf));
      });
    }
  }
  return reportOf(truthOf ? all.map((said) => known(said, truthOf)) : await judged(sql, all));

  /** What is said of a level on a day. */
  async function sayOf(transaction: Transaction, entityType: Level, asOf: string): Promise<Said[]> {
    const at = new Date(Date.parse(`${asOf}T00:00:00Z`) + 1.25 * DAY_MS);
    const lately = await entityTotals(transaction, configId, entityType, {
      from: addDays(asOf, 1 - RUNNING_DAYS),
      to: asOf,
    });
    const running = new Set([...lately.values()].map(({ parent_id }) => parent_id));
    const said: Said[] = [];
    const level = { configId, entityType, asOf, at };
    for await (const { facts: today, subject } of readFacts(transaction, transaction, level)) {
      const key = `${entityType} ${today.entityId}`;
      const memory = memories.get(key) ??
        { past: [], underperformingSince: null, folkUntil: new Map() };
      memories.set(key, memory);
      const { tier } = decideTier(subject, today.account.reference);
      memory.underperformingSince = tier === "UNDERPERFORMER"
        ? memory.underperformingSince ?? asOf
        : null;
      const totals = lately.get(today.entityId);
      const facts: Facts = {
        ...today,
        isActive: (totals?.spend ?? 0) > 0,
        parentIsActive: today.parentId === null || running.has(today.parentId),
        isLearning: false,
        isBelowPause: false,
        daysUnderperforming: memory.underperformingSince === null
          ? 0
          : daysBetween(memory.underperformingSince, asOf) + 1,
      };
      const { advice, superseded } = engine.decide({
        facts,
        posterior: subject,
        asOf,
        past: memory.past,
        at,
      });
      memory.past = memory.past.filter(({ id, expires_at }) =>
        expires_at > at && !superseded.includes(id)
      );
      const common = {
        entityType,
        entityId: facts.entityId,
        asOf,
        reference: facts.account.reference,
        posterior: { alpha: subject.alpha, beta: subject.beta },
        weekBefore: {
          cpl: ratio(subject.leads_7d_before, subject.spend_7d_before),
          ctr: ratio(subject.clicks_7d_before, subject.impressions_7d_before),
        },
      };
      for (const { type, priority, expiresAfterDays, reasoning } of advice) {
        const { rule, claim, probability, suggestion } = reasoning;
        memory.past.push({
          id: all.length + said.length,
          recommendation_type: type,
          reason_code: rule,
          status: "active",
          priority,
          confidence_score: probability,
          as_of: asOf,
          expires_at: new Date(at.getTime() + expiresAfterDays * DAY_MS),
          applied_at: null,
          claim,
        });
        const isPause = suggestion.change === "status" && suggestion.to === "PAUSED";
        said.push({ ...common, rule, claim, confidence: probability, isPause });
      }
      if (!totals || !facts.isActive) continue;
      for (const { rule, claim, isPause, days, fires } of FOLK_RULES) {
        if ((memory.folkUntil.get(rule) ?? "") >= asOf || !fires(facts, totals)) continue;
        memory.folkUntil.set(rule, addDays(asOf, days - 1));
        said.push({ ...common, rule, claim, confidence: null, isPause });
      }
    }
    return said;
  }

  /** Judges by the days after. */
  async function judged(sql: Sql, all: readonly Said[]): Promise<Judged[]> {
    const results: Judged[] = [];
    const byDay = Map.groupBy(all, ({ entityType, asOf }) => `${entityType} ${asOf}`);
    for (const group of byDay.values()) {
      const [first] = group;
      if (!first) continue;
      const later = await laterTotals(sql, first.entityType, first.asOf);
      results.push(...group.map((said) => {
        const after = later?.(said.entityId);
        return { said, later: after, outcome: judge(said, after) };
      }));
    }
    return results;
  }

  /** What the entities of a level did after a day, null where too few days are there. */
  async function laterTotals(
    sql: Sql,
    entityType: Level,
    asOf: string,
  ): Promise<((entityId: string) => Later | undefined) | null> {
    const [last] = await sql<{ day: string | null }[]>`
      select max(date) as day from ads.insights where config_id = ${configId}`;
    if (!last?.day || daysBetween(asOf, last.day) < LEAST_LATER_DAYS) return null;
    const totals = await entityTotals(sql, configId, entityType, {
      from: addDays(asOf, 1),
      to: addDays(asOf, LATER_DAYS),
    });
    const families = new Map<string | null, { spend: number; leads: number }>();
    for (const { parent_id, spend, leads } of totals.values()) {
      const family = families.get(parent_id) ?? { spend: 0, leads: 0 };
      families.set(parent_id, { spend: family.spend + spend, leads: family.leads + leads });
    }
    return (entityId) => {
      const own = totals.get(entityId);
      if (!own) return undefined;
      const family = families.get(own.parent_id) ?? own;
      return {
        ...own,
        siblings: { spend: family.spend - own.spend, leads: family.leads - own.leads },
      };
    };
  }
}

function known(said: Said, truthOf: (said: Said) => number | null): Judged {
  return { said, later: undefined, outcome: judge(said, undefined, truthOf(said)) };
}

function ratio(events: number, exposure: number): number | null {
  return events > 0 && exposure > 0 ? events / exposure : null;
}

/** Thrown to take a transaction back. */
class Rollback extends Error {}

async function rolledBack(
  sql: Sql,
  work: (transaction: Transaction) => Promise<void>,
): Promise<void> {
  try {
    await inTransaction(sql, async (transaction) => {
      await work(transaction);
      throw new Rollback();
    });
  } catch (error) {
    if (!(error instanceof Rollback)) throw error;
  }
}
