/** Small simulated accounts, drawn straight from the distributions that the method assumes or not. */
import type { Day, History } from "../../../core/anomalies/history.ts";
import type { Level } from "../../../core/level.ts";
import { createRandom, type Random } from "../../../core/random.ts";

/** What differs between accounts. Deviations are of the logarithm, variances relative. */
export type Scenario = {
  entities: number;
  days: number;
  leadsPerDay: number;
  /** Standard deviation of a day's spend, and of a step of its level. */
  spread: number;
  drift: number;
  /** Relative variance of a day's own conversion rate, and of its click rate. */
  dispersion: number;
  /** Friday's and Saturday's share of the other days' spend. */
  weekend: number;
  /** Draws a day's deviation of log spend. */
  draw: (random: Random) => number;
};

/** Twenty ads of two leads a day. */
export const PLAIN: Scenario = {
  entities: 20,
  days: 44,
  leadsPerDay: 2,
  spread: 0.25,
  drift: 0.03,
  dispersion: 0.15,
  weekend: 0.7,
  draw: (random) => random.normal(0, 1),
};

/** Outliers as Student's t with five degrees of freedom has them, of variance one. */
export function heavyTailed(random: Random): number {
  return random.normal(0, 1) / Math.sqrt(random.gamma(2.5, 0.4)) * Math.sqrt(3 / 5);
}

/** What happens to an entity on a day: factors of its spend, click rate and conversion rate. */
export type Event = { spend?: number; clicks?: number; leads?: number };

/** Draws the entities of one level. The same seed gives the same account. */
export function drawAccount(
  scenario: Scenario,
  seed: number,
  eventOf: (entity: number, day: number) => Event = () => ({}),
): { account: History; entities: History[] } {
  const random = createRandom(seed);
  const entities = Array.from({ length: scenario.entities }, (_, entity): History => {
    let spend = Math.log(scenario.leadsPerDay * 20) + random.normal(0, 0.5);
    let clickRate = Math.log(0.015) + random.normal(0, 0.3);
    let leadRate = Math.log(0.05);
    const days = Array.from({ length: scenario.days }, (_, day): Day | null => {
      spend += random.normal(0, scenario.drift);
      clickRate += random.normal(0, scenario.drift);
      leadRate += random.normal(0, scenario.drift);
      const event = eventOf(entity, day);
      const ownDay = (variance: number) => variance > 0 ? random.gamma(1 / variance, variance) : 1;
      const spent = Math.exp(spend + scenario.spread * scenario.draw(random)) *
        (day % 7 >= 5 ? scenario.weekend : 1) * (event.spend ?? 1);
      const impressions = random.poisson(spent * 66 * ownDay(0.01));
      if (impressions === 0) return null;
      const clicks = random.poisson(
        impressions * Math.exp(clickRate) * ownDay(scenario.dispersion / 5) * (event.clicks ?? 1),
      );
      const leads = random.poisson(
        clicks * Math.exp(leadRate) * ownDay(scenario.dispersion) * (event.leads ?? 1),
      );
      const reach = Math.round(impressions / (1 + 0.2 * ownDay(0.01)));
      return { spend: Math.round(spent * 100) / 100, impressions, clicks, leads, reach };
    });
    return history("ad", `ad ${entity}`, `ad set ${Math.floor(entity / 4)}`, days);
  });
  return { account: sumOf(entities), entities };
}

/** A running entity without a budget. */
export function history(
  entityType: Level,
  entityId: string,
  parentId: string | null,
  days: (Day | null)[],
): History {
  return { entityType, entityId, parentId, dailyBudget: null, isActive: true, days };
}

/** The sums over entities, as the account has them. */
export function sumOf(entities: History[]): History {
  const days = (entities[0]?.days ?? []).map((_, index) => {
    const sum: Day & { reach: number } = {
      spend: 0,
      impressions: 0,
      clicks: 0,
      leads: 0,
      reach: 0,
    };
    for (const { days } of entities) {
      const day = days[index];
      sum.spend += day?.spend ?? 0;
      sum.impressions += day?.impressions ?? 0;
      sum.clicks += day?.clicks ?? 0;
      sum.leads += day?.leads ?? 0;
      sum.reach += day?.reach ?? 0;
    }
    return sum.impressions > 0 ? sum : null;
  });
  return history("campaign", "account", null, days);
}
