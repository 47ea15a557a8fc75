import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { mean, variance } from "simple-statistics";
import type { Series } from "../../../core/forecast/series.ts";
import {
  levelsOf,
  poolScores,
  rollingOrigins,
  scoreOrigin,
  seriesAt,
} from "../../forecast_accuracy.ts";
import { BASELINES } from "../../forecast_baselines.ts";
import {
  FORECAST_SCENARIOS,
  type ForecastScenario,
  METRICS,
  simulateAccount,
} from "../../forecast_simulation.ts";

function scenario(name: string): ForecastScenario {
  const found = FORECAST_SCENARIOS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`There is no kind "${name}"`);
  return found;
}

function known({ values }: Series): number[] {
  return values.filter((value) => value !== null);
}

function adsOf(name: string): Series[] {
  return simulateAccount(scenario(name), 1).leads.series.filter(({ id }) => id.startsWith("ad:"));
}

Deno.test("simulateAccount() repeats its account when the seed is the same", () => {
  const stable = scenario("stable");
  assertEquals(simulateAccount(stable, 1), simulateAccount(stable, 1));
  assertNotEquals(simulateAccount(stable, 1).leads, simulateAccount(stable, 2).leads);
});

Deno.test("simulateAccount() makes parents the sums of what has begun below them", () => {
  for (const each of FORECAST_SCENARIOS) {
    for (const metric of METRICS) {
      const { series } = simulateAccount(each, 1)[metric];
      const byParent = Map.groupBy(series, ({ parentId }) => parentId);
      for (const { id, values } of series) {
        const children = byParent.get(id) ?? [];
        if (children.length === 0) continue;
        values.forEach((value, day) => {
          const begun = children
            .filter((child) => child.values.slice(0, day + 1).some((value) => value !== null))
            .map((child) => child.values[day] ?? null);
          const isKnown = begun.length > 0 && !begun.includes(null);
          assertEquals(value, isKnown ? begun.reduce<number>((a, b) => a + (b ?? 0), 0) : null, id);
        });
      }
    }
  }
});

Deno.test("simulateAccount() draws leads as counts, and nothing below 0", () => {
  for (const each of FORECAST_SCENARIOS) {
    const { spend, leads } = simulateAccount(each, 1);
    assert(leads.series.flatMap(known).every((value) => Number.isInteger(value) && value >= 0));
    assert(spend.series.flatMap(known).every((value) => Number.isFinite(value) && value >= 0));
    assertEquals(new Set(levelsOf(leads.series).values()).size, 4);
  }
});

Deno.test("simulateAccount() knows of a stopped ad that it is 0, and nothing of a gap", () => {
  const { spend } = simulateAccount(scenario("starts and stops"), 1);
  const ads = spend.series.filter(({ id }) => id.startsWith("ad:"));
  const texts = ads.map(({ values }) =>
    values.map((value) => value === null ? "?" : value === 0 ? "0" : "x").join("")
  );
  assert(texts.some((text) => /^\?{8,}x/.test(text)), "begins");
  assert(texts.some((text) => /x0{7,21}x/.test(text)), "pauses");
  assert(texts.some((text) => /x[0?]*0{30}$/.test(text)), "ends");
  assert(texts.some((text) => /x\?{1,6}x/.test(text)), "has a gap");
});

Deno.test("simulateAccount() draws what the kinds are named after", () => {
  const zeroDays = (name: string) => {
    const days = adsOf(name).flatMap(known);
    return days.filter((value) => value === 0).length / days.length;
  };
  assert(zeroDays("few leads") > 0.7);
  assert(zeroDays("stable") < 0.5);
  const dispersion = (name: string) =>
    mean(
      adsOf(name).map(known).filter((days) => mean(days) > 1)
        .map((days) => variance(days) / mean(days)),
    );
  assert(dispersion("overdispersed") > 1.5 * dispersion("stable"));
  assert(dispersion("bursts") > 1.5 * dispersion("stable"));
});

Deno.test("withIntervals() covers about what it says on stable accounts", () => {
  const { series, ...options } = simulateAccount(scenario("stable"), 2).spend;
  for (const [name, method] of BASELINES) {
    const scores = rollingOrigins(series[0]?.values.length ?? 0, 4, 14).flatMap((origin) =>
      scoreOrigin(series, origin, method(seriesAt(series, origin), { ...options, horizon: 14 }))
    );
    const { coverage80, coverage95, leftOut } = poolScores(scores);
    assertEquals(leftOut, 0);
    assert(coverage80 > 0.72 && coverage80 < 0.88, `${name} ${coverage80}`);
    assert(coverage95 > 0.9 && coverage95 < 0.99, `${name} ${coverage95}`);
  }
});
