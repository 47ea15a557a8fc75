import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { readApiKey } from "../../../core/api_key.ts";
import { Refusal } from "../../../core/refusal.ts";
import { findGoodKey } from "../../../db/api_keys.ts";
import { readKeyFlags } from "../../../jobs/commands/key_flags.ts";
import { testDatabase } from "../../database.ts";
import { runProgram } from "../../program.ts";

const NOW = new Date("2026-03-11T16:00:00Z");
const FLAGS = ["--config", "14", "--config", "15", "--role", "write", "--name", "reporting"];

const database = await testDatabase();
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());
const { sql, url } = database;
await sql`
  insert into ads.accounts (config_id, name, currency, time_zone)
  values (14, 'One', 'EUR', 'UTC'), (15, 'Two', 'EUR', 'UTC')`;

const key = (...args: string[]) => runProgram("jobs/commands/key.ts", args, { DATABASE_URL: url });

Deno.test("key create prints the key once, list shows it without its secret, revoke ends it", async () => {
  const created = await key("create", ...FLAGS, "--expires", "90d");
  assertEquals(created.code, 0, created.stderr);
  // Alone on standard output, to be put where it is needed.
  const stored = readApiKey(created.stdout.trim());
  if (!stored) throw new Error(`No key: ${created.stdout}`);
  const good = await findGoodKey(sql, stored.prefix, new Date());
  assertEquals([good?.role, good?.configIds], ["write", [14, 15]]);
  assertEquals(
    await findGoodKey(sql, stored.prefix, new Date(Date.now() + 90 * 86_400_000)),
    undefined,
  );

  const listed = await key("list");
  assertMatch(
    listed.stdout,
    new RegExp(`^${stored.prefix} +reporting +write +14,15 .*good until`, "m"),
  );
  assert(!listed.stdout.includes(created.stdout.trim().slice(20)));

  assertEquals((await key("revoke", stored.prefix)).code, 0);
  assertEquals(await findGoodKey(sql, stored.prefix, new Date()), undefined);
  assertMatch((await key("list")).stdout, /revoked/);
});

Deno.test("key says what to do when it is told nonsense, and stores nothing", async () => {
  const before = await sql`select from ads.api_keys`;
  const cases: [string[], RegExp][] = [
    [[], /create .*list.*revoke/],
    [["make"], /There is no "key make"/],
    [["create", ...FLAGS, "--config", "16"], /no account with config id 16.*[Ii]mport/],
    [["revoke"], /Which key/],
    [["revoke", "0000000000"], /There is no key "0000000000"/],
    [["revoke", "0000000000", "1111111111"], /One key at a time/],
  ];
  for (const [args, sentence] of cases) {
    const { code, stdout, stderr } = await key(...args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, sentence);
  }
  assertEquals((await sql`select from ads.api_keys`).length, before.length);
});

Deno.test("readKeyFlags() reads accounts once each and how long the key is good", () => {
  const flags = { config: ["14", "15", "14"], role: "read", name: " reporting ", expires: "12h" };
  assertEquals(readKeyFlags(flags, NOW), {
    configIds: [14, 15],
    role: "read",
    name: "reporting",
    expiresAt: new Date("2026-03-12T04:00:00Z"),
  });
});

Deno.test("readKeyFlags() names every wrong flag", () => {
  const wrong = { config: ["x"], role: "owner", name: "", expires: "soon" };
  const { message } = assertThrows(() => readKeyFlags(wrong, NOW), Refusal);
  for (const flag of ["--config", "--role", "--name", "--expires"]) assert(message.includes(flag));
  assertThrows(() => readKeyFlags({}, NOW), Refusal, "--config 14 --config 15");
  const good = { config: ["14"], role: "read" };
  for (const name of ["a\nb", "a\x1b[2K", "a\u202eb", "a".repeat(101)]) {
    assertThrows(() => readKeyFlags({ ...good, name }, NOW), Refusal, "--name");
  }
});
