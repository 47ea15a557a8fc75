/** What a person reads after the jobs have run: tiers per level, the best and the worst of each. */
import { type Level, LEVEL_FACTS, LEVELS } from "./level.ts";
import { type Tier, TIERS } from "./tiers.ts";

/** One entity with its verdict. */
export type Verdict = {
  name: string;
  /** The name of the campaign that it is in, null for a campaign: ads often share their names. */
  campaign: string | null;
  tier: Tier;
  /** The posterior probability of the tier. */
  confidence: number;
  /** The last seven days' cost per lead, null without leads. */
  cpl: number | null;
  spend: number;
};

/** What a summary is about. */
export type SummaryContext = {
  account: string;
  currency: string;
  asOf: string;
  /** What a CPL is compared with, null where the account has neither a target nor a lead. */
  reference: number | null;
};

/** How many of the best and of the worst are named on each level. */
const NAMED = 2;
const NAME_WIDTH = 48;

/** Writes the summary, one string per line. */
export function summaryLines(
  { account, currency, asOf, reference }: SummaryContext,
  verdicts: Record<Level, Verdict[]>,
): string[] {
  const money = (amount: number | null) => amount === null ? "none" : amount.toFixed(2);
  return [
    `${account}, 7 days to ${asOf}, in ${currency}. ` +
    (reference === null ? "There is no lead to compare with" : `Reference CPL ${money(reference)}`),
    "",
    ...tierTable(verdicts),
    "",
    `${"".padEnd(NAME_WIDTH)}${"spend".padStart(9)}${"CPL".padStart(8)}  tier (confidence)`,
    ...LEVELS.flatMap((level) => {
      // What spent nothing this week is neither news nor a decision to take.
      const ranked = verdicts[level].filter((each) => each.spend > 0).toSorted(bestFirst);
      const best = ranked.slice(0, NAMED);
      const worst = ranked.slice(NAMED).toSorted(worstFirst).slice(0, NAMED);
      return [
        ...lines(`Best ${LEVEL_FACTS[level].many}`, best, money),
        ...lines(`Worst ${LEVEL_FACTS[level].many}`, worst, money),
      ];
    }),
  ];
}

function tierTable(verdicts: Record<Level, Verdict[]>): string[] {
  const row = (label: string, cells: string[]) =>
    label.padEnd(12) + cells.map((cell, index) => cell.padStart(columnWidth(index))).join("");
  return [
    row("", [...TIERS]),
    ...LEVELS.map((level) =>
      row(
        LEVEL_FACTS[level].many,
        TIERS.map((tier) => String(verdicts[level].filter((each) => each.tier === tier).length)),
      )
    ),
  ];
}

function columnWidth(index: number): number {
  return (TIERS[index]?.length ?? 0) + 2;
}

function lines(
  title: string,
  verdicts: Verdict[],
  money: (amount: number | null) => string,
): string[] {
  if (verdicts.length === 0) return [];
  return [
    title,
    ...verdicts.map(({ name, campaign, tier, confidence, cpl, spend }) =>
      `  ${shorten(name).padEnd(NAME_WIDTH - 2)}${money(spend).padStart(9)}` +
      `${money(cpl).padStart(8)}  ${tier} (${percent(confidence)})` +
      (campaign === null ? "" : `  in ${campaign}`)
    ),
  ];
}

/** Nothing is ever certain, so nothing is rounded up to 100 %. */
function percent(probability: number): string {
  return probability > 0.99 ? ">99 %" : `${Math.round(probability * 100)} %`;
}

function shorten(name: string): string {
  return name.length <= NAME_WIDTH - 3 ? name : `${name.slice(0, NAME_WIDTH - 4)}…`;
}

function bestFirst(a: Verdict, b: Verdict): number {
  return TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) || b.confidence - a.confidence;
}

function worstFirst(a: Verdict, b: Verdict): number {
  return TIERS.indexOf(b.tier) - TIERS.indexOf(a.tier) || b.confidence - a.confidence;
}
