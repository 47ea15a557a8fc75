import { assert, assertEquals } from "@std/assert";
import { countP, ownDispersion, ownModel, type RateModel } from "../../../core/anomalies/rates.ts";
import { createRandom } from "../../../core/random.ts";

const MODEL: RateModel = {
  factors: new Float64Array(),
  moves: new Float64Array(),
  rate: 0.05,
  dispersion: 0.1,
  dispersionWeight: 20,
  drift: 0.0005,
};

const DAYS = 30;

/** Days of one exposure each whose rate varies by a dispersion. */
function drawDays(seed: number, dispersion: number, expected: number) {
  const random = createRandom(seed);
  return {
    exposures: new Float64Array(DAYS).fill(expected / MODEL.rate),
    events: Float64Array.from(
      { length: DAYS },
      () => random.poisson(expected * random.gamma(1 / dispersion, dispersion)),
    ),
  };
}

function averageOf(dispersion: number, expected: number) {
  const all = Array.from({ length: 200 }, (_, seed) => {
    const { events, exposures } = drawDays(seed, dispersion, expected);
    return ownDispersion(events, exposures, DAYS, MODEL);
  });
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    dispersion: mean(all.map(({ dispersion }) => dispersion)),
    weight: mean(all.map(({ weight }) => weight)),
  };
}

function assertBetween(value: number, least: number, most: number) {
  assert(value >= least && value <= most, `${value} is not between ${least} and ${most}`);
}

Deno.test("ownDispersion() reads an entity's own scatter where events are many", () => {
  const usual = averageOf(0.1, 200);
  assertBetween(usual.dispersion, 0.08, 0.13);
  assertBetween(usual.weight, 24, 30);
  const wild = averageOf(0.4, 200);
  assertBetween(wild.dispersion, 0.3, 0.5);
  const steady = averageOf(0.02, 200);
  assertBetween(steady.dispersion, 0.01, 0.04);
});

Deno.test("ownDispersion() knows next to nothing where chance explains the scatter", () => {
  assertBetween(averageOf(0.1, 1).weight, 0, 0.5);
  assertEquals(
    ownDispersion(new Float64Array(4), new Float64Array(4).fill(10), 4, MODEL).weight,
    0,
  );
});

Deno.test("ownModel() lies between the entity and its level, by what each is worth", () => {
  const dispersionOf = (dispersionWeight: number) => {
    const { events, exposures } = drawDays(3, 0.4, 200);
    return ownModel(events, exposures, DAYS, { ...MODEL, dispersionWeight }).dispersion;
  };
  const own = dispersionOf(1e-6);
  assert(own > 0.2);
  assertBetween(dispersionOf(28), 0.1 + 0.4 * (own - 0.1), 0.1 + 0.6 * (own - 0.1));
  assertBetween(dispersionOf(1e6), 0.0999, 0.1001);
});

Deno.test("countP() is met as often as it says, also where the dispersion is only estimated", () => {
  const random = createRandom(11);
  const runs = 20_000;
  const [dispersion, expected, weight] = [0.1, 40, 12];
  const hits = { fewer: 0, more: 0 };
  for (let run = 0; run < runs; run++) {
    const events = random.poisson(expected * random.gamma(1 / dispersion, dispersion));
    // A variance that was estimated from so many days.
    const estimate = dispersion * random.gamma(weight / 2, 2) / weight;
    if (countP(events, expected, estimate, 0, weight) > 0.02) continue;
    hits[events < expected ? "fewer" : "more"]++;
  }
  // What is known only by its five parts is a little less heavy in the tail than it is in truth.
  assertBetween(1000 * (hits.fewer + hits.more) / runs, 10, 28);
  assert(hits.fewer > 5 * hits.more, `${hits.fewer} and ${hits.more}`);
});

Deno.test("countP() is larger the less is known of the dispersion", () => {
  const p = (weight: number) => countP(8, 40, 0.1, 0.01, weight);
  assert(p(5) > p(20) && p(20) > p(200), `${p(5)}, ${p(20)}, ${p(200)}`);
});
