/** `deno task key create|list|revoke`: the API keys by which others may ask. */
import { parseArgs } from "node:util";
import { ROLES } from "../../core/access.ts";
import { KEY_BYTES, makeApiKey } from "../../core/api_key.ts";
import { Refusal } from "../../core/refusal.ts";
import { readSettings } from "../../core/settings.ts";
import { type ApiKey, createApiKey, listApiKeys, revokeApiKey } from "../../db/api_keys.ts";
import type { Sql } from "../../db/connect.ts";
import { openDatabase } from "../../db/database.ts";
import { command, print, printError, printTable } from "./command.ts";
import { readKeyFlags } from "./key_flags.ts";

const USAGE = `deno task key create --config ID [--config ID] --role ${ROLES.join("|")} ` +
  "--name NAME [--expires 90d], deno task key list, or deno task key revoke PREFIX";

await command(async (args) => {
  const { values, positionals: [action, prefix, ...rest] } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: "string", multiple: true },
      role: { type: "string" },
      name: { type: "string" },
      expires: { type: "string" },
    },
  });
  // To end one key of two that were given would leave the other one good.
  if (rest.length > 0) throw new Refusal("invalid_parameter", "One key at a time", `Use ${USAGE}`);
  const work = workOf(action, prefix, values);
  const database = await openDatabase(readSettings(Deno.env.toObject()));
  try {
    await work(database.sql);
  } finally {
    await database.close();
  }
});

/** What is asked for, once it is known to make sense. */
function workOf(action = "", prefix: string | undefined, flags: Record<string, unknown>) {
  switch (action) {
    case "create": {
      const checked = readKeyFlags(flags, new Date());
      return (sql: Sql) => create(sql, checked);
    }
    case "list":
      return list;
    case "revoke":
      if (prefix) return (sql: Sql) => revoke(sql, prefix);
      throw new Refusal("invalid_parameter", "Which key?", "deno task key list shows the prefixes");
    default:
      throw new Refusal("invalid_parameter", `There is no "key ${action}"`, `Use ${USAGE}`);
  }
}

/** The key alone goes to standard output, so that it can be put where it is needed. */
async function create(sql: Sql, flags: ReturnType<typeof readKeyFlags>): Promise<void> {
  const { key, ...stored } = makeApiKey(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
  await createApiKey(sql, { ...stored, ...flags, at: new Date() });
  printError("The key, which is shown this once only:");
  print(key);
}

async function list(sql: Sql): Promise<void> {
  const keys = await listApiKeys(sql);
  if (keys.length === 0) {
    return print("There are no keys: the service answers on this machine only");
  }
  printTable([
    ["prefix", "name", "role", "accounts", "created", "last used", "state"],
    ...keys.map((key) => [
      key.prefix,
      key.name,
      key.role,
      key.config_ids.join(",") || "-",
      minute(key.created_at),
      minute(key.last_used_at),
      stateOf(key, new Date()),
    ]),
  ]);
}

async function revoke(sql: Sql, prefix: string): Promise<void> {
  // Whoever has the whole key at hand may give that.
  const known = prefix.match(/^adstrata_([0-9a-f]+)_/)?.[1] ?? prefix;
  if (!await revokeApiKey(sql, known, new Date())) {
    throw new Refusal("not_found", `There is no key "${known}"`, "deno task key list shows them");
  }
  print(`The key ${known} is good for nothing from now on`);
}

function stateOf({ revoked_at, expires_at }: ApiKey, now: Date): string {
  if (revoked_at) return `revoked ${minute(revoked_at)}`;
  if (!expires_at) return "good";
  return `${expires_at > now ? "good until" : "expired"} ${minute(expires_at)}`;
}

function minute(time: Date | null): string {
  return time ? `${time.toISOString().slice(0, 16).replace("T", " ")}Z` : "-";
}
