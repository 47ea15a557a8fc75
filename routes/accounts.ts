/** Which account a request is about. */
import { yesterdayIn } from "../core/days.ts";
import { Refusal } from "../core/refusal.ts";
import { type Account, findAccount } from "../db/accounts.ts";
import type { Queries } from "../db/connect.ts";
import { wrongParameter } from "./errors.ts";

/** Finds the account that a request names, in either way or in both. */
export async function requireAccount(
  sql: Queries,
  { config_id, ad_account_id }: { config_id?: number; ad_account_id?: string },
): Promise<Account> {
  if (config_id === undefined && ad_account_id === undefined) {
    throw wrongParameter("config_id", "required, or ad_account_id instead");
  }
  const account = await findAccount(sql, { configId: config_id, accountId: ad_account_id });
  if (account) return account;
  throw new Refusal(
    "not_found",
    `There is no account "${config_id ?? ad_account_id}"`,
    "GET /api/v1/facebook-ads/config lists the accounts",
  );
}

/** The day that a request is about: the last complete one of the account, or an earlier one. */
export function completeDay(
  { time_zone }: Account,
  asOf: string | null | undefined,
  now: Date,
): string {
  const yesterday = yesterdayIn(time_zone, now);
  if (!asOf) return yesterday;
  if (asOf > yesterday) throw wrongParameter("as_of", `the last complete day is ${yesterday}`);
  return asOf;
}
