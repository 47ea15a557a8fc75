import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  type Contribution,
  FACTORS,
  NOTHING,
  ratiosOf,
  scaleSums,
  type Sides,
  splitByChild,
  splitChange,
  type Sums,
} from "../../core/drivers.ts";

/** 10 a lead: 10 a thousand impressions, CTR 1 %, conversion rate 10 %. */
const USUAL: Sums = { spend: 100, impressions: 10_000, clicks: 100, leads: 10 };

/** Anything that can be zero, also what should not be when something else is not. */
const someSums = fc.record({
  spend: fc.oneof(fc.constant(0), fc.double({ min: 0.01, max: 1e7, noNaN: true })),
  impressions: fc.oneof(fc.constant(0), fc.nat(1e8)),
  clicks: fc.oneof(fc.constant(0), fc.nat(1e6)),
  leads: fc.oneof(fc.constant(0), fc.nat(10), fc.nat(1e6)),
});
const someSides = fc.record({ before: someSums, after: someSums });

function add(all: Sums[]): Sums {
  return all.reduce((sum, each) => ({
    spend: sum.spend + each.spend,
    impressions: sum.impressions + each.impressions,
    clicks: sum.clicks + each.clicks,
    leads: sum.leads + each.leads,
  }), NOTHING);
}

/** The measure, the change and what spend, CPM, CTR and conversion rate did to it. */
function partsOf(before: Partial<Sums>, after: Partial<Sums>) {
  const { measure, change, parts } = splitChange({
    before: { ...USUAL, ...before },
    after: { ...USUAL, ...after },
  });
  return [measure, round(change), FACTORS.map((factor) => round(parts[factor]))];
}

/** The contribution, and the rate and the mix that it consists of. */
function contributionOf({ contribution, rate, mix }: Contribution) {
  return [contribution, rate, mix].map(round);
}

/** To nine decimals, and without a sign at zero. */
function round(value: number): number {
  return Math.round(1e9 * value) / 1e9 + 0;
}

/** The largest number that a change or its parts are made of. */
function magnitudeOf({ before, after }: Sides, parts: number[]): number {
  const cpl = [before, after].map((side) => ratiosOf(side).cpl ?? side.leads);
  return Math.max(...cpl, ...parts.map(Math.abs));
}

Deno.test("ratiosOf() has percent, cost per thousand, and null over zero", () => {
  assertEquals(ratiosOf(USUAL), { cpm: 10, ctr: 1, conversion_rate: 10, cpl: 10 });
  assertEquals(ratiosOf(NOTHING), { cpm: null, ctr: null, conversion_rate: null, cpl: null });
  assertEquals(ratiosOf({ ...USUAL, leads: 0 }).conversion_rate, 0);
});

Deno.test("scaleSums() brings four weeks to a day", () => {
  const weeks = { spend: 28, impressions: 2800, clicks: 56, leads: 7 };
  assertEquals(scaleSums(weeks, 1 / 28), { spend: 1, impressions: 100, clicks: 2, leads: 0.25 });
});

Deno.test("splitChange() gives all to the factor that alone changed", () => {
  assertEquals(partsOf({}, { spend: 200 }), ["cpl", 10, [0, 10, 0, 0]]);
  assertEquals(partsOf({}, { clicks: 50, leads: 5 }), ["cpl", 10, [0, 0, 10, 0]]);
  assertEquals(partsOf({}, { leads: 5 }), ["cpl", 10, [0, 0, 0, 10]]);
});

Deno.test("splitChange() gives factors that changed alike the same", () => {
  assertEquals(partsOf({}, { spend: 200, leads: 5 }), ["cpl", 30, [0, 15, 0, 15]]);
});

Deno.test("splitChange() tells factors that cancel out", () => {
  // A CTR of 2 instead of 1 %, a conversion rate of 5 instead of 10 %, and the same 10 a lead.
  const part = round(10 * Math.log(2));
  assertEquals(partsOf({}, { clicks: 200 }), ["cpl", 0, [0, 0, -part, part]]);
});

Deno.test("splitChange() does not mind how much is spent at the same rates", () => {
  assertEquals(partsOf({}, scaleSums(USUAL, 3)), ["cpl", 0, [0, 0, 0, 0]]);
});

Deno.test("splitChange() splits the leads when there are none on a side", () => {
  const { spend, impressions } = USUAL;
  assertEquals(partsOf({}, { leads: 0 }), ["leads", -10, [0, 0, 0, -10]]);
  assertEquals(partsOf({}, { ...NOTHING, spend, impressions }), ["leads", -10, [0, 0, -10, 0]]);
  assertEquals(partsOf({}, { ...NOTHING, spend }), ["leads", -10, [0, -10, 0, 0]]);
  assertEquals(partsOf({}, NOTHING), ["leads", -10, [-10, 0, 0, 0]]);
  assertEquals(partsOf(NOTHING, {}), ["leads", 10, [10, 0, 0, 0]]);
  assertEquals(partsOf({ leads: 0 }, { leads: 0, spend: 300 }), ["leads", 0, [0, 0, 0, 0]]);
});

