/** How the page says things: numbers, money, tiers and certainty in a media buyer's words. */
import type { Verdict } from "../../core/rules/verdict.ts";
import type { Tier } from "../../core/tiers.ts";

/** A tier's name and what it says about the cost of a lead. */
export const TIER_WORDS: Record<Tier, { name: string; meaning: string }> = {
  HIGH_PERFORMER: { name: "High performer", meaning: "at most 0.7 × the reference" },
  MODERATE: { name: "Moderate", meaning: "0.7 to 1 × the reference" },
  LOW: { name: "Low", meaning: "1 to 1.5 × the reference" },
  UNDERPERFORMER: { name: "Underperformer", meaning: "more than 1.5 × the reference" },
};

/** An amount without its currency, with as many decimals as the currency has. */
export function amount(value: number | null, currency: string): string {
  if (value === null) return "–";
  const { maximumFractionDigits } = new Intl.NumberFormat("en", { style: "currency", currency })
    .resolvedOptions();
  return new Intl.NumberFormat("en", {
    minimumFractionDigits: maximumFractionDigits ?? 2,
    maximumFractionDigits: maximumFractionDigits ?? 2,
  }).format(value);
}

/** An amount with its currency. */
export function money(value: number | null, currency: string): string {
  return value === null ? "–" : `${amount(value, currency)} ${currency}`;
}

/** A count. */
export function count(value: number | null): string {
  return value === null ? "–" : new Intl.NumberFormat("en").format(value);
}

/** An average of counts, to a tenth. */
export function about(value: number): string {
  if (value < 0.05) return "hardly any";
  return `about ${new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(value)}`;
}

/** A probability. Nothing is certain, so it never says 0 or 100. */
export function percent(probability: number): string {
  if (probability > 0.99) return "> 99 %";
  if (probability < 0.01) return "< 1 %";
  return `${Math.round(probability * 100)} %`;
}

const SETTLED = {
  cheap: "It is cheap, and nothing has to be done now.",
  ordinary: "It is fine as it is: nothing has to be done.",
  expensive: "It is expensive, but nothing that is safe to do would help now.",
};

/** What to make of an entity, in a sentence. */
export function verdictSentence(
  { verdict, range, spend_to_settle }: Verdict,
  one: string,
  currency: string,
): string {
  if (verdict === "act") return "There is something to do, see below.";
  if (verdict === "settled" && range !== null) return SETTLED[range];
  const until = spend_to_settle === null
    ? "no spend that it could reach soon would settle it"
    : `about ${money(spend_to_settle, currency)} more of spend would settle it`;
  return `Wait: the data cannot tell yet whether this ${one} is cheap, fine or expensive; ${until}.`;
}
