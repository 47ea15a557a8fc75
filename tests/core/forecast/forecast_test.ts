import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { mean, sum } from "simple-statistics";
import { forecastAll } from "../../../core/forecast/forecast.ts";
import { METHODS, methodsFor } from "../../../core/forecast/methods.ts";
import type { Series } from "../../../core/forecast/series.ts";
import { createRandom } from "../../../core/random.ts";
import {
  largestGap,
  poolScores,
  rollingOrigins,
  scoreOrigin,
  seriesAt,
  type SeriesScore,
} from "../../forecast_accuracy.ts";
import { BASELINES } from "../../forecast_baselines.ts";
import { FORECAST_SCENARIOS, simulateAccount } from "../../forecast_simulation.ts";

const OPTIONS = { horizon: 14 };

function repeat(week: readonly (number | null)[], weeks: number): (number | null)[] {
  return Array.from({ length: weeks }, () => week).flat();
}

function forecast(series: Series[]) {
  return forecastAll(series, OPTIONS);
}

Deno.test("forecastAll() goes on with a week that always was the same", () => {
  const week = [10, 20, 30, 40, 50, 60, 0];
  const days = forecast([{ id: "a", parentId: null, values: repeat(week, 10) }]).get("a") ?? [];
  assertEquals(days.length, 14);
  days.forEach(({ mean }, day) => assertAlmostEquals(mean, week[day % 7] ?? NaN, 1));
});

Deno.test("forecastAll() takes unknown days for unknown and not for 0", () => {
  const week = [10, 10, null, 10, 10, 10, null];
  const days = forecast([{ id: "a", parentId: null, values: repeat(week, 10) }]).get("a") ?? [];
  for (const { mean } of days) assertAlmostEquals(mean, 10, 0.5);
});

Deno.test("forecastAll() forecasts nothing of nothing", () => {
  for (const values of [[], repeat([0], 60), repeat([null], 60)]) {
    for (const day of forecast([{ id: "a", parentId: null, values }]).get("a") ?? []) {
      assert(day.mean < 1e-6 && day.low80 >= 0 && Number.isFinite(day.high95));
    }
  }
});

Deno.test("forecastAll() nests its ranges around the mean, none below 0", () => {
  const values = repeat([3, 0, 5, 1, 2, 0, 4], 10);
  for (const day of forecast([{ id: "a", parentId: null, values }]).get("a") ?? []) {
    const { low95, low80, mean, high80, high95 } = day;
    assert(0 <= low95 && low95 <= low80 && low80 <= mean && mean <= high80 && high80 <= high95);
  }
});

/** Campaigns and an account above ads, by the sums of their days. */
function treeOf(campaigns: Record<string, number[][]>): Series[] {
  const sumOf = (all: Series[]) =>
    Array.from({ length: DAYS }, (_, day) => sum(all.map(({ values }) => values[day] ?? 0)));
  const ads = Object.entries(campaigns).map(([campaign, ads]) =>
    ads.map((values, ad): Series => ({ id: `${campaign} ${ad}`, parentId: campaign, values }))
  );
  const parents = ads.map((each): Series => ({
    id: each[0]?.parentId ?? "",
    parentId: "account",
    values: sumOf(each),
  }));
  return [{ id: "account", parentId: null, values: sumOf(parents) }, ...parents, ...ads.flat()];
}

const DAYS = 84;

/** So many ads that bring 5 a day, until a day. */
function adsUntil(lastDay: number, count: number): number[][] {
  const random = createRandom(count);
  return Array.from(
    { length: count },
    () => Array.from({ length: DAYS }, (_, day) => day < lastDay ? random.poisson(5) : 0),
  );
}

Deno.test("forecastAll() is as unsure of what goes on however much is over", () => {
  const live = adsUntil(DAYS, 30);
  const widths = [0, 100].map((over) => {
    const forecasts = forecast(treeOf({ live, ...over > 0 && { over: adsUntil(30, over) } }));
    return mean(
      live.flatMap((_, ad) =>
        forecasts.get(`live ${ad}`)?.map(({ low80, high80 }) => high80 - low80) ?? []
      ),
    );
  });
  const [alone = NaN, beside = NaN] = widths;
  // 80 % of Poisson counts around 5 lie within 2.9 of it.
  assertAlmostEquals(alone, 5.7, 0.7);
  // The sudden end of so many is part of the shape: its lower tail is longer, its middle narrower.
  assertAlmostEquals(beside / alone, 1, 0.1);
});

Deno.test("forecastAll() gives ranges of a sensible size where most spend the same every day", () => {
  const random = createRandom(31);
  const constant = Array.from({ length: 6 }, () => Array.from({ length: DAYS }, () => 50));
  const later = Array.from(
    { length: 4 },
    () => Array.from({ length: DAYS }, (_, day) => day < 60 ? 50 : random.normal(50, 5)),
  );
  const forecasts = forecast(treeOf({ constant, later }));
  for (const [id, most] of [["constant 0", 20], ["later 0", 60], ["account", 200]] as const) {
    for (const { low95, high95 } of forecasts.get(id) ?? []) assert(high95 - low95 < most, id);
  }
});

