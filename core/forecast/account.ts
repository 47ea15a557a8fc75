/** What is forecast of an account: spend and leads of all its levels, adding up. */
import { LEVELS } from "../level.ts";
import { forecastAll, type TreeForecasts } from "./forecast.ts";
import type { Shape } from "./intervals.ts";
import type { TreeSeries } from "./tree.ts";

/** What is forecast. The CPL follows from the two. */
export const METRICS = ["spend", "leads"] as const;

/** One of the two. */
export type Metric = (typeof METRICS)[number];

/** Where a forecast stands: the account as a whole, or a level. */
export const PLACES = ["account", ...LEVELS] as const;

/** One of them. */
export type Place = (typeof PLACES)[number];

/** An ad, or what was reported for an ad set as a whole. All else adds up from these. */
export type Leaf = Record<Metric, Float32Array> & {
  campaignId: string;
  adsetId: string;
  /** Null for what was reported for the ad set as a whole. */
  adId: string | null;
  /** It will deliver nothing. */
  isStopped: boolean;
  /** The level that its budget is shared on: of what stops there, the others get the money. */
  budgetLevel: "campaign" | "adset";
};

/** How many times as wide ranges are made as past errors make them. */
export type Widening = { widened80: number; widened95: number };

/** What one metric of an entity is forecast to be, by day. */
export type MetricForecast = {
  means: Float64Array;
  spreads: Float64Array;
  /** The mean distance of a day from the same weekday a week before, null where it is 0. */
  scale: number | null;
};

/** What is forecast of one entity. */
export type EntityForecast = Record<Metric, MetricForecast> & {
  place: Place;
  entityId: string;
  parentId: string | null;
  knownDays: number;
};

/** How the errors of a level are distributed. */
export type LevelShape = Shape & Widening & {
  place: Place;
  metric: Metric;
  /** Between the errors of spend and of leads on one day. */
  metricCorrelation: number;
};

/** The forecasts of an account. */
export type AccountForecasts = {
  shapes: LevelShape[];
  /** Made one by one, because all of them together take more memory than what they are made from. */
  entities(): Generator<EntityForecast>;
};

/** No widening. */
export const AS_BEFORE: Widening = { widened80: 1, widened95: 1 };

const ACCOUNT = "account:";

/** How an entity is called among the series; what belongs to an ad set as a whole is beside its ads. */
function seriesId(place: Place | "rest", entityId: string): string {
  return `${place}:${entityId}`;
}

/** Forecasts spend and leads of the account, its campaigns, ad sets and ads. */
export function forecastAccount(
  leaves: readonly Leaf[],
  { accountId, horizon, wideningOf = () => AS_BEFORE }: {
    accountId: string;
    horizon: number;
    wideningOf?: (place: Place, metric: Metric) => Widening;
  },
): AccountForecasts {
  const made = METRICS.map((metric) => {
    const series = accountSeries(leaves, metric);
    return { metric, series, forecasts: forecastAll(series, { horizon }) };
  });
  const [spend, leads] = made;
  const correlations = spend && leads ? correlationsOf(spend.forecasts, leads.forecasts) : [];
  const places = new Set(spend?.series.map(({ id }) => placeOf(id)));
  return {
    shapes: made.flatMap(({ metric, forecasts }) =>
      PLACES.flatMap((place, depth) => {
        const shape = forecasts.levels[depth]?.shape;
        if (!shape || !places.has(place)) return [];
        const widening = wideningOf(place, metric);
        return [{
          place,
          metric,
          ...shape,
          low80: shape.low80 * widening.widened80,
          high80: shape.high80 * widening.widened80,
          low95: shape.low95 * widening.widened95,
          high95: shape.high95 * widening.widened95,
          ...widening,
          metricCorrelation: correlations[depth] ?? 0,
        }];
      })
    ),
    *entities() {
      if (!spend || !leads) return;
      for (const [index, { id, parentId, values }] of spend.series.entries()) {
        const place = placeOf(id);
        if (place === null) continue;
        const of = ({ series, forecasts }: typeof spend): MetricForecast => ({
          ...forecasts.numbersOf(id) ?? NOTHING,
          // Both metrics have the same series in the same order.
          scale: scaleOf(series[index]?.values ?? []),
        });
        yield {
          place,
          entityId: place === "account" ? accountId : nameOf(id),
          parentId: parentId === null || parentId === ACCOUNT ? null : nameOf(parentId),
          knownDays: values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : 1), 0),
          spend: of(spend),
          leads: of(leads),
        };
      }
    },
  };
}

