import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { qnorm } from "lib-r-math.js";
import { mean } from "simple-statistics";
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
  // Those of the normal distribution, so that it is the same however many are believed.
  const errors = Float64Array.from({ length: 1000 }, (_, index) => qnorm((index + 0.5) / 1000));
  const of = (independent: number) => shapeOf([{ errors, independent }], []);
  assertAlmostEquals(of(8).high95, 2.306004, 0.01);
  assertAlmostEquals(of(8).low80, -1.396815, 0.01);
  assertAlmostEquals(of(1e6).low95, -1.959964, 0.01);
  // With one error nothing is known of how far they scatter; with none, that of the model is all.
  assertAlmostEquals(of(1).high95, 4.302653, 0.02);
  assertAlmostEquals(
    shapeOf([{ errors: new Float64Array(), independent: 0 }], []).high95,
    1.96,
    1e-4,
  );
});

Deno.test("shapeOf() makes the less of the shape of errors the fewer there are, and holds the mean", () => {
  const errors = Float64Array.from({ length: 1000 }, (_, index) => 0.5 + index / 1000);
  const of = (independent: number) => shapeOf([{ errors, independent }], []);
  assert(of(1).low80 < of(5).low80 && of(5).low80 < of(40).low80);
  assertEquals(of(40).low80, 0);
  assertAlmostEquals(of(1e6).high95, 1.475, 1e-3);
});

Deno.test("rangesOf() knows how far off series are on average that it saw once each", () => {
  const random = createRandom(13);
  // Most single errors are smaller than that: half of them below two thirds of it.
  const pasts = Array.from({ length: 2000 }, (): PastErrors => ({
    expected: [MEAN],
    came: [random.normal(MEAN, 7)],
    ahead: [1],
    from: [0],
  }));
  const sums = pasts.map(({ came: [came = NaN] }) => ({
    squares: (came - MEAN) ** 2,
    means: MEAN,
    count: 1,
    level: MEAN,
  }));
  const { spreadOf } = rangesOf(sums, (place) => pasts[place] ?? null);
  const spreads = sums.map((_, place) => spreadOf(place, MEAN, 1));
  assertAlmostEquals(mean(spreads), 7, 0.5);
});
