import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { createRandom } from "../../../core/random.ts";
import { familyBeliefs, type Member, type Variations } from "../../../core/rules/beliefs.ts";
import { probabilityOf } from "../../../core/rules/claim.ts";

const USUAL: Variations = {
  cpl: {
    rate: 0.05,
    variance: 0.1,
    change: 1,
    changeVariance: 0.02,
    changeError: 0.001,
    dayVariance: 0,
  },
  ctr: {
    rate: 0.015,
    variance: 0.05,
    change: 1,
    changeVariance: 0.01,
    changeError: 0.0001,
    dayVariance: 0,
  },
  conversion_rate: {
    rate: 0.05,
    variance: 0.1,
    change: 1,
    changeVariance: 0.02,
    changeError: 0,
    dayVariance: 0,
  },
};

function member(parts: Partial<Member> = {}): Member {
  return {
    alpha: 10,
    beta: 200,
    events: 8,
    exposure: 160,
    spend_7d: 100,
    impressions_7d: 10_000,
    clicks_7d: 150,
    leads_7d: 5,
    spend_7d_before: 100,
    impressions_7d_before: 10_000,
    clicks_7d_before: 150,
    leads_7d_before: 5,
    ...parts,
  };
}

function only(members: Member[], reference = 20, variations = USUAL) {
  const [beliefs] = familyBeliefs(members, reference, variations);
  if (!beliefs) throw new Error("There is no member");
  return beliefs;
}

/** The share of draws from independent Gamma posteriors in which something holds. */
function shareOf(members: Member[], holds: (cpls: number[]) => boolean): number {
  const random = createRandom(11);
  const draws = 20_000;
  let hits = 0;
  for (let draw = 0; draw < draws; draw++) {
    if (holds(members.map(({ alpha, beta }) => 1 / random.gamma(alpha, 1 / beta)))) hits += 1;
  }
  return hits / draws;
}

const FAMILY = [
  member({ alpha: 12, beta: 150, spend_7d: 60 }),
  member({ alpha: 9, beta: 200, spend_7d: 100 }),
  member({ alpha: 30, beta: 500, spend_7d: 250 }),
];

Deno.test("familyBeliefs() compares with siblings as draws from all posteriors do", () => {
  const beliefs = only(FAMILY);
  const siblings = ([, second = 0, third = 0]: number[]) => 350 / (100 / second + 250 / third);
  for (const factor of [0.5, 0.7, 1, 1.5]) {
    const share = shareOf(FAMILY, (cpls) => (cpls[0] ?? 0) <= factor * siblings(cpls));
    assertAlmostEquals(beliefs.atMost("cpl_by_siblings", factor) ?? 0, share, 0.015);
    assertAlmostEquals(beliefs.atLeast("cpl_by_siblings", factor) ?? 0, 1 - share, 0.015);
  }
});

Deno.test("familyBeliefs() gives the probability to be the best as draws do", () => {
  for (const [index, beliefs] of familyBeliefs(FAMILY, 20, USUAL).entries()) {
    const share = shareOf(FAMILY, (cpls) => cpls[index] === Math.min(...cpls));
    assertAlmostEquals(beliefs.isBest(), share, 0.015);
  }
});

Deno.test("familyBeliefs() knows no siblings where nothing else delivered", () => {
  const beliefs = only([member(), member({ spend_7d: 0 })]);
  assertEquals(
    [beliefs.siblings, beliefs.atMost("cpl_by_siblings", 1), beliefs.chanceAmongEquals("best")],
    [null, null, null],
  );
  assertEquals(beliefs.isBest(), 1);
});

Deno.test("familyBeliefs() gives the CPL and its ratio from the posterior", () => {
  const beliefs = only([member()], 10);
  assertAlmostEquals(beliefs.cpl().median, 20.68, 0.01);
  assertAlmostEquals(beliefs.ratio(), 2.068, 0.001);
  assertAlmostEquals(beliefs.atMost("cpl_ratio", beliefs.ratio()) ?? 0, 0.5, 1e-9);
});

Deno.test("familyBeliefs() finds among 20 equals that the best looks as good by chance", () => {
  const random = createRandom(3);
  const chances = Array.from({ length: 400 }, () => {
    const family = Array.from({ length: 20 }, () => {
      const exposure = 50 + 100 * random.uniform();
      return member({ exposure, events: random.poisson(exposure / 20) });
    });
    return Math.min(
      ...familyBeliefs(family, 20, USUAL).map((each) => each.chanceAmongEquals("best") ?? 1),
    );
  });
  // The chance of the best one of equals is nearly uniform: at most 10 % of them are below 0.1.
  const below = chances.filter((chance) => chance <= 0.1).length / chances.length;
  assert(below <= 0.1 + 2.5 * Math.sqrt(0.09 / chances.length), String(below));
  assert(chances.some((chance) => chance <= 0.1), "it can be small");
});

Deno.test("familyBeliefs() believes a change as often as it is true", () => {
  const random = createRandom(7);
  const { changeVariance } = USUAL.ctr;
  const bands = new Map<number, { hits: number; of: number; sum: number }>();
  for (let index = 0; index < 6000; index++) {
    const before = 0.01 * Math.exp(random.normal(0, 0.4));
    const change = Math.exp(random.normal(0, Math.sqrt(2 * changeVariance)));
    const impressions = Math.round(1000 * Math.exp(random.normal(1, 1)));
    const beliefs = only([
      member({
        impressions_7d: impressions,
        impressions_7d_before: 2 * impressions,
        clicks_7d: random.poisson(impressions * before * change),
        clicks_7d_before: random.poisson(2 * impressions * before),
      }),
    ]);
    const probability = beliefs.atMost("ctr_change", -5) ?? 0;
    const band = Math.min(Math.floor(10 * probability), 9);
    const { hits, of, sum } = bands.get(band) ?? { hits: 0, of: 0, sum: 0 };
    bands.set(band, {
      hits: hits + Number(100 * (change - 1) <= -5),
      of: of + 1,
      sum: sum + probability,
    });
  }
  for (const [band, { hits, of, sum }] of bands) {
    if (of < 100) continue;
    const error = 2.5 * Math.sqrt(0.25 / of);
    assert(Math.abs(hits - sum) / of <= 0.02 + error, `${band}: ${hits} of ${of}, not ${sum}`);
  }
  assert(bands.size >= 8);
});

