/** Alarms in simulated accounts against the truth, beside those of the classic rules. */
import { LEVELS } from "../../core/level.ts";
import {
  type AnomalyAccuracy,
  ASKED_OF_ANOMALIES,
  CLASSIC_RULES,
  classicSearch,
  measureAnomalies,
  measureLuck,
  ownSearch,
  poolAnomalyAccuracy,
  RATES,
  type Search,
  type SimulatedLevel,
  simulatePair,
  sumHits,
} from "../anomaly_accuracy.ts";
import {
  FAULT_KINDS,
  KIND_SCENARIOS,
  LUCK_SCENARIOS,
  RATE_SCENARIOS,
} from "../anomaly_simulation.ts";
import { type Hits, isWithin } from "../tier_accuracy.ts";
import { printTable, verdict } from "./report.ts";

/** Nothing is developed with these seeds: they belong to the proof. */
const FIRST_SEED = 1000;

const ALL_LEVELS: SimulatedLevel[] = ["account", ...LEVELS];

/** Measures and prints all searches on the same accounts. */
export async function benchAnomalies(title: string, seeds: number): Promise<void> {
  const searches: [name: string, search: Search][] = [
    ["adstrata", ownSearch],
    ["classic: z-score > 2.5", classicSearch([CLASSIC_RULES["z-score > 2.5"]])],
    ["classic: outside 1.5 IQR", classicSearch([CLASSIC_RULES["outside 1.5 IQR"]])],
    ["classic: 3 days against 7", classicSearch([CLASSIC_RULES["3 days against 7 by 30 %"]])],
    ["classic: any of the three", classicSearch(Object.values(CLASSIC_RULES))],
  ];
  const measured = searches.map(([name]) => ({ name, parts: new Map<string, AnomalyAccuracy>() }));
  for (const [index, scenario] of [...RATE_SCENARIOS, ...KIND_SCENARIOS].entries()) {
    const pairs = Array.from(
      { length: seeds },
      (_, seed) => simulatePair(scenario, FIRST_SEED + index * seeds + seed),
    );
    searches.forEach(([, search], which) => {
      measured[which]?.parts.set(scenario.name, measureAnomalies(search, pairs));
    });
  }
  const pooled = measured.map(({ name, parts }) => ({
    name,
    parts,
    accuracy: poolAnomalyAccuracy([...parts.values()]),
    ofRates: poolAnomalyAccuracy(RATE_SCENARIOS.flatMap(({ name }) => parts.get(name) ?? [])),
  }));
  const [own] = pooled;
  if (own === undefined) return;
  printTable(
    `${title}: ${seeds} simulated accounts of each kind, replayed over 21 days. False alarms per ` +
      `1,000 entity-days\n  of pure noise, by the leads a day of an entity; at most 2 are asked.`,
    ["", "", ...RATES.map(String), "all", "days with any", ""],
    pooled.flatMap(({ name, ofRates }) => falseAlarmRows(name, ofRates)),
  );
  printTable(
    `${title}: planted faults found by the day on which they were due; 88 % are asked.`,
    ["", "", ...ALL_LEVELS],
    pooled.flatMap(({ name, accuracy }) => recallRows(name, accuracy)),
  );
  printTable(
    `${title}: all of it, by kind of account. Right cause: of the incidents of several entities ` +
      `around a fault,\n  those that name the one with the fault.`,
    [
      "",
      "",
      "false alarms",
      "found when due",
      "found at all",
      "right alarms",
      "on days of faults",
      "right incidents",
      "right cause",
      "per fault",
      "",
    ],
    [
      ["asked", "", "2.00", "88.0 %", "", "92.0 %", "92.0 %", "92.0 %", "90.0 %", "1"],
      ...[...own.parts].map(([scenario, accuracy]) => summaryRow("adstrata", scenario, accuracy)),
      ...pooled.map(({ name, accuracy }) => summaryRow(name, "all together", accuracy)),
    ],
  );
  printTable(
    `${title}: what the wrong alarms of adstrata are, the most frequent first.`,
    ["", "alarms"],
    [
      ...mostFrequent("on pure noise", own.accuracy.falseTypes),
      ...mostFrequent("beside faults", own.accuracy.wrongAlarms),
    ],
  );
  printTable(
    `${title}: alarms on pure noise, and on the same days shuffled.`,
    ["", "as they are", "shuffled"],
    await Array.fromAsync(LUCK_SCENARIOS, async (scenario) => {
      const luck = await measureLuck(
        scenario,
        Array.from({ length: seeds }, (_, seed) => FIRST_SEED + seed),
      );
      return [scenario.name, String(luck.alarms), luck.expectedByLuck.toFixed(1)];
    }),
  );
}

function mostFrequent(where: string, counts: Map<string, number>): string[][] {
  return [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 8)
    .map(([what, count]) => [`${where}: ${what}`, String(count)]);
}

function falseAlarmRows(name: string, { falseAlarms }: AnomalyAccuracy): string[][] {
  return ALL_LEVELS.map((level) => {
    const ofLevel = falseAlarms.filter((part) => part.level === level)
      .map((part) => ({ ...part, hits: part.alarms, of: part.entityDays }));
    const cells = RATES.map((rate) => sumHits(ofLevel.filter((part) => part.rate === rate)));
    const isMet = [...cells, sumHits(ofLevel)]
      .every((hits) => isWithin(hits, ASKED_OF_ANOMALIES.falseAlarms));
    return [
      name,
      level,
      ...cells.map(perThousand),
      perThousand(sumHits(ofLevel)),
      share(sumHits(ofLevel.map(({ alarmedDays: hits, of }) => ({ hits, of })))),
      verdict(isMet),
    ];
  });
}

function recallRows(name: string, { recall }: AnomalyAccuracy): string[][] {
  return FAULT_KINDS.map((kind) => [
    name,
    kind,
    ...ALL_LEVELS.map((level) =>
      share(sumHits(recall.filter((part) => part.kind === kind && part.level === level)))
    ),
  ]);
}

function summaryRow(name: string, scenario: string, accuracy: AnomalyAccuracy): string[] {
  const falseAlarms = sumHits(
    accuracy.falseAlarms.map(({ alarms, entityDays }) => ({ hits: alarms, of: entityDays })),
  );
  const recall = sumHits(accuracy.recall);
  const causes = sumHits(accuracy.causes);
  const isMet = isWithin(falseAlarms, ASKED_OF_ANOMALIES.falseAlarms) &&
    isWithin(recall, ASKED_OF_ANOMALIES.recall) &&
    isWithin(accuracy.precision, ASKED_OF_ANOMALIES.precision) &&
    isWithin(accuracy.incidentPrecision, ASKED_OF_ANOMALIES.precision) &&
    isWithin(causes, ASKED_OF_ANOMALIES.causes);
  const { hits: incidents, of: faults } = accuracy.incidentsPerFault;
  return [
    name,
    scenario,
    perThousand(falseAlarms),
    share(recall),
    share(accuracy.foundAtAll),
    share(accuracy.precision),
    share(accuracy.faultDayPrecision),
    share(accuracy.incidentPrecision),
    share(causes),
    faults === 0 ? "" : (incidents / faults).toFixed(2),
    verdict(isMet),
  ];
}

function perThousand({ hits, of }: Hits): string {
  return of === 0 ? "" : (1000 * hits / of).toFixed(2);
}

function share({ hits, of }: Hits): string {
  return of === 0 ? "" : `${(100 * hits / of).toFixed(1)} % of ${of}`;
}
