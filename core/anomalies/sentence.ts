/** What happened, in one sentence. Sentences are stored and read later: days are given as dates. */
import { LEVEL_FACTS, LEVELS } from "../level.ts";
import { cplFactors, type FactorChange } from "./cpl_factors.ts";
import type { AnomalyTest } from "./detect.ts";
import { sumOfDays, windowOf } from "./history.ts";
import { RATES } from "./metrics.ts";
import type { Alarm } from "./select.ts";
import { alarmOf, type Branch } from "./tree.ts";

/** What is told. */
export type Story = {
  cause: Branch;
  /** What stands out there. */
  alarm: Alarm;
  /** What else does. */
  others: Alarm[];
  /** The widest branch above the cause that shows the same, and the cause's share of it. */
  above: { branch: Branch; alarm: Alarm; share: number } | null;
};

/** A value against its expectation. */
type Change = {
  metric: AnomalyTest["metric"] | FactorChange["factor"];
  expected: number;
  /** Null is a CPL without a lead. */
  observed: number | null;
  windowDays: number;
};

const METRICS: Record<
  Change["metric"],
  { name: string; unit: "money" | "percent" | "number"; isPerDay?: boolean }
> = {
  spend: { name: "spend", unit: "money", isPerDay: true },
  impressions: { name: "impressions", unit: "number", isPerDay: true },
  reach: { name: "reach", unit: "number", isPerDay: true },
  frequency: { name: "frequency", unit: "number" },
  ctr: { name: "CTR", unit: "percent" },
  cpl: { name: "CPL", unit: "money" },
  conversion_rate: { name: "conversion rate", unit: "percent" },
  cpc: { name: "cost per click", unit: "money" },
  cpm: { name: "CPM", unit: "money" },
};

/**
 * Says what happened and, after a colon, why: what the cause itself did or, of a CPL, what its
 * factors did. What else stands out at the cause follows after semicolons, without a claim that one
 * made the other.
 */
export function sentenceOf({ cause, alarm, others, above }: Story, currency: string): string {
  const told = above?.alarm ?? alarm;
  const head = above === null
    ? headOf(cause, alarm, currency)
    : `${capital(nameOf(cause))} caused ${Math.round(100 * above.share)} % of ` +
      effectOn(above.branch, told, currency);
  const reason = told.metric === "cpl"
    ? whyCpl(cause, told, currency)
    : above && whatCauseDid(cause, told, currency);
  // Impressions are what spend buys, and a reason of a CPL speaks of all rates.
  const isSaid = new Set<string>([
    told.metric,
    "impressions",
    ...told.metric === "cpl" && reason ? RATES : [],
  ]);
  if (told.type === "tracking_break") isSaid.add("cpl");
  const besides = others.flatMap((other) => {
    const said = isSaid.has(other.metric) ? null : whatCauseDid(cause, told, currency, other);
    return said === null ? [] : [`; ${said}`];
  });
  return head + (reason ? `: ${reason}` : "") + besides.join("");
}

/** What the cause did over the days that are told of; null where those do not show its alarm. */
function whatCauseDid(cause: Branch, told: Alarm, currency: string, alarm = told): string | null {
  const { date, windowDays } = told;
  const seen = alarmOf(cause, { ...alarm, date, windowDays });
  return seen !== null && isUp(seen) === isUp(alarm) ? changeSaid(seen, currency) : null;
}

/** Which factors of the cause's CPL moved; null where that is not known. */
function whyCpl({ history, profile }: Branch, told: Alarm, currency: string): string | null {
  const factors = cplFactors(history, profile, told);
  if (factors !== null) return factorsSaid(factors, told, currency);
  const { start, end } = windowOf(history, profile.options.asOf, told);
  return sumOfDays(history.days.slice(start, end))?.clicks === 0 ? "it had no click" : null;
}

function headOf(branch: Branch, alarm: Alarm, currency: string): string {
  const { type, metric, observed, expected, windowDays } = alarm;
  const name = nameOf(branch);
  const when = whenOf(alarm);
  if (type === "tracking_break" && observed === 0) {
    return `No lead was counted for ${name} ${when} while clicks went on: the pixel or the form may ` +
      `be broken`;
  }
  if (type === "zero_spend" && observed === 0) {
    const usual = rounded(expected / windowDays);
    const aDay = windowDays === 1 ? "" : " a day";
    return `${capital(name)} spent nothing ${when} instead of ${usual} ${currency}${aDay}`;
  }
  if (type === "reach_saturation") {
    return `${capital(name)} reached hardly anybody new ${when} while its impressions grew`;
  }
  if (observed === null) {
    return `${capital(name)} spent ${spentOver(branch, alarm, currency)} without a lead ${when}, ` +
      `at a usual CPL of ${rounded(expected)} ${currency}`;
  }
  return `The ${METRICS[metric].name} of ${name} ${movement(alarm, currency)} ${when}`;
}

