/** What is known of an entity before its first week: that it is one of its siblings. */
import type { Panel } from "./panel.ts";
import type { Start } from "./movement.ts";

/** Siblings that differ by less, in relative variance, are not told apart from such. */
const LEAST_VARIANCE = 0.05;

/**
 * What each row's rate may be by those of its siblings, and theirs by those of the account: both by
 * moments (Bühlmann and Straub 1970), from all weeks before the change, and without the row's own.
 */
export function startOf({ rows, groups }: Panel): Start {
  const totals = rows.map(({ weeks }) =>
    weeks.reduce((sum, { events, exposure }) => ({
      events: sum.events + events,
      exposure: sum.exposure + exposure,
    }), { events: 0, exposure: 0 })
  );
  const whole = totals.reduce((sum, { events, exposure }) => ({
    events: sum.events + events,
    exposure: sum.exposure + exposure,
  }), { events: 0, exposure: 0 });
  if (whole.events === 0) return rows.map(() => ({ rate: 0, variance: 1 }));
  const rate = whole.events / whole.exposure;
  const members = Array.from({ length: groups }, (): Share[] => []);
  const shares = totals.map(({ events, exposure }, index) => {
    const expected = exposure * rate;
    const share = { expected, ratio: expected > 0 ? events / expected : 1 };
    members[rows[index]?.group ?? 0]?.push(share);
    return share;
  });
  const within = excessVariance(members);
  const between = excessVariance([shares]);
  return shares.map((share, index) => {
    const siblings = (members[rows[index]?.group ?? 0] ?? []).filter((each) => each !== share);
    let weight = 1 / Math.max(between, LEAST_VARIANCE);
    let sum = weight;
    for (const { expected, ratio } of siblings) {
      if (expected === 0) continue;
      const own = 1 / (within + 1 / expected);
      weight += own;
      sum += own * ratio;
    }
    return { rate: rate * sum / weight, variance: within + 1 / weight };
  });
}

/** A row's events by what would be expected of it at the rate of all. */
type Share = { expected: number; ratio: number };

/** How much the rates of members differ around those of their groups, beyond chance. */
function excessVariance(groups: Share[][]): number {
  let squares = 0;
  let degrees = 0;
  let size = 0;
  for (const shares of groups) {
    const total = shares.reduce((sum, { expected }) => sum + expected, 0);
    if (total === 0) continue;
    const mean = shares.reduce((sum, { expected, ratio }) => sum + expected * ratio, 0) / total;
    for (const { expected, ratio } of shares) {
      if (expected === 0) continue;
      squares += expected * (ratio - mean) ** 2;
      degrees += mean * (1 - expected / total);
      size += expected * (1 - expected / total);
    }
  }
  // Where nobody has siblings, they may differ by a lot.
  if (size < 1e-9) return 1;
  return Math.max((squares - degrees) / size, LEAST_VARIANCE);
}
