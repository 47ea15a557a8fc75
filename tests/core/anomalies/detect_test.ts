import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { AnomalyType } from "../../../core/anomalies/anomaly.ts";
import { ALARM_P, type AnomalyTest, testEntity } from "../../../core/anomalies/detect.ts";
import type { History } from "../../../core/anomalies/history.ts";
import { type AnomalyOptions, startProfile } from "../../../core/anomalies/profile.ts";
import { drawAccount, type Event, heavyTailed, PLAIN, type Scenario, sumOf } from "./accounts.ts";

const OPTIONS: AnomalyOptions = { asOf: "2026-01-31", historyDays: 30, daysToAnalyze: 1 };
const LAST = PLAIN.days - 1;

/** Tests each entity; `change` may alter what is known of one after the profile was learned. */
function testAll(
  { account, entities }: { account: History; entities: History[] },
  options = OPTIONS,
): AnomalyTest[][] {
  const learner = startProfile(account, options);
  entities.forEach(learner.add);
  const profile = learner.finish();
  return entities.map((entity) => testEntity(entity, profile));
}

/** What alarms the first entity raises in each of some accounts when something happens to it. */
function alarmsOf(
  scenario: Scenario,
  eventAt: (day: number) => Event,
  options = OPTIONS,
): AnomalyType[][] {
  return Array.from({ length: 20 }, (_, seed) => {
    const drawn = drawAccount(
      scenario,
      100 + seed,
      (entity, day) => entity === 0 ? eventAt(day) : {},
    );
    const [tests = []] = testAll(drawn, options);
    return tests.filter(({ p, date }) => p <= ALARM_P && date === options.asOf)
      .map(({ type }) => type);
  });
}

function share(alarms: AnomalyType[][], type: AnomalyType): number {
  return alarms.filter((types) => types.includes(type)).length / alarms.length;
}

Deno.test("testEntity() raises at most 2 false alarms per 1,000 days of noise at every rate", () => {
  const options = { ...OPTIONS, daysToAnalyze: 7 };
  const scenarios: Scenario[] = [
    ...[0.5, 1, 2, 5, 15].map((leadsPerDay) => ({ ...PLAIN, leadsPerDay })),
    { ...PLAIN, draw: heavyTailed },
    { ...PLAIN, leadsPerDay: 5, dispersion: 0.5 },
    { ...PLAIN, leadsPerDay: 5, drift: 0.08 },
    { ...PLAIN, leadsPerDay: 5, days: 21 },
  ];
  for (const scenario of scenarios) {
    let days = 0;
    let alarmed = 0;
    for (let seed = 0; seed < 8; seed++) {
      for (const tests of testAll(drawAccount(scenario, seed), options)) {
        days += 7;
        alarmed += new Set(tests.filter(({ p }) => p <= ALARM_P).map(({ date }) => date)).size;
      }
    }
    // 1,120 entity-days: 2.2 alarms are allowed, and 6 are within the error of such a sample.
    assert(alarmed <= 6, `${alarmed} in ${days} days: ${JSON.stringify(scenario)}`);
  }
});

Deno.test("testEntity() finds faults of spend on the day itself", () => {
  const on = (spend: number) => alarmsOf(PLAIN, (day) => day === LAST ? { spend } : {});
  assert(share(on(4), "spend_spike") >= 0.8);
  assert(share(on(0.2), "spend_drop") >= 0.9);
  const stopped = on(0);
  assertEquals(share(stopped, "zero_spend"), 1);
  assertEquals(share(stopped, "zero_impressions"), 1);
});

Deno.test("testEntity() finds what only several days together show", () => {
  const scenario = { ...PLAIN, leadsPerDay: 12 };
  const during = (days: number) =>
    share(
      alarmsOf(scenario, (day) => day > LAST - days ? { leads: 0.1 } : {}),
      "performance_drop",
    );
  const [one, six] = [during(1), during(6)];
  assert(six >= 0.7 && six >= one + 0.4, `${one} and ${six}`);
});

Deno.test("testEntity() does not tell a return to normal", () => {
  for (const days of [3, 6]) {
    const alarms = alarmsOf(
      { ...PLAIN, leadsPerDay: 15 },
      (day) => day >= LAST - days && day < LAST ? { clicks: 0.35 } : {},
    );
    assert(share(alarms, "ctr_spike") + share(alarms, "ctr_drop") <= 0.1, `${days}`);
  }
});