/** What the cause had a part in. */
function effectOn(branch: Branch, alarm: Alarm, currency: string): string {
  const name = nameOf(branch);
  const when = whenOf(alarm);
  if (alarm.observed === null) {
    const spent = spentOver(branch, alarm, currency);
    return `the missing leads of ${name}, which spent ${spent} without one ${when}`;
  }
  return `the ${isUp(alarm) ? "rise" : "fall"} of the ${METRICS[alarm.metric].name} of ${name} ` +
    `${range(alarm, currency)} ${when}`;
}

/** The factors that moved, the larger part first, and the one that did not. */
function factorsSaid(factors: FactorChange[], { windowDays }: Alarm, currency: string): string {
  const said = (changes: FactorChange[]): string =>
    changes.filter(({ isUnchanged }) => !isUnchanged).map((change, index) => {
      const { factor: metric, share, expected, observed, factors } = change;
      const parts = factors.length > 0 ? ` (${said(factors)})` : "";
      const joint = index === 0 ? "" : share > 0 ? " and " : " although ";
      return joint + changeSaid({ metric, expected, observed, windowDays }, currency) + parts;
    }).join("");
  const unchanged = factors.find(({ isUnchanged }) => isUnchanged);
  return said(factors) + (unchanged ? `, ${METRICS[unchanged.factor].name} unchanged` : "");
}

function changeSaid(change: Change, currency: string): string {
  if (change.observed === null) return "it had no lead at all";
  return `its ${METRICS[change.metric].name} ${movement(change, currency)}`;
}

function movement(change: Change, currency: string): string {
  return `${isUp(change) ? "rose" : "fell"} ${range(change, currency)}`;
}

function isUp({ observed, expected }: Pick<Change, "observed" | "expected">): boolean {
  return observed === null || observed > expected;
}

/** From what was expected to what was observed; sums per day. */
function range({ metric, expected, observed, windowDays }: Change, currency: string): string {
  const { unit, isPerDay } = METRICS[metric];
  const scale = unit === "percent" ? 100 : isPerDay ? 1 / windowDays : 1;
  const suffix = unit === "percent" ? " %" : unit === "money" ? ` ${currency}` : "";
  // As many digits as it takes to see that both are not the same.
  const [from, to] = [2, 3, 4, 5, 6]
    .map((digits) => [expected, observed ?? 0].map((value) => rounded(value * scale, digits)))
    .find(([from, to]) => from !== to) ?? [expected, observed];
  return `from ${from} to ${to}${suffix}${isPerDay ? " a day" : ""}`;
}

function spentOver({ history, profile }: Branch, alarm: Alarm, currency: string): string {
  const { start, end } = windowOf(history, profile.options.asOf, alarm);
  return `${rounded(sumOfDays(history.days.slice(start, end))?.spend ?? 0)} ${currency}`;
}

function whenOf({ date, windowDays }: Alarm): string {
  return windowDays === 1 ? `on ${date}` : `in the ${windowDays} days to ${date}`;
}

/** How numbers of so many digits are written; kept, as making it is slow. */
const formats = new Map<number, Intl.NumberFormat>();

/** Two digits, or all before the point, as people say numbers. */
function rounded(value: number, digits = 2): string {
  if (value === 0) return "0";
  const least = Math.max(Math.ceil(Math.log10(Math.abs(value) + 1)), digits);
  const format = formats.getOrInsertComputed(
    least,
    () =>
      new Intl.NumberFormat("en", {
        minimumSignificantDigits: least,
        maximumSignificantDigits: least,
        useGrouping: false,
      }),
  );
  return format.format(value);
}

function nameOf({ place, name, history }: Branch): string {
  const level = LEVELS.find((level) => level === place);
  const words = name.split(/\s+/).filter(Boolean).join(" ") || history.entityId;
  const quote = words.includes("'") ? '"' : "'";
  return `${level === undefined ? "account" : LEVEL_FACTS[level].one} ${quote}${words}${quote}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
