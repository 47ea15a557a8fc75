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
    `${title}: ${sample.placebos} accounts of each kind without a change, and ${sample.changes} with ` +
      "each change. What has no other days is measured over a week on each side.",
    [
      "",
      "placebos",
      "chosen as worst",
      "",
      "-30 % found",
      "",
      "by an oracle",
      "95 % intervals",
      "",
      "2 weeks: placebos",
      "as worst",
      "",
      "found",
      "",
      "3 leads a day",
      "+40 %",
      "spend -20 %",
      "its intervals",
    ],
    [
      ["asked", "6 %", "6 %", "", "70 %", "", "", "93 %", "", "6 %", "6 %", "", "70 %"],
      ...rows.map(({ name, of }) => summaryRow(name, of)),
    ],
  );
}

function summaryRow(name: string, of: ImpactAccuracy): string[] {
  const arePlacebosFew = (...placebos: Hits[]) =>
    placebos.every((hits) => isWithin(hits, ASKED_OF_IMPACT.placebos));
  return [
    name,
    share(of.random),
    share(of.worst),
    verdict(arePlacebosFew(of.random, of.worst)),
    share(of.cheaper),
    verdict(isWithin(of.cheaper, ASKED_OF_IMPACT.found)),
    share(of.cheaperByOracle),
    share(of.interval),
    verdict(isWithin(of.interval, ASKED_OF_IMPACT.interval)),
    share(of.randomInTwoWeeks),
    share(of.worstInTwoWeeks),
    verdict(arePlacebosFew(of.randomInTwoWeeks, of.worstInTwoWeeks)),
    share(of.cheaperInTwoWeeks),
    verdict(isWithin(of.cheaperInTwoWeeks, ASKED_OF_IMPACT.found)),
    share(of.cheaperWithFewLeads),
    share(of.dearer),
    share(of.spend),
    share(of.spendInterval),
  ];
}

function share({ hits, of }: Hits): string {
  return `${(100 * hits / of).toFixed(1)} %`;
}