Deno.test("familyBeliefs() is not sure of a CTR that fell by 12 % on 40 clicks, but on thousands", () => {
  const fell = (clicks: number) =>
    only([
      member({
        impressions_7d: 100 * clicks,
        impressions_7d_before: 100 * clicks,
        clicks_7d: Math.round(0.88 * clicks),
        clicks_7d_before: clicks,
      }),
    ]).atMost("ctr_change", -5) ?? 0;
  assert(fell(40) < 0.6, String(fell(40)));
  assert(fell(4000) > 0.9, String(fell(4000)));
});

/** The belief in a CTR that fell, where nothing else ever changes. */
function lonelyFall(clicks: number, before: number, dayVariance = 0): number {
  const still = { ...USUAL.ctr, changeVariance: 0, changeError: 0, dayVariance };
  const impressions = 100 * before;
  const counts = { impressions_7d: impressions, impressions_7d_before: impressions };
  const fallen = member({ ...counts, clicks_7d: clicks, clicks_7d_before: before });
  return only([fallen], 20, { ...USUAL, ctr: still }).atMost("ctr_change", -5) ?? 0;
}

Deno.test("familyBeliefs() believes a change among many that do not change only if it is clear", () => {
  // As luck among hundreds makes it, and as it never does.
  assert(lonelyFall(130, 150) < 0.1, String(lonelyFall(130, 150)));
  assert(lonelyFall(2157, 2961) > 0.99, String(lonelyFall(2157, 2961)));
});

Deno.test("familyBeliefs() believes less of a change the more days differ", () => {
  const sure = [0, 0.05, 0.5].map((dayVariance) => lonelyFall(1050, 1300, dayVariance));
  assert((sure[0] ?? 0) > 0.9 && (sure[2] ?? 1) < 0.2, sure.join(" "));
  assertEquals(sure.toSorted((a, b) => b - a), sure);
});

Deno.test("familyBeliefs() gives the interval of a change", () => {
  const beliefs = only([member({ clicks_7d: 1000, clicks_7d_before: 2000 })]);
  const { low = NaN, median = NaN, high = NaN } = beliefs.change("ctr_change") ?? {};
  assert(low < median && median < high);
  assertAlmostEquals(beliefs.atMost("ctr_change", high) ?? 0, 0.9, 1e-6);
  const cost = only([member({ leads_7d: 20, leads_7d_before: 60 })]);
  const rise = cost.change("cpl_change");
  assertAlmostEquals(cost.atLeast("cpl_change", rise?.low ?? 0) ?? 0, 0.9, 1e-6);
  assert((rise?.median ?? 0) > 0);
});

Deno.test("familyBeliefs() knows nothing of a change without both weeks", () => {
  const beliefs = only([member({ impressions_7d_before: 0, clicks_7d_before: 0 })]);
  assertEquals([beliefs.atMost("ctr_change", -5), beliefs.change("ctr_change")], [null, null]);
});

Deno.test("familyBeliefs() compares a rate with that of the account", () => {
  const of = (leads: number) =>
    only([member({ clicks_7d: 1000, leads_7d: leads })]).rateAtMost("conversion_rate", 0.85) ?? 0;
  assert(of(25) > 0.99);
  assert(of(50) < 0.2);
});

Deno.test("probabilityOf() adds up to 1 over ranges that follow each other", () => {
  const beliefs = only(FAMILY);
  const parts = [
    { about: "cpl_ratio", at_most: 0.9 },
    { about: "cpl_ratio", at_least: 0.9, at_most: 1.2 },
    { about: "cpl_ratio", at_least: 1.2 },
  ] as const;
  const total = parts.reduce((sum, claim) => sum + (probabilityOf(beliefs, claim) ?? NaN), 0);
  assertAlmostEquals(total, 1, 1e-9);
});

Deno.test("familyBeliefs() believes the same in whatever order the family stands", () => {
  const anyMember = fc.record({
    alpha: fc.double({ min: 0.5, max: 50, noNaN: true }),
    beta: fc.double({ min: 10, max: 1000, noNaN: true }),
    spend_7d: fc.double({ min: 0, max: 500, noNaN: true }),
    events: fc.double({ min: 0, max: 50, noNaN: true }),
    exposure: fc.double({ min: 0, max: 1000, noNaN: true }),
  }).map((parts) => member(parts));
  fc.assert(
    fc.property(fc.array(anyMember, { minLength: 2, maxLength: 6 }), (family) => {
      const told = (members: Member[]) =>
        new Map(
          familyBeliefs(members, 20, USUAL).map((beliefs, index) => [
            members[index],
            [
              beliefs.atMost("cpl_by_siblings", 0.7) ?? -1,
              beliefs.isBest(),
              beliefs.chanceAmongEquals("best") ?? -1,
            ],
          ]),
        );
      const backwards = told(family.toReversed());
      for (const [key, values] of told(family)) {
        values.forEach((value, index) =>
          assertAlmostEquals(value, backwards.get(key)?.[index] ?? NaN, 1e-6)
        );
      }
    }),
    { numRuns: 200, seed: 1 },
  );
});
