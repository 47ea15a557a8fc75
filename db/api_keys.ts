/** API keys as they are stored, `ads.api_keys`: never the secret itself. */
import type { Access, Role } from "../core/access.ts";
import type { StoredPart } from "../core/api_key.ts";
import { Refusal } from "../core/refusal.ts";
import type { Queries, Sql } from "./connect.ts";
import { inTransaction } from "./transaction.ts";

/** A key as people see it. */
export type ApiKey = {
  prefix: string;
  name: string;
  role: Role;
  config_ids: number[];
  created_at: Date;
  expires_at: Date | null;
  revoked_at: Date | null;
  last_used_at: Date | null;
};

/** A key that is good at this moment, and the hash that its secret must have. */
export type GoodKey = Access & {
  keyId: number;
  secretHash: Uint8Array;
  lastUsedAt: Date | null;
};

const USE_GRAIN_MS = 60_000;

/**
 * Stores a new key.
 *
 * @throws {Refusal} `not_found` where an account does not exist.
 */
export async function createApiKey(
  sql: Sql,
  { prefix, secretHash, name, role, configIds, at, expiresAt }: StoredPart & {
    name: string;
    role: Role;
    configIds: number[];
    at: Date;
    expiresAt: Date | null;
  },
): Promise<void> {
  await inTransaction(sql, async (transaction) => {
    const known = await transaction<{ config_id: number }[]>`
      select config_id from ads.accounts where config_id = any(${configIds})`;
    const missing = configIds.find((id) => !known.some(({ config_id }) => config_id === id));
    if (missing !== undefined) {
      throw new Refusal(
        "not_found",
        `There is no account with config id ${missing}`,
        "Import it first: deno task import FILE --config " + missing,
      );
    }
    await transaction`
      with key as (
        insert into ads.api_keys (prefix, secret_hash, name, role, created_at, expires_at)
        values (${prefix}, ${secretHash}, ${name}, ${role}, ${at}, ${expiresAt})
        returning id
      )
      insert into ads.api_key_accounts (config_id, key_id)
      select c.config_id, key.id
      from key
      cross join unnest(${configIds}::integer[]) c (config_id)`;
  });
}

/** All keys, the newest last. */
export function listApiKeys(sql: Sql): Promise<ApiKey[]> {
  return sql<ApiKey[]>`
    select
      k.prefix, k.name, k.role, ${configIdsOf(sql)} as config_ids, k.created_at, k.expires_at,
      k.revoked_at, k.last_used_at
    from ads.api_keys k
    order by k.id`;
}

/** Ends a key for good. False where there is none with this prefix; an ended one stays ended. */
export async function revokeApiKey(sql: Sql, prefix: string, at: Date): Promise<boolean> {
  const { count } = await sql`
    update ads.api_keys set revoked_at = coalesce(revoked_at, ${at}) where prefix = ${prefix}`;
  return count === 1;
}

/**
 * Whether a key was ever made. From then on nobody is let in without one. Who asks as another user than
 * the owner of the tables sees none, which must not be taken for there being none.
 */
export async function hasApiKeys(sql: Queries): Promise<boolean> {
  const [row] = await sql<[{ exists: boolean }]>`
    select row_security_active('ads.api_keys') or exists (select from ads.api_keys) as exists`;
  return row.exists;
}

/** The key with this prefix, if it is good at this moment. */
export async function findGoodKey(
  sql: Sql,
  prefix: string,
  at: Date,
): Promise<GoodKey | undefined> {
  const [key] = await sql<GoodKey[]>`
    select
      k.id as "keyId",
      k.role,
      k.secret_hash as "secretHash",
      k.last_used_at as "lastUsedAt",
      ${configIdsOf(sql)} as "configIds"
    from ads.api_keys k
    where k.prefix = ${prefix}
      and k.revoked_at is null
      and (k.expires_at is null or k.expires_at > ${at})`;
  return key;
}

/** Notes that a key was used, to the minute, so that not every request writes. */
export async function noteUse(
  sql: Sql,
  { keyId, lastUsedAt }: Pick<GoodKey, "keyId" | "lastUsedAt">,
  at: Date,
): Promise<void> {
  if (lastUsedAt && at.getTime() - lastUsedAt.getTime() < USE_GRAIN_MS) return;
  await sql`
    update ads.api_keys
    set last_used_at = greatest(last_used_at, ${at})
    where id = ${keyId}`;
}

function configIdsOf(sql: Sql) {
  return sql`
    array(
      select a.config_id
      from ads.api_key_accounts a
      where a.key_id = k.id
      order by a.config_id
    )`;
}