Deno.test("splitChange() measures lost leads by what the spend still promised", () => {
  // A tenth of the spend at twice the price and half the CTR promised 1, 0.5 and 0.25 leads.
  const little = { spend: 10, impressions: 500, clicks: 2.5, leads: 0 };
  assertEquals(partsOf({}, little), ["leads", -10, [-9, -0.5, -0.25, -0.25]]);
  assertEquals(partsOf(little, {}), ["leads", 10, [9, 0.5, 0.25, 0.25]]);
  const much = { ...scaleSums(USUAL, 9), leads: 0 };
  assertEquals(partsOf({}, much), ["leads", -10, [0, 0, 0, -10]]);
});

Deno.test("splitChange() gives no factor more leads than were lost or won", () => {
  fc.assert(fc.property(someSums, someSums, (rich, poor) => {
    const { change, parts } = splitChange({ before: rich, after: { ...poor, leads: 0 } });
    for (const factor of FACTORS) assert(Math.abs(parts[factor]) <= Math.abs(change), factor);
  }));
});

Deno.test("splitChange() gives the CPM all of a CPL that was zero or gets zero", () => {
  assertEquals(partsOf({ spend: 0 }, {}), ["cpl", 10, [0, 10, 0, 0]]);
  assertEquals(partsOf({}, { ...NOTHING, leads: 2 }), ["cpl", -10, [0, -10, 0, 0]]);
});

Deno.test("splitChange() takes a rate for unchanged when it is undefined between others", () => {
  const half = { clicks: 50, leads: 5 };
  assertEquals(partsOf({ clicks: 0 }, { leads: 5 }), ["cpl", 10, [0, 0, 10, 0]]);
  assertEquals(partsOf({ impressions: 0 }, half), ["cpl", 10, [0, 10, 0, 0]]);
  const none = { ...half, leads: 0 };
  assertEquals(partsOf({ clicks: 0 }, none), ["leads", -10, [0, 0, -10, 0]]);
  assertEquals(partsOf({ impressions: 0 }, none), ["leads", -10, [0, -5, 0, -5]]);
  assertEquals(partsOf({ spend: 0 }, { ...none, impressions: 5000 }), [
    "leads",
    -10,
    [-5, 0, 0, -5],
  ]);
});

Deno.test("splitChange() stays exact when the change is tiny", () => {
  const spend = 100 + 1e-12;
  const { change, parts } = splitChange({ before: USUAL, after: { ...USUAL, spend, clicks: 200 } });
  assertAlmostEquals(parts.cpm, change, 1e-15);
  assertAlmostEquals(parts.ctr, -10 * Math.log(2), 1e-9);
});

