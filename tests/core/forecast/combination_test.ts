import { assert } from "@std/assert";
import { combinationsOf } from "../../../core/forecast/combination.ts";
import { levelsOf } from "../../../core/forecast/tree.ts";
import { Profiles } from "../../../core/forecast/weekdays.ts";
import { createRandom } from "../../../core/random.ts";

/** A series alone, whose weekdays are known to be alike. */
function combinationOf(values: number[]) {
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
  // At once it would be 1.68 times as far, by the few days alone.
  const ratio = distance(30) / distance(200);
  assert(ratio > 1.8, `${ratio}`);
});