Deno.test("testEntity() leaves out what could not be an alarm", () => {
  const metrics = (scenario: Scenario) =>
    new Set(testAll(drawAccount(scenario, 1)).flat().map(({ metric }) => metric));
  assert(!metrics({ ...PLAIN, leadsPerDay: 0.2 }).has("cpl"));
  assert(metrics({ ...PLAIN, leadsPerDay: 5 }).has("cpl"));
  const { account, entities } = drawAccount(PLAIN, 1);
  const young = entities.map((entity) => ({
    ...entity,
    days: entity.days.map((day, index) => index > LAST - 7 ? day : null),
  }));
  assertEquals(testAll({ account, entities: young }).flat(), []);
});

Deno.test("testEntity() takes neither a usual overspend nor a spent budget for an alarm", () => {
  const budgetOf = (spend: number, budget: (usual: number) => number) => {
    const { account, entities } = drawAccount(
      { ...PLAIN, spread: 0.05 },
      2,
      (entity, day) => entity === 0 && day === LAST ? { spend } : {},
    );
    const [first, ...others] = entities;
    if (first === undefined) throw new RangeError("No entity");
    const usual = first.days.slice(-8, -1).reduce((sum, day) => sum + (day?.spend ?? 0), 0) / 7;
    const [tests = []] = testAll({
      account,
      entities: [{ ...first, dailyBudget: budget(usual) }, ...others],
    });
    return tests.some(({ metric, p }) => metric === "spend" && p <= ALARM_P);
  };
  assertEquals(budgetOf(2.5, (usual) => usual), true);
  assertEquals(budgetOf(2.5, (usual) => 2.5 * usual), false);
  assertEquals(budgetOf(0.4, (usual) => usual), true);
  assertEquals(budgetOf(0.4, (usual) => 0.4 * usual), false);
});

Deno.test("testEntity() takes the overspend of a holder for no alarm of its children", () => {
  const isAlarmed = (isOfAll: boolean, isKnown = true) => {
    const { account, entities } = drawAccount(
      { ...PLAIN, spread: 0.05 },
      2,
      (entity, day) =>
        day === LAST && (entity === 0 || isOfAll && entity < 4) ? { spend: isOfAll ? 2.2 : 3 } : {},
    );
    const spend = sumOf(entities.slice(0, 4)).days.map((day) => day?.spend ?? 0);
    // 70 % over it when all of them rise.
    const dailyBudget = (isOfAll ? 1.3 : 1) * (spend.at(-2) ?? 0);
    const [tests = []] = testAll({
      account,
      entities: entities.map((entity, index) =>
        isKnown && index < 4 ? { ...entity, holder: { dailyBudget, spend } } : entity
      ),
    });
    return tests.some(({ metric, p }) => metric === "spend" && p <= ALARM_P);
  };
  assertEquals([isAlarmed(true), isAlarmed(false), isAlarmed(true, false)], [false, true, true]);
});

Deno.test("testEntity() waits for leads that are usually late", () => {
  const { account } = drawAccount(
    { ...PLAIN, leadsPerDay: 15 },
    6,
    (_, day) => day === LAST ? { leads: 0.4 } : {},
  );
  const isAlarmed = (completeness: number[]) => {
    const [tests = []] = testAll({ account, entities: [account] }, { ...OPTIONS, completeness });
    return tests.some(({ metric, p }) => metric === "conversion_rate" && p <= ALARM_P);
  };
  assertEquals(isAlarmed([]), true);
  assertEquals(isAlarmed([0.4]), false);
});

Deno.test("testEntity() does not tell of an entity what met the whole account", () => {
  const drawn = drawAccount(PLAIN, 9, (_, day) => day === LAST ? { spend: 0.5 } : {});
  const alarms = testAll(drawn).flat().filter(({ p }) => p <= ALARM_P);
  assertEquals(alarms, []);
  const learner = startProfile(drawn.account, OPTIONS);
  learner.add(drawn.account);
  const ofAccount = testEntity(drawn.account, learner.finish());
  assertEquals(
    ofAccount.filter(({ p }) => p <= ALARM_P).map(({ type }) => type),
    ["spend_drop"],
  );
});

Deno.test("testEntity() gives what it compared", () => {
  const drawn = drawAccount(
    { ...PLAIN, leadsPerDay: 15 },
    4,
    (entity, day) => entity === 0 && day === LAST ? { leads: 0 } : {},
  );
  const [tests = []] = testAll(drawn);
  const cpl = tests.find(({ metric }) => metric === "cpl");
  assertEquals(cpl?.type, "cpl_spike");
  assertEquals(cpl?.observed, null);
  assertEquals(cpl?.date, "2026-01-31");
  assertAlmostEquals(cpl?.stake ?? 0, drawn.entities[0]?.days.at(-1)?.spend ?? NaN, 1e-9);
  assert((cpl?.deviation ?? 0) > 3);
  assert(tests.find(({ metric }) => metric === "conversion_rate")?.leadsStopped);
});