Deno.test("splitChange() adds up to the change whatever is zero", () => {
  fc.assert(
    fc.property(someSides, (sides) => {
      const { measure, change, parts } = splitChange(sides);
      const { before, after } = sides;
      const cpl = (side: Sums) => ratiosOf(side).cpl;
      const [from, to] = [cpl(before), cpl(after)];
      assertEquals(measure, from === null || to === null ? "leads" : "cpl");
      assertEquals(
        change,
        from === null || to === null ? after.leads - before.leads : to - from,
      );
      const values = FACTORS.map((factor) => parts[factor]);
      const sum = values.reduce((total, part) => total + part, 0);
      assertAlmostEquals(sum, change, 1e-9 * magnitudeOf(sides, values));
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("splitChange() only changes its sign when the sides are swapped", () => {
  fc.assert(fc.property(someSides, ({ before, after }) => {
    const forth = splitChange({ before, after });
    const back = splitChange({ before: after, after: before });
    assertEquals(forth.measure, back.measure);
    for (const factor of FACTORS) {
      const [part, opposite] = [forth.parts[factor], back.parts[factor]];
      assertAlmostEquals(part, -opposite, 1e-9 * Math.abs(part));
    }
  }));
});

const DEAR: Sums = { spend: 100, impressions: 10_000, clicks: 100, leads: 5 };

/** A child that goes on as it was. */
const STEADY: Sides = { before: USUAL, after: USUAL };

function parentOf(children: Sides[]): Sides {
  return {
    before: add(children.map((child) => child.before)),
    after: add(children.map((child) => child.after)),
  };
}

/** What a child contributes beside a steady one. */
function besideSteady(child: Sides) {
  const { top } = splitByChild(parentOf([STEADY, child]), [{ ...child, isMeant: true }, STEADY]);
  return top.flatMap((each) => "isMeant" in each ? contributionOf(each) : []);
}

Deno.test("splitByChild() blames the rate of the one child that changed", () => {
  // 200 for 20 leads, then for 15.
  const third = round(10 / 3);
  const change = { before: USUAL, after: DEAR };
  assertEquals(splitByChild(parentOf([STEADY, change]), [STEADY, change]).top.map(contributionOf), [
    [third, third, 0],
    [0, 0, 0],
  ]);
});

Deno.test("splitByChild() calls it mix when spend goes to the better child", () => {
  // 200 for 15 leads, then for 17.5. More of the better and less of the worse child: both help.
  const better = { before: USUAL, after: scaleSums(USUAL, 1.5) };
  const worse = { before: DEAR, after: scaleSums(DEAR, 0.5) };
  const { top } = splitByChild(parentOf([better, worse]), [better, worse]);
  assertEquals(top.map(contributionOf), [
    [round(-25 / 21), 0, round(-25 / 21)],
    [round(-15 / 21), 0, round(-15 / 21)],
  ]);
});

Deno.test("splitByChild() calls all mix when a child appears or vanishes", () => {
  // From 10 to 13.33. The other part is the steady one's: what is better has only half of the spend.
  assertEquals(besideSteady({ before: NOTHING, after: DEAR }), [2.5, 0, 2.5]);
  assertEquals(besideSteady({ before: DEAR, after: NOTHING }), [-2.5, 0, -2.5]);
});

Deno.test("splitByChild() tells a child without leads by what it spends", () => {
  const waste = { ...USUAL, leads: 0 };
  assertEquals(besideSteady({ before: waste, after: waste }), [0, 0, 0]);
  // 20 a lead, then 30; the steady child's share fell from a half to a third.
  assertEquals(besideSteady({ before: waste, after: scaleSums(waste, 2) }), [
    round(25 / 6),
    0,
    round(25 / 6),
  ]);
  assertEquals(besideSteady({ before: USUAL, after: waste }), [10, 10, 0]);
});

Deno.test("splitByChild() calls leads rate when nothing was spent on them", () => {
  const gift = { ...NOTHING, leads: 10 };
  assertEquals(besideSteady({ before: gift, after: { ...gift, leads: 30 } }), [-2.5, -2.5, 0]);
});

Deno.test("splitByChild() splits leads into rates and spend when there is no CPL", () => {
  const of = (...children: Sides[]) =>
    splitByChild(parentOf(children), children).top.map(contributionOf);
  // 10 leads for 100, then none for 200: 0.1 fewer for each of 150, and 100 more at 0.05.
  const dry = { before: USUAL, after: { ...USUAL, spend: 200, leads: 0 } };
  assertEquals(of(dry), [[-10, -15, 5]]);
  assertEquals(of({ before: USUAL, after: NOTHING }, { before: DEAR, after: NOTHING }), [
    [-10, 0, -10],
    [-5, 0, -5],
  ]);
});

Deno.test("splitByChild() puts what belongs to no child among the others", () => {
  const parent = parentOf([STEADY, { before: USUAL, after: DEAR }]);
  const { top, others } = splitByChild(parent, [STEADY]);
  assertEquals(top.map(contributionOf), [[0, 0, 0]]);
  assertEquals(others.count, 0);
  assertEquals(contributionOf(others), [round(10 / 3), round(10 / 3), 0]);
});

Deno.test("splitByChild() tells the largest contributions and adds up the others", () => {
  const children = [1, -9, 4].map((less) => ({
    less,
    before: USUAL,
    after: { ...USUAL, leads: 10 - less },
  }));
  const whole = splitByChild(parentOf(children), children);
  assertEquals(whole.top.map(({ less }) => less), [-9, 4, 1]);
  const { top, others } = splitByChild(parentOf(children), children, 1);
  assertEquals(top, whole.top.slice(0, 1));
  assertEquals(others.count, 2);
  assertAlmostEquals(others.contribution + (top[0]?.contribution ?? 0), 300 / 34 - 10, 1e-12);
});

Deno.test("splitByChild() adds up to the change whatever is zero", () => {
  const family = fc.tuple(fc.array(someSides, { maxLength: 6 }), someSides, fc.nat(7));
  fc.assert(
    fc.property(family, ([children, beyond, limit]) => {
      const parent = parentOf([...children, beyond]);
      const { top, others } = splitByChild(parent, children, limit);
      assertEquals(top.length + others.count, children.length);
      const all = [...top, others];
      const contributions = all.map((each) => each.contribution);
      const magnitude = magnitudeOf(parent, all.flatMap(({ rate, mix }) => [rate, mix]));
      const sum = contributions.reduce((total, each) => total + each, 0);
      assertAlmostEquals(sum, splitChange(parent).change, 1e-9 * magnitude);
      for (const { contribution, rate, mix } of all) {
        assertAlmostEquals(rate + mix, contribution, 1e-9 * magnitude);
      }
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("splitByChild() tells the same when the children come in another order", () => {
  fc.assert(fc.property(fc.array(someSides, { minLength: 1, maxLength: 6 }), (children) => {
    const { top } = splitByChild(parentOf(children), children);
    const { top: others } = splitByChild(parentOf(children), children.toReversed());
    for (const { before, after, contribution } of top) {
      const same = others.filter((each) => each.before === before && each.after === after);
      assertEquals(same.map((each) => each.contribution), [contribution]);
    }
  }));
});
