import { assert, assertEquals } from "@std/assert";
import { combinationsOf } from "../../../core/forecast/combination.ts";
import { levelsOf } from "../../../core/forecast/tree.ts";
import { Profiles } from "../../../core/forecast/weekdays.ts";
import { createRandom } from "../../../core/random.ts";

/** A series alone, whose weekdays are known to be alike. */
function combinationOf(values: (number | null)[]) {
  const [nodes = []] = levelsOf([{ id: "a", parentId: null, values }]);
  const [node] = nodes;
  if (!node) throw new Error("There is no series");
  return combinationsOf(nodes, new Profiles(1))(node);
}

Deno.test("combinationsOf() tells of days as its weights expected them that did not know those days", () => {
  let told = 0;
  let fitted = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = createRandom(seed);
    // What is best in one half is not in the other.
    let level = 100;
    const values = Array.from({ length: 112 }, (_, day) => {
      level += day < 66 ? 0 : random.normal(0, 8);
      return Math.max(level + random.normal(0, day < 66 ? 12 : 3), 0);
    });
    const { outlook, pastErrors } = combinationOf(values);
    pastErrors((expected, came, ahead, from) => {
      told += (came - expected) ** 2;
      fitted += (came - outlook(from, ahead)) ** 2;
    });
  }
  assert(told > 1.01 * fitted, `${told / fitted}`);
});

Deno.test("combinationsOf() makes more of who was best the longer that was seen", () => {
  // Only the last day tells anything of the next one.
  const walk = (days: number, seed: number) => {
    const random = createRandom(seed);
    let level = 1000;
    return Array.from({ length: days }, () => level += random.normal(0, 10));
  };
  const distance = (days: number) => {
    let sum = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const values = walk(days, seed);
      sum += Math.abs(combinationOf(values).outlook(days - 1, 1) - (values.at(-1) ?? NaN));
    }
    return sum;
  };
  // At once it would be 1.11 times as far, by the few days alone.
  const ratio = distance(23) / distance(200);
  assert(ratio > 1.4, `${ratio}`);
});

Deno.test("combinationsOf() judges nothing by the days that methods start from", () => {
  const random = createRandom(9);
  const values = Array.from({ length: 40 }, () => random.normal(100, 5));
  const fromOf = (unknown: number) => {
    let first = Infinity;
    const known = values.map((value, day) => day < unknown ? null : value);
    combinationOf(known).pastErrors((_expected, _came, _ahead, from) => {
      first = Math.min(first, from);
    });
    return first;
  };
  assertEquals(fromOf(0), 13);
  assertEquals(fromOf(10), 23);
});

Deno.test("combinationsOf() keeps up with what moves in a few days", () => {
  const random = createRandom(10);
  let [told, stays] = [0, 0];
  for (let time = 0; time < 60; time++) {
    // What it gains or loses in a day is mostly what it did on the day before.
    let [level, gain] = [1000, 0];
    const values = Array.from({ length: 84 }, () => {
      gain = 0.9 * gain + random.normal(0, 5);
      level += gain;
      return level + random.normal(0, 10);
    });
    const [last = NaN, came = NaN] = [values[80], values[83]];
    told += (came - combinationOf(values.slice(0, 81)).outlook(80, 3)) ** 2;
    stays += (came - last) ** 2;
  }
  // With slow trends only it is 1.37 times as far off as if all stayed as it was.
  assert(told < 1.2 * stays, `${told / stays}`);
});
