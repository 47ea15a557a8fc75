/** Tiers of simulated accounts against the truth. */
import { LEVELS } from "../../core/level.ts";
import type { Sql } from "../../db/connect.ts";
import { SCENARIOS } from "../simulation.ts";
import {
  type Accuracy,
  ASKED_DISTANCES,
  ASKED_SHARES,
  type Hits,
  isWithin,
  measureTiers,
  poolAccuracy,
} from "../tier_accuracy.ts";
import { printTable, verdict } from "./report.ts";

/** Measures and prints all scenarios, on a migrated database without accounts. */
export async function benchTiers(sql: Sql, title: string, seeds: number): Promise<void> {
  const rows: string[][] = [];
  const parts: Accuracy[] = [];
  for (const [index, scenario] of SCENARIOS.entries()) {
    const accuracy = await measureTiers(sql, scenario, { seeds, firstConfigId: 1 + index * seeds });
    parts.push(accuracy);
    rows.push(...accuracyRows(scenario.name, accuracy));
  }
  rows.push(...accuracyRows("all together", poolAccuracy(parts)));
  const { likely, sure, interval80 } = ASKED_SHARES;
  const range = ({ low, high }: { low: number; high: number }) =>
    `${percent(low)} to ${percent(high)}`;
  printTable(
    `${title}: ${seeds} simulated accounts of each kind. Distance: of the tiers from the true ones, by ` +
      `that of tiers\n  from raw CPLs of 7 days. The shares are judged within 2.5 standard errors.`,
    ["", "", "distance", "right at 0.6-0.8", "right at 0.8-1", "in 80 % interval", "in 95 %", ""],
    [
      [
        "asked",
        "",
        `${ASKED_DISTANCES.campaign}, of ads ${ASKED_DISTANCES.ad}`,
        range(likely),
        range(sure),
        range(interval80),
      ],
      ...rows,
    ],
  );
}

function accuracyRows(name: string, accuracy: Accuracy): string[][] {
  return LEVELS.map((level) => {
    const { distance, rawDistance, likely, sure, interval80, interval95 } = accuracy[level];
    const ratio = distance / rawDistance;
    const isMet = ratio <= ASKED_DISTANCES[level] && isWithin(likely, ASKED_SHARES.likely) &&
      isWithin(sure, ASKED_SHARES.sure) && isWithin(interval80, ASKED_SHARES.interval80);
    return [
      name,
      level,
      `${ratio.toFixed(3)} x`,
      share(likely),
      share(sure),
      share(interval80),
      share(interval95),
      verdict(isMet),
    ];
  });
}

function share({ hits, of }: Hits): string {
  return `${percent(hits / of)} of ${of}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
