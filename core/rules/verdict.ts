/** What can be said of an entity: there is something to do, it is fine, or wait. */
import { pgamma } from "lib-r-math.js";
import { cplMedian, type Posterior } from "../evidence.ts";
import type { AccountSettings } from "./settings.ts";

/** The ranges of the CPL ratio that ask for different things. */
export const RANGES = ["cheap", "ordinary", "expensive"] as const;

/** One of them. */
export type Range = typeof RANGES[number];

/** What is known about an entity's range. */
export type Verdict = {
  /** `act`: something is recommended; `settled`: its range is known; `wait`: it is not. */
  verdict: "act" | "settled" | "wait";
  /** The most probable range, null where nothing is known. */
  range: Range | null;
  probabilities: Record<Range, number> | null;
  /**
   * How much more it has to spend until the range would be known, if its CPL is what it seems to be;
   * null if it is settled, or if no spend that it could reach would settle it.
   */
  spend_to_settle: number | null;
};

/** No more than so many times what has been spent is worth waiting for. */
const MOST_SPEND = 1000;

/**
 * Says whether it is known in which range the CPL of an entity lies.
 *
 * @param subject What is known of it, null where nothing is; what a CPL is compared with, null where
 * there is nothing; and whether something is recommended.
 */
export function verdictOf(
  { posterior, reference, hasAdvice }: {
    posterior: Posterior | null;
    reference: number | null;
    hasAdvice: boolean;
  },
  { verdicts }: Pick<AccountSettings, "verdicts">,
): Verdict {
  if (posterior === null || reference === null) {
    const verdict = hasAdvice ? "act" : "wait";
    return { verdict, range: null, probabilities: null, spend_to_settle: null };
  }
  const rangesOf = ({ alpha, beta }: Posterior): Record<Range, number> => {
    const isCheaper = (ratio: number) =>
      pgamma(1 / (ratio * reference), alpha, beta, undefined, false);
    const cheap = isCheaper(verdicts.cheap_ratio);
    const notExpensive = isCheaper(verdicts.expensive_ratio);
    return { cheap, ordinary: notExpensive - cheap, expensive: 1 - notExpensive };
  };
  const isSettled = (after: Posterior) =>
    Math.max(...Object.values(rangesOf(after))) >= verdicts.probability;
  const probabilities = rangesOf(posterior);
  const range = RANGES.reduce((best, each) =>
    probabilities[each] > probabilities[best] ? each : best
  );
  if (hasAdvice || isSettled(posterior)) {
    const verdict = hasAdvice ? "act" : "settled";
    return { verdict, range, probabilities, spend_to_settle: null };
  }
  const cpl = cplMedian(posterior);
  const after = (spend: number) => ({
    alpha: posterior.alpha + spend / cpl,
    beta: posterior.beta + spend,
  });
  return {
    verdict: "wait",
    range,
    probabilities,
    spend_to_settle: leastThat(
      (spend) => isSettled(after(spend)),
      posterior.beta * MOST_SPEND,
    ),
  };
}

/** The least number at which something begins to hold, to a percent; null if it is beyond `most`. */
function leastThat(holds: (value: number) => boolean, most: number): number | null {
  if (!holds(most)) return null;
  let low = 0;
  let high = most;
  while (high - low > 0.01 * high) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
