/** How well tiers, confidences and intervals agree with the truth of simulated accounts. */
import { cplInterval, type Posterior } from "../core/evidence.ts";
import { type Level, LEVELS } from "../core/level.ts";
import { decideTier, tierOfRatio, TIERS } from "../core/tiers.ts";
import type { Sql } from "../db/connect.ts";
import { type Scenario, simulateAccount, storeAccount } from "./simulation.ts";

/** How many of some claims were true. */
export type Hits = { hits: number; of: number };

/** What was counted over the entities of a level. */
export type TierAccuracy = {
  /** Sum of the distances between the given and the true tier. */
  distance: number;
  /** The same for tiers given by the CPL of 7 days as it is. */
  rawDistance: number;
  /** Tiers that were right, of those given with a confidence of 0.6 to 0.8. */
  likely: Hits;
  /** The same for a confidence of 0.8 to 1. */
  sure: Hits;
  /** True CPLs inside their intervals. */
  interval80: Hits;
  interval95: Hits;
};

/** What is asked of the shares of hits, but for the sampling error (`isWithin`). */
export const ASKED_SHARES = {
  likely: { low: 0.6, high: 0.8 },
  sure: { low: 0.8, high: 1 },
  interval80: { low: 0.77, high: 0.83 },
} as const;

/** What is asked of the distance, as a multiple of the raw one. */
export const ASKED_DISTANCES: Record<Level, number> = { campaign: 1, adset: 1, ad: 0.75 };

/** The accuracy on each level. */
export type Accuracy = Record<Level, TierAccuracy>;

/** Whether a share lies in a range, give or take 2.5 standard errors of what so many cases tell. */
export function isWithin(
  { hits, of }: Hits,
  { low, high }: { low: number; high: number },
): boolean {
  const error = (bound: number) => 2.5 * Math.sqrt(bound * (1 - bound) / of);
  return of === 0 || (hits / of >= low - error(low) && hits / of <= high + error(high));
}

const AS_OF = "2025-12-30";

/**
 * Draws an account per seed, stores it and compares what its evidence says with the truth. Seeds
 * follow the numbers of the accounts, so that those of one database are independent.
 *
 * @param sql A database without the accounts `firstConfigId` and following.
 */
export async function measureTiers(
  sql: Sql,
  scenario: Scenario,
  { seeds, firstConfigId }: { seeds: number; firstConfigId: number },
): Promise<Accuracy> {
  const total = noAccuracy();
  for (let configId = firstConfigId; configId < firstConfigId + seeds; configId++) {
    const account = simulateAccount(scenario, 1000 + configId, AS_OF);
    await storeAccount(sql, configId, account);
    const reference = await readReference(sql, configId);
    for (const entity of await readEvidence(sql, configId)) {
      const trueCpl = account.truth[entity.entity_type].get(entity.entity_id);
      if (trueCpl === undefined) throw new Error(`"${entity.entity_id}" was never simulated`);
      count(total[entity.entity_type], entity, trueCpl, reference);
    }
  }
  return total;
}

/** Adds up what was counted in several scenarios. */
export function poolAccuracy(parts: Accuracy[]): Accuracy {
  const total = noAccuracy();
  for (const level of LEVELS) {
    const sums = total[level];
    for (const { [level]: part } of parts) {
      sums.distance += part.distance;
      sums.rawDistance += part.rawDistance;
      for (const claim of ["likely", "sure", "interval80", "interval95"] as const) {
        sums[claim].hits += part[claim].hits;
        sums[claim].of += part[claim].of;
      }
    }
  }
  return total;
}

function noAccuracy(): Accuracy {
  const none = (): TierAccuracy => ({
    distance: 0,
    rawDistance: 0,
    likely: { hits: 0, of: 0 },
    sure: { hits: 0, of: 0 },
    interval80: { hits: 0, of: 0 },
    interval95: { hits: 0, of: 0 },
  });
  return { campaign: none(), adset: none(), ad: none() };
}

type Entity = Posterior & {
  entity_type: Level;
  entity_id: string;
  spend_7d: number;
  leads_7d: number;
};

async function readReference(sql: Sql, configId: number): Promise<number> {
  const [row] = await sql<{ reference: number | null }[]>`
    select reference
    from ads.account_reference
    where config_id = ${configId} and as_of = ${AS_OF}`;
  if (!row?.reference) throw new Error(`The simulated account ${configId} has no lead`);
  return row.reference;
}

async function readEvidence(sql: Sql, configId: number): Promise<Entity[]> {
  return await sql<Entity[]>`
    with
    evidence as materialized (
      select entity_type, entity_id, alpha, beta
      from ads.entity_evidence
      where config_id = ${configId}
        and as_of = ${AS_OF}
        and metric = 'cpl'
    ),
    week as materialized (
      select entity_type, entity_id, sum(spend) as spend_7d, sum(leads) as leads_7d
      from ads.entity_daily
      where config_id = ${configId}
        and date > ${AS_OF}::date - 7
      group by entity_type, entity_id
    )
    select e.entity_type, e.entity_id, e.alpha, e.beta, w.spend_7d, w.leads_7d
    from evidence e
    join week w
      on w.entity_type = e.entity_type
      and w.entity_id = e.entity_id`;
}

function count(sums: TierAccuracy, entity: Entity, trueCpl: number, reference: number): void {
  const trueTier = TIERS.indexOf(tierOfRatio(trueCpl / reference));
  const { tier, confidence } = decideTier(entity, reference);
  const distance = Math.abs(TIERS.indexOf(tier) - trueTier);
  // Without leads the ratio is infinite: the worst tier.
  const rawTier = TIERS.indexOf(tierOfRatio(entity.spend_7d / entity.leads_7d / reference));
  sums.distance += distance;
  sums.rawDistance += Math.abs(rawTier - trueTier);
  if (confidence >= 0.6) tally(confidence < 0.8 ? sums.likely : sums.sure, distance === 0);
  for (const [probability, hits] of [[0.8, sums.interval80], [0.95, sums.interval95]] as const) {
    const { low, high } = cplInterval(entity, probability);
    tally(hits, low <= trueCpl && trueCpl <= high);
  }
}

function tally(hits: Hits, isHit: boolean): void {
  hits.of += 1;
  if (isHit) hits.hits += 1;
}
