/** Calendar days, written `YYYY-MM-DD`, in an account's own time zone. */

/** The day that `now` falls on in a time zone, an IANA name such as `America/Sao_Paulo`. */
export function dayIn(timeZone: string, now: Date): string {
  return Temporal.Instant.fromEpochMilliseconds(now.getTime())
    .toZonedDateTimeISO(timeZone).toPlainDate().toString();
}

/** The last complete day in a time zone: the default `as_of` of everything. */
export function yesterdayIn(timeZone: string, now: Date): string {
  return addDays(dayIn(timeZone, now), -1);
}

/**
 * The `as_of` for looking at an account: yesterday, or the end of its data where that ends earlier.
 *
 * @param lastDay The last day with data, null if there is none.
 */
export function lastDayThatCounts(lastDay: string | null, timeZone: string, now: Date): string {
  const yesterday = yesterdayIn(timeZone, now);
  return lastDay !== null && lastDay < yesterday ? lastDay : yesterday;
}

/**
 * The day so many days later, or earlier for a negative number.
 *
 * @example `addDays("2026-02-28", 1)` is `"2026-03-01"`.
 */
export function addDays(day: string, days: number): string {
  return Temporal.PlainDate.from(day).add({ days }).toString();
}

/** How many days lie between two days: 0 for the same day, negative when `to` is the earlier one. */
export function daysBetween(from: string, to: string): number {
  return Temporal.PlainDate.from(from).until(Temporal.PlainDate.from(to)).days;
}
