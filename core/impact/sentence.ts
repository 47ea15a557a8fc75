/** What a change did, in words, and what to do about it. */
import { type Level, LEVEL_FACTS } from "../level.ts";
import {
  type Control,
  type Impact,
  type ImpactVerdict,
  LEAST_DAYS,
  type Missing,
} from "./analyze.ts";
import type { ChangeType } from "./change.ts";

/** Something of an account, with its name. */
export type Named = { entityType: Level | "account"; name: string };

/** What words are made of. */
export type Subject = {
  /** What was changed. */
  changed: Named;
  /** On what it was measured. */
  measured: Named;
  changeType: ChangeType;
  smallPercent: number;
};

/** One sentence: the effect on the CPL, how sure it is, and what it was compared with. */
export function impactSentence({ verdict, metrics, control }: Impact, subject: Subject): string {
  const [cpl] = metrics;
  if (!cpl) return "";
  const { pct_change, interval } = cpl;
  const what = `the CPL of ${nameOf(subject.measured)}`;
  const isElsewhere = subject.measured.entityType !== subject.changed.entityType;
  const event = isElsewhere
    ? `After ${nameOf(subject.changed)} was ${
      subject.changeType === "pause" ? "paused" : "started"
    }, `
    : "";
  const ends = new Set([change(interval.low), change(interval.high)]);
  const range = [...ends].join(" to ");
  const found = {
    positive: `${what} is ${change(pct_change)} than it would have been (95 % sure: ${range})`,
    negative: `${what} is ${change(pct_change)} than it would have been (95 % sure: ${range})`,
    neutral: `${what} is what it would have been to within ${subject.smallPercent} % ` +
      `(95 % sure: ${range})`,
    inconclusive:
      `it cannot be told what became of ${what}: anything from ${range} than it would ` +
      "have been is possible",
  }[verdict];
  return capitalized(`${event}${found}, ${comparison(control, subject.measured)}.`);
}

/** Why nothing can be said of a change. */
export function missingSentence({ what, days, of }: Missing["missing"], measured: Named): string {
  const name = nameOf(measured);
  if (what === "spend") {
    return capitalized(`${name} spent nothing after the change: no lead has a cost then`);
  }
  if (what === "leads") {
    return `There are no leads before the change that the CPL of ${name} could be compared with`;
  }
  const which = what === "days_before"
    ? `on ${days} of the ${of} days before the change`
    : `on ${days} of the ${of} complete days after the change`;
  return capitalized(
    `${name} delivered ${which}, and an analysis takes ${LEAST_DAYS}: there is too little data`,
  );
}

function comparison({ kind, siblings, others }: Control, { entityType }: Named): string {
  if (kind === "none" || entityType === "account") {
    return "although nothing unchanged could be compared with, so that all that weeks usually do " +
      "is allowed for";
  }
  const count = kind === "siblings" ? siblings : others;
  const { one, many } = LEVEL_FACTS[entityType];
  const where = kind === "siblings" ? "beside it" : "of the account";
  const unchanged = count === 1
    ? `one ${one} ${where} that was not changed`
    : `${count} ${many} ${where} that were not changed`;
  return `compared with ${unchanged}`;
}

function nameOf({ entityType, name }: Named): string {
  return entityType === "account" ? "the account" : `${LEVEL_FACTS[entityType].one} “${name}”`;
}

function change(percent: number): string {
  const size = Math.abs(percent);
  const digits = size < 10 ? 1 : 0;
  // A lead or none: the numbers say no more than that.
  if (percent > 1000) return "more than 1000 % higher";
  return `${size.toFixed(digits)} % ${percent < 0 ? "lower" : "higher"}`;
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

const ADVICE: Record<ImpactVerdict, Record<"change" | "pause" | "reactivate", string>> = {
  positive: {
    change: "Keep the change",
    pause: "Leave it paused",
    reactivate: "Leave it running",
  },
  negative: {
    change: "Take the change back, or try another one",
    pause: "Think about starting it again",
    reactivate: "Think about pausing it again",
  },
  neutral: {
    change: "The cost per lead is no reason to keep or to undo the change",
    pause: "The cost per lead is no reason to start it again",
    reactivate: "The cost per lead is no reason to pause it again",
  },
  inconclusive: {
    change: "Wait before you judge the change",
    pause: "Leave it paused until more is known",
    reactivate: "Let it run until more is known",
  },
};

/**
 * What to do.
 *
 * @param later The day from which a longer window tells more; null where there is no longer one.
 */
export function impactAdvice(
  verdict: ImpactVerdict,
  changeType: ChangeType,
  later: string | null,
): string {
  const kind = changeType === "pause" || changeType === "reactivate" ? changeType : "change";
  const advice = ADVICE[verdict][kind];
  if (verdict !== "inconclusive") return `${advice}.`;
  return later === null
    ? `${advice}; this account has too few leads, or moves too much, to tell.`
    : `${advice}: after ${later} a longer window may tell more.`;
}
