/** How a rate differs between the days of a week, so that windows of any days can be compared. */
import type { Counts } from "./metrics.ts";

const NONE = [1, 1, 1, 1, 1, 1, 1];

/**
 * How many times what is usual each day of the week has, from all members together, shrunk towards
 * none by the share of their differences that chance gives (James and Stein 1961).
 *
 * @param end The days before this one are looked at. Days of one weekday are seven apart.
 */
export function weekdayFactors(counts: readonly Counts[], end: number): number[] {
  const events = new Float64Array(end);
  const exposure = new Float64Array(end);
  for (const each of counts) {
    for (let day = 0; day < end; day++) {
      events[day] = (events[day] ?? 0) + (each.events[day] ?? 0);
      exposure[day] = (exposure[day] ?? 0) + (each.exposure[day] ?? 0);
    }
  }
  // Whole weeks, each compared with its own rate, so that no drift is taken for a weekday.
  const weeks = Math.floor(end / 7);
  const seen = new Float64Array(7);
  const expected = new Float64Array(7);
  const days: { weekday: number; seen: number; expected: number }[] = [];
  for (let week = 1; week <= weeks; week++) {
    const first = end - 7 * week;
    let total = 0;
    let whole = 0;
    for (let day = first; day < first + 7; day++) {
      total += events[day] ?? 0;
      whole += exposure[day] ?? 0;
    }
    if (total === 0 || whole === 0) continue;
    for (let day = first; day < first + 7; day++) {
      const weekday = day % 7;
      const own = total * (exposure[day] ?? 0) / whole;
      seen[weekday] = (seen[weekday] ?? 0) + (events[day] ?? 0);
      expected[weekday] = (expected[weekday] ?? 0) + own;
      days.push({ weekday, seen: events[day] ?? 0, expected: own });
    }
  }
  // Of two weeks nobody can tell how much days of one weekday differ.
  if (days.length < 21 || expected.some((own) => own === 0)) return NONE;
  const raw = Array.from(seen, (own, weekday) => own / (expected[weekday] ?? 1));
  let scatter = 0;
  for (const { weekday, seen, expected } of days) {
    const mean = expected * (raw[weekday] ?? 1);
    if (mean > 0) scatter += (seen - mean) ** 2 / mean;
  }
  // Seven means and the totals of the weeks were taken from the days.
  const dispersion = scatter / Math.max(days.length - 7 - days.length / 7, 1);
  const noise = raw.reduce((sum, own, weekday) => {
    return sum + dispersion * own / (expected[weekday] ?? 1) / 7;
  }, 0);
  const spread = raw.reduce((sum, own) => sum + (own - 1) ** 2 / 6, 0);
  const share = spread > 0 ? Math.max(1 - noise / spread, 0) : 0;
  return raw.map((own) => Math.max(1 + share * (own - 1), 0.05));
}