Deno.test("forecastAll() gives a lone account the shape of what is below it too", () => {
  const { levels } = forecast(treeOf({ a: adsUntil(DAYS, 3), b: adsUntil(DAYS, 4) }));
  const [account, campaigns] = levels;
  const quantileOf = (errors: Float64Array[], below: number) => {
    const sorted = errors.flatMap((each) => [...each]).sort((a, b) => a - b);
    return sorted[Math.floor(below * sorted.length)] ?? NaN;
  };
  const [own, below] = [
    account?.errors ?? new Float64Array(),
    campaigns?.errors ?? new Float64Array(),
  ];
  for (const [end, share] of [["low80", 0.1], ["high95", 0.975]] as const) {
    const found = account?.shape[end] ?? NaN;
    // Nearly: they are hundreds of errors, but not as many independent ones.
    assertAlmostEquals(found / quantileOf([own, below], share), 1, 0.05);
    assert(Math.abs(quantileOf([own], share) / quantileOf([own, below], share) - 1) > 0.05);
  }
});

Deno.test("forecastAll() has ranges from the first errors on that hold about what they should", () => {
  const random = createRandom(7);
  for (const days of [15, 16, 18, 21, 23, 28]) {
    const held = { in80: 0, in95: 0, days: 0 };
    for (let time = 0; time < 40; time++) {
      const moves = Array.from({ length: days + 7 }, () => Math.exp(random.normal(0, 0.15)));
      const ads = Array.from({ length: 6 }, () => moves.map((move) => random.poisson(40 * move)));
      const tree = treeOf({ a: ads });
      const known = tree.map((each) => ({ ...each, values: each.values.slice(0, days) }));
      const made = forecastAll(known, { horizon: 7 });
      for (const { id, values } of tree) {
        made.get(id)?.forEach(({ mean, low80, high80, low95, high95 }, ahead) => {
          const came = values[days + ahead] ?? NaN;
          assert(low95 <= low80 && low80 <= mean && mean <= high80 && high80 <= high95);
          held.days += 1;
          if (low80 <= came && came <= high80) held.in80 += 1;
          if (low95 <= came && came <= high95) held.in95 += 1;
        });
      }
    }
    // Of a few days nobody knows much, and then it is said.
    const [in80, in95] = [held.in80 / held.days, held.in95 / held.days];
    assert(0.72 < in80 && in80 < 0.92, `${in80} in 80 %, ${days} days`);
    assert(in95 > 0.9, `${in95} in 95 %, ${days} days`);
  }
});

Deno.test("methodsFor() gives outlooks that know nothing of later days", () => {
  const random = createRandom(21);
  const values = Float32Array.from({ length: 420 }, () => random.poisson(20));
  const changed = values.map((value, day) => day <= 400 ? value : 3 * value);
  const profile = Float64Array.of(1.2, 1.2, 1, 1, 1, 0.8, 0.8);
  const [before, after] = [values, changed].map((each) =>
    methodsFor(420)(each, profile).outlooks.map((outlook) => [
      ...[1, 4, 7, 14, 28].map((ahead) => outlook(400, ahead)),
      // One that does see them.
      outlook(419, 1),
    ])
  );
  assertEquals(before?.length, METHODS.length);
  before?.forEach((said, method) => {
    assertEquals(said.slice(0, -1), after?.[method]?.slice(0, -1));
    assert(said.at(-1) !== after?.[method]?.at(-1), `${method}`);
  });
});

Deno.test("methodsFor() has one to which only the last day counts", () => {
  const random = createRandom(22);
  const values = Float32Array.from({ length: 84 }, () => random.normal(100, 10));
  const profile = Float64Array.of(1.2, 1.2, 1, 1, 1, 0.8, 0.8);
  const { outlooks } = methodsFor(84)(values, profile);
  const said = outlooks.map((outlook) => outlook(83, 2));
  const last = (values[83] ?? NaN) / (profile[83 % 7] ?? NaN) * (profile[85 % 7] ?? NaN);
  assert(said.some((each) => Math.abs(each - last) < 1e-3), `${said} and no ${last}`);
});

Deno.test("forecastAll() learns what was never seen from what adds up to it", () => {
  const random = createRandom(23);
  const values = () => Array.from({ length: 60 }, () => random.poisson(30));
  const made = forecast([
    { id: "account", parentId: null, values: repeat([null], 60) },
    { id: "campaign", parentId: "account", values: repeat([null], 60) },
    { id: "a", parentId: "campaign", values: values() },
    { id: "b", parentId: "campaign", values: values() },
  ]);
  for (const day of [0, 6, 13]) {
    const [one, campaign, account] = ["a", "campaign", "account"].map((id) => made.get(id)?.[day]);
    assertAlmostEquals(one?.mean ?? NaN, 30, 4);
    assertAlmostEquals(account?.mean ?? NaN, 60, 8);
    assertAlmostEquals(account?.mean ?? NaN, campaign?.mean ?? NaN, 1e-9);
    // As unsure as two ads together.
    const width = (of: typeof one) => (of?.high80 ?? NaN) - (of?.low80 ?? NaN);
    for (const parent of [campaign, account]) {
      assertAlmostEquals(width(parent) / width(one), Math.SQRT2, 0.4);
    }
  }
});

