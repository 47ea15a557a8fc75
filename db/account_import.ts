/** The account that an import writes to: locked, created where it is new, kept from mix-ups. */
import { Refusal } from "../core/refusal.ts";
import type { Account } from "./accounts.ts";
import type { Transaction } from "./connect.ts";

/** What flags and files tell about an account. */
export type AccountFacts = {
  accountId?: string | undefined;
  name?: string | undefined;
  currency?: string | undefined;
  timeZone?: string | undefined;
  targetCpl?: number | undefined;
};

/** What an account's days are in until somebody says otherwise. */
export const DEFAULT_TIME_ZONE = "UTC";

/**
 * Locks the account for this transaction, so that imports into it take turns. A new account needs a
 * currency.
 */
export async function lockAccount(
  tx: Transaction,
  configId: number,
  facts: AccountFacts,
): Promise<{ isNew: boolean }> {
  const find = () =>
    tx<Pick<Account, "currency" | "last_import_at">[]>`
      select currency, last_import_at
      from ads.accounts
      where config_id = ${configId}
      for update`;
  let [account] = await find();
  let isNew = false;
  if (!account) {
    if (!facts.currency) {
      throw new Refusal(
        "invalid_parameter",
        `Account ${configId} is new and the file does not say its currency`,
        "Pass it, for example --currency EUR",
        { parameter: "currency" },
      );
    }
    const { count } = await tx`
      insert into ads.accounts (config_id, name, currency, time_zone)
      values (${configId}, ${`Account ${configId}`}, ${facts.currency}, ${DEFAULT_TIME_ZONE})
      on conflict (config_id) do nothing`;
    isNew = count === 1;
    [account] = await find();
  }
  if (account && facts.currency && account.currency !== facts.currency) {
    // Before the first import nothing is in any currency: that of an adopted account is a guess.
    if (account.last_import_at === null) {
      await tx`
        update ads.accounts set currency = ${facts.currency} where config_id = ${configId}`;
      return { isNew };
    }
    throw new Refusal(
      "conflict",
      `Account ${configId} is in ${account.currency}, the import in ${facts.currency}`,
      "Import accounts of different currencies under different --config numbers",
    );
  }
  return { isNew };
}

/** Stores what the import learned about its account. */
export async function updateAccount(
  tx: Transaction,
  configId: number,
  facts: AccountFacts,
): Promise<void> {
  if (facts.accountId) await refuseOtherAccount(tx, configId, facts.accountId);
  const { accountId = null, name = null, timeZone = null, targetCpl = null } = facts;
  await tx`
    update ads.accounts
    set
      account_id = coalesce(${accountId}, account_id),
      name = coalesce(${name}, name),
      time_zone = coalesce(${timeZone}, time_zone),
      target_cpl = coalesce(${targetCpl}, target_cpl),
      updated_at = now()
    where config_id = ${configId}
      and (account_id, name, time_zone, target_cpl) is distinct from (
        coalesce(${accountId}, account_id),
        coalesce(${name}, name),
        coalesce(${timeZone}, time_zone),
        coalesce(${targetCpl}, target_cpl)
      )`;
  await tx`update ads.accounts set last_import_at = now() where config_id = ${configId}`;
}

async function refuseOtherAccount(
  tx: Transaction,
  configId: number,
  accountId: string,
): Promise<void> {
  const [other] = await tx<Pick<Account, "config_id" | "account_id">[]>`
    select config_id, account_id
    from ads.accounts
    where (config_id = ${configId} and account_id <> ${accountId})
      or (config_id <> ${configId} and account_id = ${accountId})
    order by config_id = ${configId} desc
    limit 1`;
  if (!other) return;
  throw new Refusal(
    "conflict",
    `The import is of Meta's account ${accountId}, but ` +
      (other.config_id === configId
        ? `account ${configId} is ${other.account_id}`
        : `that one is account ${other.config_id} here`),
    "Check the file and the number after --config",
  );
}
