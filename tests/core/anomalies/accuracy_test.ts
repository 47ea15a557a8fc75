import { assert, assertEquals } from "@std/assert";
import { LEVELS } from "../../../core/level.ts";
import {
  type AnomalyAccuracy,
  ASKED_OF_ANOMALIES,
  CLASSIC_RULES,
  classicSearch,
  measureAnomalies,
  ownSearch,
  poolAnomalyAccuracy,
  simulatePair,
  sumHits,
} from "../../anomaly_accuracy.ts";
import {
  isPartOf,
  KIND_SCENARIOS,
  ORDINARY,
  RATE_SCENARIOS,
  SIMULATED_DAYS,
  simulateReplay,
} from "../../anomaly_simulation.ts";

import { type Hits, isWithin } from "../../tier_accuracy.ts";

/** Accounts of each rate; `deno task bench alarms` has more of them, and those of other kinds. */
const SEEDS = [1, 2];

let own: AnomalyAccuracy;

Deno.test.beforeAll(() => {
  own = poolAnomalyAccuracy(RATE_SCENARIOS.map((scenario, index) =>
    measureAnomalies(
      ownSearch,
      SEEDS.map((seed) => simulatePair(scenario, index * SEEDS.length + seed)),
    )
  ));
});

Deno.test("testEntity() raises at most 2 false alarms per 1,000 entity-days of noise", () => {
  for (const { level, rate, alarms, entityDays } of own.falseAlarms) {
    assertShare("falseAlarms", { hits: alarms, of: entityDays }, `${level} at ${rate} leads`);
  }
});

Deno.test("testEntity() finds planted faults on the day on which they are due", () => {
  assertShare("recall", sumHits(own.recall));
});

Deno.test("testEntity() raises right alarms on the days of faults", () => {
  assertShare("precision", own.faultDayPrecision);
});

Deno.test("testEntity() takes neither usual overspends nor changed budgets for alarms", () => {
  const hasBudgets = KIND_SCENARIOS.filter(({ hasBudgets }) => hasBudgets);
  const pairs = hasBudgets.flatMap((scenario) => SEEDS.map((seed) => simulatePair(scenario, seed)));
  const { falseAlarms } = measureAnomalies(ownSearch, pairs);
  for (const level of LEVELS) {
    const ofLevel = falseAlarms.filter((part) => part.level === level);
    const hits = sumHits(
      ofLevel.map(({ alarms, entityDays }) => ({ hits: alarms, of: entityDays })),
    );
    assertShare("falseAlarms", hits, level);
  }
});

Deno.test("findIncidents() names the entity at which a fault was planted", () => {
  assertShare("causes", sumHits(own.causes));
});

Deno.test("continueIncidents() tells a fault of several days once", () => {
  const { hits, of } = own.incidentsPerFault;
  assert(hits <= 1.1 * of, `${hits} incidents of ${of} faults`);
});

Deno.test("classicSearch() raises alarms on a third of the entity-days of noise", () => {
  const classic = classicSearch(Object.values(CLASSIC_RULES));
  const { falseAlarms } = measureAnomalies(classic, [simulatePair(ORDINARY, 1)]);
  for (const { level, alarmedDays, entityDays } of falseAlarms) {
    if (level !== "account") assert(alarmedDays > 0.3 * entityDays, level);
  }
});

Deno.test("simulateReplay() changes nothing but the days and the line of a fault", () => {
  for (const scenario of [ORDINARY, ...KIND_SCENARIOS]) {
    const { quiet, faulty } = simulatePair(scenario, 3);
    assert(faulty.faults.length > 0, scenario.name);
    faulty.entities.forEach((entity, index) => {
      for (let day = 0; day < SIMULATED_DAYS; day++) {
        const isTouched = faulty.faults.some(({ entity: cause, from, to }) =>
          from <= day && day <= to && (isPartOf(entity, cause) || isPartOf(cause, entity))
        );
        if (!isTouched) assertEquals(entity.days[day], quiet.entities[index]?.days[day]);
      }
    });
  }
});

Deno.test("simulateReplay() has parents that are the sums of their ads", () => {
  const { account, entities } = simulateReplay(ORDINARY, 1, { withFaults: true });
  const leadsOf = (level: string) =>
    entities.filter(({ entityType }) => entityType === level)
      .flatMap(({ days }) => days)
      .reduce((sum, day) => sum + (day?.leads ?? 0), 0);
  const leads = account.days.reduce((sum, day) => sum + (day?.leads ?? 0), 0);
  assert(leads > 0);
  for (const level of ["campaign", "adset", "ad"]) assertEquals(leadsOf(level), leads);
});

function assertShare(asked: keyof typeof ASKED_OF_ANOMALIES, hits: Hits, what = ""): void {
  const isRight = isWithin(hits, ASKED_OF_ANOMALIES[asked]);
  assert(isRight, `${asked} ${what}: ${hits.hits} of ${hits.of}`);
}
