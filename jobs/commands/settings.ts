/** `deno task settings --config ID [NAME=VALUE...]`: what an account overrides of the limits. */
import { parseArgs } from "node:util";
import { Refusal } from "../../core/refusal.ts";
import { overrideSettings, readAccountSettings } from "../../core/rules/settings.ts";
import { readSettings } from "../../core/settings.ts";
import { accountOverrides, getAccount, storeAccountSettings } from "../../db/accounts.ts";
import { openDatabase } from "../../db/database.ts";
import { command, print } from "./command.ts";
import { readConfigId } from "./flags.ts";

const USAGE = "Usage: deno task settings --config ID [NAME=VALUE...] [--all]\n" +
  "  NAME=VALUE  such as language=pt or rules.scale_up.probability=0.9; NAME= goes back to the default\n" +
  "  --all       prints the defaults too";

await command(async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: "string" },
      all: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return print(USAGE);
  const configId = readConfigId(values.config, USAGE);
  const changes = positionals.map(readChange);
  const database = await openDatabase(readSettings(Deno.env.toObject()));
  try {
    await getAccount(database.sql, configId);
    const before = await accountOverrides(database.sql, configId);
    const overrides = overrideSettings(before, changes);
    const settings = readAccountSettings(overrides);
    if (changes.length > 0) await storeAccountSettings(database.sql, configId, overrides);
    print(JSON.stringify(values.all ? settings : overrides, null, 2));
  } finally {
    await database.close();
  }
});

/** A path and its value, undefined to go back to the default. What is no JSON is text. */
function readChange(text: string): [path: string[], value: unknown] {
  const [, name = "", value = ""] = /^([a-z_0-9]+(?:\.[a-z_0-9]+)*)=(.*)$/.exec(text) ?? [];
  if (name === "") throw new Refusal("invalid_parameter", `"${text}" is no NAME=VALUE`, USAGE);
  const path = name.split(".");
  if (value === "") return [path, undefined];
  try {
    return [path, JSON.parse(value)];
  } catch {
    return [path, value];
  }
}
