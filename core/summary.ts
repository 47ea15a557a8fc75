/** What a person reads after the jobs have run: tiers per level, the best and the worst of each. */
import { type Level, LEVEL_FACTS, LEVELS } from "./level.ts";
import type { Outstanding, Standing } from "./standing.ts";
import { TIERS } from "./tiers.ts";

/** What a summary is about. */
export type SummaryContext = {
  account: string;
  currency: string;
  asOf: string;
  /** What a CPL is compared with, null where the account has neither a target nor a lead. */
  reference: number | null;
};

const NAME_WIDTH = 48;

/** One thing to do. */
export type SummaryAdvice = {
  title: string;
  confidence_score: number;
  entity_type: Level;
  campaign_name: string | null;
};

/** Writes the summary, one string per line. */
export function summaryLines(
  { account, currency, asOf, reference }: SummaryContext,
  standings: Record<Level, Standing>,
  advice: readonly SummaryAdvice[],
): string[] {
  return [
    `${account}, 7 days to ${asOf}, in ${currency}. ` +
    (reference === null ? "There is no lead to compare with" : `Reference CPL ${money(reference)}`),
    "",
    ...tierTable(standings),
    "",
    `${"".padEnd(NAME_WIDTH)}${"spend".padStart(9)}${"CPL".padStart(8)}  tier (confidence)`,
    ...LEVELS.flatMap((level) => [
      ...lines("Best", level, standings[level].best),
      ...lines("Worst", level, standings[level].worst),
    ]),
    ...(advice.length === 0 ? [] : [
      "",
      "What to do first",
      ...advice.map(({ title, confidence_score, entity_type, campaign_name }) =>
        `  ${title} (${percent(confidence_score)} sure)` +
        (LEVEL_FACTS[entity_type].parent === null ? "" : `  in ${campaign_name}`)
      ),
    ]),
  ];
}

function tierTable(standings: Record<Level, Standing>): string[] {
  const row = (label: string, cells: string[]) =>
    label.padEnd(12) + cells.map((cell, index) => cell.padStart(columnWidth(index))).join("");
  return [
    row("", [...TIERS]),
    ...LEVELS.map((level) =>
      row(LEVEL_FACTS[level].many, TIERS.map((tier) => String(standings[level].counts[tier])))
    ),
  ];
}

function columnWidth(index: number): number {
  return (TIERS[index]?.length ?? 0) + 2;
}

function lines(title: string, level: Level, entities: Outstanding[]): string[] {
  if (entities.length === 0) return [];
  const { many, parent } = LEVEL_FACTS[level];
  return [
    `${title} ${many}`,
    ...entities.map(({ name, campaign_name, tier, confidence_score, cpl_7d, spend_7d }) =>
      `  ${shorten(name).padEnd(NAME_WIDTH - 2)}${money(spend_7d).padStart(9)}` +
      `${money(cpl_7d).padStart(8)}  ${tier} (${percent(confidence_score)})` +
      // Ads often share their names.
      (parent === null ? "" : `  in ${campaign_name}`)
    ),
  ];
}

function money(amount: number | null): string {
  return amount === null ? "none" : amount.toFixed(2);
}

/** Nothing is ever certain, so nothing is rounded up to 100 %. */
function percent(probability: number): string {
  return probability > 0.99 ? ">99 %" : `${Math.round(probability * 100)} %`;
}

function shorten(name: string): string {
  return name.length <= NAME_WIDTH - 3 ? name : `${name.slice(0, NAME_WIDTH - 4)}…`;
}
