/** Recommendations for simulated accounts against the truth, beside an oracle and the raw rules. */
import { BANDS } from "../../core/replay.ts";
import type { Sql } from "../../db/connect.ts";
import {
  ADVICE_SCENARIOS,
  type AdviceAccuracy,
  ASKED_OF_ADVICE,
  FOUND_TYPES,
  measureAdvice,
  measureTrends,
  type Mind,
  MINDS,
  poolAdvice,
  TREND_SCENARIOS,
} from "../recommendation_accuracy.ts";
import { type Hits, isWithin } from "../tier_accuracy.ts";
import { printTable, verdict } from "./report.ts";

/** Measures and prints all scenarios, on a migrated database without accounts. */
export async function benchAdvice(sql: Sql, title: string, seeds: number): Promise<void> {
  const measured: { name: string; hasEquals: boolean; of: Record<Mind, AdviceAccuracy> }[] = [];
  for (const [index, scenario] of ADVICE_SCENARIOS.entries()) {
    const firstConfigId = 1 + index * seeds;
    measured.push({
      name: scenario.name,
      hasEquals: scenario.adDeviation === 0,
      of: await measureAdvice(sql, scenario, { seeds, firstConfigId }),
    });
  }
  const pooled = poolAdvice(measured.filter(({ hasEquals }) => !hasEquals).map(({ of }) => of));
  const rows = [
    ...measured,
    { name: "all whose siblings differ", hasEquals: false, of: pooled },
  ];
  printTable(
    `${title}: ${seeds} simulated accounts of each kind.`,
    [
      "",
      "",
      "paused below 1.2 x",
      "paused the best",
      "winners right",
      "ad sets with winners",
      "scaled right",
      ...FOUND_TYPES.map((type) => `oracle's ${type}`),
      "",
    ],
    [
      ["asked", "", "5 %", "1 %", "80 %", "2 % of equals", "85 %", "85 %", "85 %", "85 %"],
      ...MINDS.flatMap((mind) =>
        rows.map(({ name, hasEquals, of }) => summaryRow(mind, name, of[mind], hasEquals))
      ),
    ],
  );
  printTable(
    `${title}: true claims by their confidence, of all whose siblings differ.`,
    ["", "mean confidence", "true", ""],
    pooled.adstrata.bands.map(({ hits, of, confidence }, band) => [
      `${percent(BANDS[band] ?? 0)} to ${percent(BANDS[band + 1] ?? 1)}`,
      of === 0 ? "" : percent(confidence / of),
      share({ hits, of }),
      of < 100 ? "" : verdict(
        Math.abs(hits - confidence) / of <= ASKED_OF_ADVICE.calibration,
      ),
    ]),
  );
  const firstTrend = 1 + ADVICE_SCENARIOS.length * seeds;
  printTable(
    `${title}: what is said of changes of the true rates, and the tired creatives that are found.`,
    ["", "CTR fell: confidence", "true", "CPL rose: confidence", "true", "tired ads found"],
    await Array.fromAsync(TREND_SCENARIOS.entries(), async ([index, scenario]) => {
      const firstConfigId = firstTrend + index * seeds;
      const { claims, found } = await measureTrends(sql, scenario, { seeds, firstConfigId });
      const told = ({ hits, of, confidence }: Hits & { confidence: number }) => [
        of === 0 ? "" : percent(confidence / of),
        share({ hits, of }),
      ];
      return [
        scenario.name,
        ...told(claims.ctr_change),
        ...told(claims.cpl_change),
        share(found),
      ];
    }),
  );
}

function summaryRow(
  mind: Mind,
  name: string,
  accuracy: AdviceAccuracy,
  hasEquals: boolean,
): string[] {
  const { pausedNearReference, pausedBest, winners, crowned, scaled, found } = accuracy;
  const isMet = isWithin(pausedNearReference, ASKED_OF_ADVICE.pausedNearReference) &&
    isWithin(scaled, ASKED_OF_ADVICE.scaled) &&
    (hasEquals
      ? isWithin(crowned, ASKED_OF_ADVICE.crownedAmongEquals)
      : isWithin(pausedBest, ASKED_OF_ADVICE.pausedBest) &&
        isWithin(winners, ASKED_OF_ADVICE.winners) &&
        FOUND_TYPES.every((type) => isWithin(found[type], ASKED_OF_ADVICE.found)));
  return [
    mind,
    name,
    share(pausedNearReference),
    hasEquals ? "" : share(pausedBest),
    share(winners),
    share(crowned),
    share(scaled),
    ...FOUND_TYPES.map((type) => share(found[type])),
    verdict(isMet),
  ];
}

function share({ hits, of }: Hits): string {
  return of === 0 ? "" : `${percent(hits / of)} of ${of}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
