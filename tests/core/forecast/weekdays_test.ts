import { assert, assertAlmostEquals } from "@std/assert";
import { mean } from "simple-statistics";
import { levelsOf } from "../../../core/forecast/tree.ts";
import { weekdayProfiles } from "../../../core/forecast/weekdays.ts";
import { createRandom } from "../../../core/random.ts";

const FACTORS = [0.5, 0.8, 1, 1.2, 1.5, 1.1, 0.9];

/** Counts of some weeks around a mean, with those factors. */
function counts(mean: number, weeks: number, seed: number, factors = FACTORS): number[] {
  const random = createRandom(seed);
  return Array.from(
    { length: 7 * weeks },
    (_, day) => random.poisson(mean * (factors[day % 7] ?? 1)),
  );
}

function profilesOf(series: Parameters<typeof levelsOf>[0]) {
  const levels = levelsOf(series);
  const profiles = weekdayProfiles(levels);
  return new Map(
    levels.flat().map(({ id, index }) => [id, { factors: profiles.factorsOf(index) }]),
  );
}

function distance(one: Float64Array | undefined, other: readonly number[]): number {
  return Math.max(...other.map((factor, weekday) => Math.abs(factor - (one?.[weekday] ?? NaN))));
}

Deno.test("weekdayProfiles() finds the factors of a large series", () => {
  const profile = profilesOf([{ id: "a", parentId: null, values: counts(1000, 12, 1) }]).get("a");
  assert(distance(profile?.factors, FACTORS) < 0.05);
  assertAlmostEquals([...profile?.factors ?? []].reduce((sum, factor) => sum + factor, 0), 7, 1e-9);
});

Deno.test("weekdayProfiles() gives a tiny series the profile of its parent", () => {
  const leaves = Array.from({ length: 40 }, (_, index) => ({
    id: `leaf ${index}`,
    parentId: "account",
    values: counts(0.5, 12, 10 + index),
  }));
  const account = {
    id: "account",
    parentId: null,
    values: Array.from(
      { length: 84 },
      (_, day) => leaves.reduce((sum, { values }) => sum + (values[day] ?? 0), 0),
    ),
  };
  const profiles = profilesOf([account, ...leaves]);
  const ofAccount = [...profiles.get("account")?.factors ?? []];
  for (const { id } of leaves) assert(distance(profiles.get(id)?.factors, ofAccount) < 0.15, id);
});

Deno.test("weekdayProfiles() takes the weekdays of single events for chance", () => {
  const leaves = Array.from({ length: 300 }, (_, index) => ({
    id: `leaf ${index}`,
    parentId: "account",
    values: counts(0.015, 12, 1000 + index),
  }));
  const account = { id: "account", parentId: null, values: counts(1000, 12, 6) };
  const profiles = profilesOf([account, ...leaves]);
  const ofAccount = [...profiles.get("account")?.factors ?? []];
  const distances = leaves.map(({ id }) => distance(profiles.get(id)?.factors, ofAccount));
  assert(mean(distances) < 0.05, `${mean(distances)}`);
});

Deno.test("weekdayProfiles() learns nothing of weekdays from a holiday", () => {
  const values = counts(1000, 12, 7);
  for (const holiday of [0, 5000, 50_000]) {
    const profile = profilesOf([{ id: "a", parentId: null, values: values.with(45, holiday) }])
      .get("a");
    assert(distance(profile?.factors, FACTORS) < 0.1, `${holiday}`);
  }
});

Deno.test("weekdayProfiles() learns from four weeks", () => {
  const profile = profilesOf([{ id: "a", parentId: null, values: counts(1000, 4, 8) }]).get("a");
  assert(distance(profile?.factors, FACTORS) < 0.2);
});

Deno.test("weekdayProfiles() takes a quiet weekday for as sure as it is", () => {
  const quiet = [1.3, 1.3, 1.3, 1.3, 1.2, 0.35, 0.25];
  const found = Array.from({ length: 100 }, (_, seed) => {
    const random = createRandom(seed + 1);
    const values = Array.from(
      { length: 35 },
      (_, day) => 1000 * (quiet[day % 7] ?? 1) * Math.exp(random.normal(0, 0.2)),
    );
    return profilesOf([{ id: "a", parentId: null, values }]).get("a")?.factors.at(-1) ?? NaN;
  });
  // Were it as unsure as the others, it would be taken for 0.287 on average.
  assertAlmostEquals(mean(found), 0.25, 0.025);
});

Deno.test("weekdayProfiles() lets a large child go its own way", () => {
  const own = [1.5, 1.3, 1, 0.8, 0.6, 0.8, 1];
  const profiles = profilesOf([
    { id: "account", parentId: null, values: counts(1000, 12, 2) },
    { id: "alike", parentId: "account", values: counts(300, 12, 3) },
    { id: "other", parentId: "account", values: counts(300, 12, 4, own) },
  ]);
  assert(distance(profiles.get("other")?.factors, own) < 0.15);
  assert(distance(profiles.get("alike")?.factors, FACTORS) < 0.15);
});

Deno.test("weekdayProfiles() is even where nothing is known", () => {
  for (const values of [[], [null, null], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]) {
    const profile = profilesOf([{ id: "a", parentId: null, values }]).get("a");
    assert(distance(profile?.factors, [1, 1, 1, 1, 1, 1, 1]) < 1e-9);
  }
});
