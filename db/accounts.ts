/** Reading the connected ad accounts. */
import { Refusal } from "../core/refusal.ts";
import { type AccountSettings, readAccountSettings } from "../core/rules/settings.ts";
import type { Queries } from "./connect.ts";

/** One connected ad account. */
export type Account = {
  config_id: number;
  account_id: string | null;
  name: string;
  currency: string;
  time_zone: string;
  target_cpl: number | null;
  is_active: boolean;
  last_import_at: Date | null;
  created_at: Date;
  updated_at: Date;
};

/** What names an account: its number here, Meta's id without `act_`, or both. */
export type AccountKey = { configId?: number | undefined; accountId?: string | undefined };

const columns = (sql: Queries) =>
  sql`
    config_id, account_id, name, currency, time_zone, target_cpl, is_active, last_import_at,
    created_at, updated_at`;

/** Finds the account that fits all that is given of its key. */
export async function findAccount(sql: Queries, key: AccountKey): Promise<Account | undefined> {
  const [account] = await sql<Account[]>`
    select ${columns(sql)}
    from ads.accounts
    where ${key.configId === undefined ? sql`true` : sql`config_id = ${key.configId}`}
      and ${key.accountId === undefined ? sql`true` : sql`account_id = ${key.accountId}`}`;
  return account;
}

/**
 * The account with this number.
 *
 * @throws {Refusal} `not_found` if there is none.
 */
export async function getAccount(sql: Queries, configId: number): Promise<Account> {
  const account = await findAccount(sql, { configId });
  if (account) return account;
  throw new Refusal("not_found", `There is no account with config id ${configId}`);
}

/**
 * Since when nothing of an account has changed that was imported or set, of so many days to a day. What
 * was computed later holds. Null where nobody told when its days were written.
 *
 * An import tells when it began: no other transaction sees its rows before it has ended, and none takes
 * an hour.
 */
export async function lastChange(
  sql: Queries,
  configId: number,
  asOf: string,
  days = 30,
): Promise<Date | null> {
  const [row] = await sql<{ at: Date }[]>`
    select greatest(a.updated_at, max(k.changed_at) + interval '1 hour') as at
    from ads.accounts a
    join ads.account_days k
      on k.config_id = a.config_id
      and k.date between ${asOf}::date + 1 - ${days}::integer and ${asOf}
    where a.config_id = ${configId}
    group by a.config_id, a.updated_at
    having bool_or(k.date = ${asOf})`;
  return row?.at ?? null;
}

/** What an account overrides of the defaults, unchecked. */
export async function accountOverrides(sql: Queries, configId: number): Promise<unknown> {
  const [row] = await sql<{ settings: unknown }[]>`
    select settings from ads.accounts where config_id = ${configId}`;
  return row?.settings;
}

/**
 * The settings of an account, complete.
 *
 * @throws {Refusal} `conflict` if somebody stored wrong ones, around `deno task settings`.
 */
export async function accountSettings(sql: Queries, configId: number): Promise<AccountSettings> {
  const overrides = await accountOverrides(sql, configId);
  try {
    return readAccountSettings(overrides);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(
      "conflict",
      `Account ${configId} has wrong settings: ${error.message.replace(/^Wrong settings: /, "")}`,
      `Take them back, all in one: deno task settings --config ${configId} NAME= ...`,
    );
  }
}

/** Stores what an account overrides, which has been checked. */
export async function storeAccountSettings(
  sql: Queries,
  configId: number,
  overrides: unknown,
): Promise<void> {
  await sql`
    update ads.accounts
    set settings = ${JSON.stringify(overrides)}::text::jsonb, updated_at = now()
    where config_id = ${configId}`;
}

/** All accounts, in the order of their numbers. */
export function listAccounts(sql: Queries): Promise<Account[]> {
  return sql<Account[]>`select ${columns(sql)} from ads.accounts order by config_id`;
}

/** What CPL is compared with on a day, and where it comes from: null without a lead or a target. */
export type Reference = {
  reference: number | null;
  reference_source: "target" | "account" | null;
  target_cpl: number | null;
  cpl_14d: number | null;
  spend_14d: number;
  leads_14d: number;
};

/** The reference of an account on a day. */
export async function accountReference(
  sql: Queries,
  configId: number,
  asOf: string,
): Promise<Reference | undefined> {
  const [reference] = await sql<Reference[]>`
    select reference, reference_source, target_cpl, cpl_14d, spend_14d, leads_14d
    from ads.account_reference
    where config_id = ${configId} and as_of = ${asOf}`;
  return reference;
}

/** The last day on which an account's ads delivered, null before the first import. */
export async function lastDeliveryDay(sql: Queries, configId: number): Promise<string | null> {
  const [row] = await sql<{ day: string | null }[]>`
    select max(date) as day from ads.insights where config_id = ${configId}`;
  return row?.day ?? null;
}