const NOTHING = { means: new Float64Array(), spreads: new Float64Array() };

function placeOf(id: string): Place | null {
  return PLACES.find((place) => id.startsWith(`${place}:`)) ?? null;
}

function nameOf(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}

type AccountSeries = TreeSeries & { values: Float32Array; isStopped: boolean };

/**
 * One metric of all entities. A parent is the sum of what will go on: the money of a stopped ad goes to
 * those that share its budget, and the sum stays; but where all of them have stopped, it is gone.
 */
function accountSeries(leaves: readonly Leaf[], metric: Metric): AccountSeries[] {
  const all = new Map<string, AccountSeries>();
  const budgetOf = ({ budgetLevel, campaignId, adsetId }: Leaf) =>
    seriesId(budgetLevel, budgetLevel === "campaign" ? campaignId : adsetId);
  const running = new Set(leaves.filter(({ isStopped }) => !isStopped).map(budgetOf));
  const withAds = new Set(leaves.flatMap(({ adsetId, adId }) => adId === null ? [] : adsetId));
  for (const leaf of leaves) {
    const { campaignId, adsetId, adId, isStopped, [metric]: values } = leaf;
    const adset = seriesId("adset", adsetId);
    const path: [id: string, parentId: string | null][] = [
      [ACCOUNT, null],
      [seriesId("campaign", campaignId), ACCOUNT],
      [adset, seriesId("campaign", campaignId)],
    ];
    for (const [id, parentId] of path) {
      const sum = all.getOrInsertComputed(id, () => ({
        id,
        parentId,
        values: new Float32Array(values.length).fill(NaN),
        isStopped: true,
      }));
      sum.isStopped &&= isStopped;
      if (running.has(budgetOf(leaf))) addTo(sum.values, values);
    }
    if (!withAds.has(adsetId)) continue;
    const id = adId === null ? seriesId("rest", adsetId) : seriesId("ad", adId);
    all.set(id, { id, parentId: adset, values, isStopped });
  }
  return [...all.values()];
}

function addTo(sums: Float32Array, values: Float32Array): void {
  for (let day = 0; day < values.length; day++) {
    const value = values[day] ?? NaN;
    if (Number.isNaN(value)) continue;
    const before = sums[day] ?? NaN;
    sums[day] = Number.isNaN(before) ? value : before + value;
  }
}

/** The mean distance of a day from the same weekday a week before. */
function scaleOf(values: ArrayLike<number>): number | null {
  let sum = 0;
  let pairs = 0;
  for (let day = 7; day < values.length; day++) {
    const distance = Math.abs((values[day] ?? NaN) - (values[day - 7] ?? NaN));
    if (Number.isNaN(distance)) continue;
    sum += distance;
    pairs += 1;
  }
  return sum > 0 ? sum / pairs : null;
}

/** How the errors of two metrics of the same series are correlated, by depth. */
function correlationsOf(one: TreeForecasts, other: TreeForecasts): number[] {
  return one.levels.map(({ errors }, depth) => {
    const others = other.levels[depth]?.errors ?? [];
    let products = 0;
    let squares = 0;
    let otherSquares = 0;
    errors.forEach((error, index) => {
      const of = others[index] ?? 0;
      products += error * of;
      squares += error ** 2;
      otherSquares += of ** 2;
    });
    const size = Math.sqrt(squares * otherSquares);
    return size > 0 ? Math.min(Math.max(products / size, -1), 1) : 0;
  });
}
