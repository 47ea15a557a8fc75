/** What the month will come to. */
import type { Account } from "../../db/accounts.ts";
import type { Pacing } from "../../db/forecasts.ts";
import { amount, count, money } from "./words.ts";

/** What an account or entity has spent and brought this month, and by its end. */
export function Month({ account: { currency }, pacing }: {
  account: Account;
  /** Undefined where nothing was forecast. */
  pacing: Pacing | undefined;
}) {
  if (!pacing || pacing.insufficient_data) return null;
  const { as_of, month_end, spend_to_date, leads_to_date } = pacing;
  const range = (low: number | null, high: number | null, words: (value: number) => string) =>
    low === null || high === null ? "–" : `${words(low)} to ${words(high)}`;
  const spent = (value: number) => amount(value, currency);
  const leads = (value: number) => count(Math.round(value));
  return (
    <section class="month">
      <h2>{nameOf(month_end)}</h2>
      <p>
        {money(spend_to_date, currency)} and {count(leads_to_date)} leads to {as_of}. By {month_end}
        {" "}
        it will be{" "}
        <strong>{range(pacing.spend_low80, pacing.spend_high80, spent)} {currency}</strong> and{" "}
        <strong>{range(pacing.leads_low80, pacing.leads_high80, leads)} leads</strong>, each 80 %
        sure.
        {pacing.cpl_low80 !== null &&
          ` A lead at ${range(pacing.cpl_low80, pacing.cpl_high80, spent)} ${currency}.`}
      </p>
    </section>
  );
}

function nameOf(day: string): string {
  return new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" })
    .format(new Date(day));
}
