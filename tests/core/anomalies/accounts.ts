/** Small simulated accounts, drawn straight from the distributions that the method assumes or not. */
import { testEntity } from "../../../core/anomalies/detect.ts";
import type { Day, History } from "../../../core/anomalies/history.ts";
import { findIncidents, type Incident } from "../../../core/anomalies/incidents.ts";
import { type AnomalyOptions, startProfile } from "../../../core/anomalies/profile.ts";
import { startSelection } from "../../../core/anomalies/select.ts";
import type { Branch, Place, PlacedAlarm } from "../../../core/anomalies/tree.ts";
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

/** What happens to an entity on a day: factors of its spend, CPM, click rate and conversion rate. */
export type Event = { spend?: number; cpm?: number; clicks?: number; leads?: number };

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
      const impressions = random.poisson(spent * 66 * ownDay(0.01) / (event.cpm ?? 1));
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
  return {
    entityType,
    entityId,
    parentId,
    campaignId: parentId ?? entityId,
    dailyBudget: null,
    holder: null,
    isActive: true,
    days,
  };
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

/** Finds the incidents of an account of campaigns of 2 ad sets of 4 of these ads. */
export function incidentsOf(
  drawn: History[],
  options: AnomalyOptions,
  nameOf = (place: Place, entityId: string) => `${place} ${entityId}`,
  adsetsPerCampaign = 2,
): Incident[] {
  const ads = drawn.map((ad, index): History => ({
    ...ad,
    entityId: `${index}`,
    parentId: `${Math.floor(index / 4)}`,
    campaignId: `${Math.floor(index / 4 / adsetsPerCampaign)}`,
  }));
  const parents = (children: History[], size: number, entityType: Level) =>
    Array.from({ length: children.length / size }, (_, index): History => ({
      ...sumOf(children.slice(index * size, (index + 1) * size)),
      entityType,
      entityId: `${index}`,
      parentId: entityType === "adset" ? `${Math.floor(index / adsetsPerCampaign)}` : null,
      campaignId: `${entityType === "adset" ? Math.floor(index / adsetsPerCampaign) : index}`,
    }));
  const adsets = parents(ads, 4, "adset");
  const campaigns = parents(adsets, adsetsPerCampaign, "campaign");
  const account = sumOf(ads);
  const alarms: PlacedAlarm[] = [];
  const branchesOf = (place: Place, histories: History[], children: Branch[]): Branch[] => {
    const learner = startProfile(account, options);
    histories.forEach(learner.add);
    const profile = learner.finish();
    const selection = startSelection();
    for (const history of histories) selection.add(history, testEntity(history, profile));
    const spend = account.days.at(-2)?.spend ?? 0;
    for (const alarm of selection.finish(spend)) alarms.push({ place, alarm });
    const size = children.length / histories.length;
    return histories.map((history, index) => ({
      place,
      name: nameOf(place, history.entityId),
      history,
      profile,
      children: children.slice(index * size, (index + 1) * size),
    }));
  };
  const adBranches = branchesOf("ad", ads, []);
  const adsetBranches = branchesOf("adset", adsets, adBranches);
  const campaignBranches = branchesOf("campaign", campaigns, adsetBranches);
  const [root] = branchesOf("account", [account], campaignBranches);
  if (root === undefined) throw new RangeError("No account");
  return findIncidents(alarms, root, "USD");
}
