/** The impact of changes in simulated accounts against the truth. */
import {
  ASKED_OF_IMPACT,
  type ImpactAccuracy,
  measureImpact,
  poolImpact,
  type Sample,
} from "../impact_accuracy.ts";
import { IMPACT_SCENARIOS } from "../impact_simulation.ts";
import { type Hits, isWithin } from "../tier_accuracy.ts";
import { printTable, verdict } from "./report.ts";

/** Measures and prints all kinds of accounts. */
export function benchImpact(title: string, sample: Sample): void {
  const measured = IMPACT_SCENARIOS.map((scenario) => ({
    name: scenario.name,
    of: measureImpact(scenario, sample),
  }));
  const rows = [...measured, { name: "all", of: poolImpact(measured.map(({ of }) => of)) }];
  printTable(
    `${title}: ${sample.placebos} accounts of each kind without a change, twice asked about, and ` +
      `${sample.changes} with each change.`,
    [
      "",
      "placebos",
      "chosen as worst",
      "",
      "-30 % found",
      "",
      "95 % intervals",
      "",
      "in 2 weeks",
      "3 leads a day",
      "+40 %",
      "spend -20 %",
      "its intervals",
    ],
    [
      ["asked", "6 %", "6 %", "", "70 %", "", "93 %"],
      ...rows.map(({ name, of }) => summaryRow(name, of)),
    ],
  );
}

function summaryRow(name: string, of: ImpactAccuracy): string[] {
  const areMet = isWithin(of.random, ASKED_OF_IMPACT.placebos) &&
    isWithin(of.worst, ASKED_OF_IMPACT.placebos);
  return [
    name,
    share(of.random),
    share(of.worst),
    verdict(areMet),
    share(of.cheaper),
    verdict(isWithin(of.cheaper, ASKED_OF_IMPACT.found)),
    share(of.interval),
    verdict(isWithin(of.interval, ASKED_OF_IMPACT.interval)),
    share(of.cheaperInTwoWeeks),
    share(of.cheaperWithFewLeads),
    share(of.dearer),
    share(of.spend),
    share(of.spendInterval),
  ];
}

function share({ hits, of }: Hits): string {
  return `${(100 * hits / of).toFixed(1)} %`;
}
