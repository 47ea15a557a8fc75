import { assert, assertAlmostEquals } from "@std/assert";
import { type PastErrors, rangesOf, shapeOf } from "../../../core/forecast/intervals.ts";
import { createRandom, type Random } from "../../../core/random.ts";

const MEAN = 100;
const DAYS = 31;
const AHEAD = [1, 4, 7, 14, 28];

/**
 * What came of days that all were expected to bring 100, from a level that is off by so much and goes
 * on walking.
 */
function walkOf(
  normal: () => number,
  { off, step, noise }: { off: number; step: number; noise: number },
): number[] {
  let level = MEAN + off * normal();
  return Array.from({ length: DAYS }, () => {
    level += step * normal();
    return level + noise * normal();
  });
}

Deno.test("rangesOf() knows how far off sums of days are, however the level moves", () => {
  const random = createRandom(17);
  const normal = () => random.normal(0, 1);
  for (
    const walk of [
      { off: 0, step: 0, noise: 10 },
      { off: 3, step: 0, noise: 8 },
      { off: 2, step: 2, noise: 8 },
      { off: 0, step: 3, noise: 1 },
    ]
  ) {
    const pasts = Array.from({ length: 2000 }, (): PastErrors => {
      const past: PastErrors = { expected: [], came: [], ahead: [], from: [] };
      for (let from = 0; from < 5; from++) {
        const days = walkOf(normal, walk);
        for (const ahead of AHEAD) {
          past.expected.push(MEAN);
          past.came.push(days[ahead - 1] ?? NaN);
          past.ahead.push(ahead);
          past.from.push(from);
        }
      }
      return past;
    });
    const sums = pasts.map(({ came, expected }) => ({
      squares: came.reduce((sum, value) => sum + (value - MEAN) ** 2, 0),
      means: MEAN * expected.length,
      count: expected.length,
      level: MEAN,
    }));
    const { dayCorrelations, spreadOf } = rangesOf(
      sums,
      (place) => pasts[place] ?? null,
    );
    for (const days of [2, 7, 14, 28]) {
      let sum = 0;
      let squares = 0;
      for (let ahead = 1; ahead <= days; ahead++) {
        const spread = spreadOf(0, MEAN, ahead);
        sum += spread;
        squares += spread ** 2;
      }
      const correlation = dayCorrelations[days - 1] ?? NaN;
      const expected = Math.sqrt((1 - correlation) * squares + correlation * sum ** 2);
      // The sum of a level that was off, of a walk (Faulhaber's sums of squares) and of noise.
      const actual = Math.sqrt(
        (walk.off * days) ** 2 +
          walk.step ** 2 * days * (days + 1) * (2 * days + 1) / 6 +
          walk.noise ** 2 * days,
      );
      assertAlmostEquals(expected / actual, 1, 0.15, `${JSON.stringify(walk)}, ${days} days`);
    }
    assert(dayCorrelations.every((each) => 0 <= each && each <= 1));
  }
});

Deno.test("rangesOf() allows for series that are more noisy at one time than at another", () => {
  const random = createRandom(18);
  // Each six weeks are another time as noisy: twelve that are known, and those to come.
  const noises = Array.from({ length: 3000 }, () => {
    const usual = 4 * Math.exp(random.normal(0, 0.5));
    return Array.from({ length: 3 }, () => usual * Math.exp(random.normal(0, 0.5)));
  });
  const pasts = noises.map((noise): PastErrors => {
    const from = Array.from({ length: 84 }, (_, day) => day);
    return {
      expected: from.map(() => MEAN),
      came: from.map((day) => random.normal(MEAN, noise[Math.floor(day / 42)] ?? NaN)),
      ahead: from.map(() => 1),
      from,
    };
  });
  const sums = pasts.map(({ came }) => ({
    squares: came.reduce((sum, value) => sum + (value - MEAN) ** 2, 0),
    means: MEAN * came.length,
    count: came.length,
    level: MEAN,
  }));
  const { errors, dayCorrelations, independent, spreadOf } = rangesOf(
    sums,
    (place) => pasts[place] ?? null,
  );
  const shape = shapeOf([{ errors, independent }], dayCorrelations);
  const held = { in80: 0, in95: 0 };
  noises.forEach((noise, place) => {
    const error = random.normal(0, noise.at(-1) ?? NaN) / spreadOf(place, MEAN, 1);
    if (shape.low80 <= error && error <= shape.high80) held.in80 += 1;
    if (shape.low95 <= error && error <= shape.high95) held.in95 += 1;
  });
  assertAlmostEquals(held.in80 / noises.length, 0.8, 0.02);
  assertAlmostEquals(held.in95 / noises.length, 0.95, 0.015);
});

Deno.test("rangesOf() counts what happens to many series at once as one error", () => {
  const days = 56;
  const series = 10;
  // Its inverse is what is estimated, so that is what has to be right on average.
  const independentOf = (drawShocks: (random: Random) => number[][]) => {
    const random = createRandom(11);
    let inverse = 0;
    for (let time = 0; time < 200; time++) {
      const from = Array.from({ length: days }, (_, day) => day - 1);
      const pasts = drawShocks(random).map((shocks): PastErrors => ({
        expected: from.map(() => MEAN),
        came: shocks.map((shock) => MEAN + shock),
        ahead: from.map(() => 1),
        from,
      }));
      const sums = pasts.map(() => ({
        squares: days,
        means: MEAN * days,
        count: days,
        level: MEAN,
      }));
      inverse += 1 / rangesOf(sums, (place) => pasts[place] ?? null).independent / 200;
    }
    return 1 / inverse;
  };
  const draw = (random: Random, count: number) =>
    Array.from({ length: count }, () => random.normal(0, 1));
  // Eight weeks tell how many there are, and four say that it is one a day.
  const expected = (independent: number) => 1 / ((8 / independent + 4 / days) / 12);
  const alone = independentOf((random) => Array.from({ length: series }, () => draw(random, days)));
  assertAlmostEquals(alone / expected(days * series), 1, 0.1);
  const byDay = independentOf((random) => Array(series).fill(draw(random, days)));
  assertAlmostEquals(byDay / expected(days), 0.9, 0.1);
  const byWeek = independentOf((random) => {
    const weeks = draw(random, days / 7);
    return Array.from(
      { length: series },
      () => draw(random, days).map((own, day) => (weeks[Math.floor(day / 7)] ?? NaN) + own / 100),
    );
  });
  assertAlmostEquals(byWeek / expected(days / 7), 1, 0.2);
});

Deno.test("shapeOf() is as much wider as Student's t is, the fewer errors it knows", () => {
  const random = createRandom(12);
  const errors = Float64Array.from({ length: 1000 }, () => random.normal(0, 1));
  const of = (independent: number) => shapeOf([{ errors, independent }], []);
  // Quantiles of t with 8 degrees of freedom, by those of the normal distribution.
  assertAlmostEquals(of(8).high95 / of(Infinity).high95, 2.306004 / 1.959964, 1e-6);
  assertAlmostEquals(of(8).low80 / of(Infinity).low80, 1.396815 / 1.281552, 1e-6);
  assert(of(8).low95 < of(100).low95 && of(100).low95 < of(Infinity).low95);
});