Deno.test("forecastAll() takes an ad that has been silent for longer than chance for over", () => {
  const random = createRandom(29);
  // Of 40 ads five have ended ten days ago, and ten have before.
  const ads = Array.from({ length: 40 }, (_, index) => {
    const end = index < 5 ? DAYS - 10 : index < 15 ? 25 + 3 * index : DAYS;
    return Array.from({ length: DAYS }, (_, day) => day < end ? random.poisson(10) : 0);
  });
  const made = forecast(treeOf({ a: ads }));
  ads.forEach((_, index) => {
    const { mean = NaN, low80, high80 = NaN } = made.get(`a ${index}`)?.[0] ?? {};
    if (index < 15) assert(mean < 0.5 && low80 === 0 && high80 < 3, `${index}: ${mean}, ${high80}`);
    else assert(mean > 6 && mean < 14, `${index}: ${mean}`);
  });
});

Deno.test("forecastAll() takes no late beginning for a return", () => {
  const random = createRandom(3);
  const ads = Array.from({ length: 70 }, (_, index) => {
    const [begin, end] = index < 10 ? [0, 60] : [45 + index % 8, DAYS];
    return Array.from(
      { length: DAYS },
      (_, day) => begin <= day && day < end ? random.poisson(3) : 0,
    );
  });
  const ended = forecast(treeOf({ a: ads })).get("a 0") ?? [];
  assert(mean(ended.map(({ mean }) => mean)) < 0.1, `${mean(ended.map(({ mean }) => mean))}`);
});

Deno.test("forecastAll() expects back what comes back on its level", () => {
  const random = createRandom(31);
  // Each runs for three weeks and pauses for two; the first one has paused for one by now.
  const ads = Array.from({ length: 30 }, (_, index) => {
    const shift = index === 0 ? 14 : Math.floor(35 * random.uniform());
    return Array.from(
      { length: DAYS },
      (_, day) => (day + shift) % 35 < 21 ? random.poisson(10) : 0,
    );
  });
  assertEquals(sum(ads[0]?.slice(-7) ?? [NaN]), 0);
  const paused = forecast(treeOf({ a: ads })).get("a 0") ?? [];
  // In a week it comes back.
  assert(mean(paused.map(({ mean }) => mean)) > 1.5, `${mean(paused.map(({ mean }) => mean))}`);
});

Deno.test("forecastAll() knows after four weeks nearly as much as the mean of each weekday", () => {
  const errors = { own: 0, mean: 0 };
  const KNOWN = 32;
  for (let seed = 1; seed <= 6; seed++) {
    const random = createRandom(seed);
    const leaves = Array.from({ length: 60 }, (_, index) => {
      const weights = Array.from({ length: 7 }, () => Math.exp(random.normal(0, 0.6)));
      const level = 300 * 7 / sum(weights);
      return {
        id: `ad ${index}`,
        parentId: null,
        values: Array.from(
          { length: KNOWN + 14 },
          (_, day) => random.poisson(level * (weights[day % 7] ?? 0) * random.gamma(44, 1 / 44)),
        ),
      };
    });
    const known = leaves.map((leaf) => ({ ...leaf, values: leaf.values.slice(0, KNOWN) }));
    const own = forecast(known);
    const means = BASELINES.find(([name]) => name === "weekday mean")?.[1](known, OPTIONS);
    for (const { id, values } of leaves) {
      for (let day = 0; day < 14; day++) {
        const came = values[KNOWN + day] ?? NaN;
        errors.own += Math.abs((own.get(id)?.[day]?.mean ?? NaN) - came);
        errors.mean += Math.abs((means?.get(id)?.[day]?.mean ?? NaN) - came);
      }
    }
  }
  assert(errors.own < 1.012 * errors.mean, `${errors.own / errors.mean}`);
});

Deno.test("forecastAll() is better than every baseline on simulated leads, adds up, and covers", () => {
  const own: SeriesScore[] = [];
  const others = BASELINES.map((): SeriesScore[] => []);
  for (const scenario of FORECAST_SCENARIOS.filter(({ name }) => /stable|drift|own/.test(name))) {
    const { series: all } = simulateAccount(scenario, 77).leads;
    for (const origin of rollingOrigins(all[0]?.values.length ?? 0, 2, 14)) {
      const series = seriesAt(all, origin);
      const options = { horizon: 14 };
      const made = forecastAll(series, options);
      assert(largestGap(series, made) < 1e-6);
      own.push(...scoreOrigin(all, origin, made));
      BASELINES.forEach(([, method], index) => {
        others[index]?.push(...scoreOrigin(all, origin, method(series, options)));
      });
    }
  }
  const { mase, coverage80, coverage95 } = poolScores(own);
  for (const [index, scores] of others.entries()) {
    assert(mase < poolScores(scores).mase, `${BASELINES[index]?.[0]}`);
  }
  assert(coverage80 > 0.76 && coverage80 < 0.84, String(coverage80));
  assert(coverage95 > 0.93 && coverage95 < 0.97, String(coverage95));
});
