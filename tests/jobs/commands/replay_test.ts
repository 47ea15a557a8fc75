import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { z } from "zod";
import { addDays } from "../../../core/days.ts";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { AS_OF, daily, insertAccount } from "../../db/views/rows.ts";
import { type Outcome, runProgram } from "../../program.ts";

const REPLAY = "jobs/commands/replay.ts";
const DAY = addDays(AS_OF, -21);
const OF_DAY = ["--config", "7", "--from", DAY, "--to", DAY];

let database: TestDatabase;
let folder: string;
Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir();
  database = await testDatabase();
  const day = { impressions: 4000, clicks: 40 };
  await insertAccount(database.sql, 7, {
    target_cpl: 10,
    insights: [
      ...daily(50, { ...day, spend: 60, leads: 1 }),
      ...daily(50, { ...day, ad_id: "32", adset_id: "22", spend: 400, leads: 40 }),
    ],
  });
});
Deno.test.afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

function replay(...args: string[]): Promise<Outcome> {
  return runProgram(REPLAY, args, { DATABASE_URL: database.url });
}

async function rulesFile(text: string): Promise<string> {
  const path = join(folder, `${crypto.randomUUID()}.json`);
  await Deno.writeTextFile(path, text);
  return path;
}

Deno.test("replay refuses arguments that make no sense before it opens the database", async () => {
  // No database is there to be opened.
  const env = { DATABASE_URL: "postgres://me@127.0.0.1:1/ads" };
  const notJson = await rulesFile("rules: {}");
  const missing = join(folder, "missing.json");
  const cases: [string[], RegExp][] = [
    [[], /^--config is missing\. Usage: deno task replay/],
    [["--config", "0"], /^"0" is no config id/],
    [["--config", "7", "--from", DAY], /^--from and --to are both needed\. Usage: /],
    [["--config", "7", "--to", DAY], /^--from and --to are both needed/],
    [["--config", "7", "--from", "2026-02-30", "--to", DAY], /^"2026-02-30" is no day/],
    [
      ["--config", "7", "--from", "2026-03-02", "--to", "2026-03-01"],
      /^--from 2026-03-02 is after --to 2026-03-01$/,
    ],
    [[...OF_DAY, "--rules", missing], /^There is no readable file ".*missing\.json"$/],
    [[...OF_DAY, "--rules", notJson], /^".*" is not JSON\. Write it as \{"rules": /],
    [[...OF_DAY, "--level", "ad"], /'--level'/],
  ];
  for (const [args, sentence] of cases) {
    const { code, stdout, stderr } = await runProgram(REPLAY, args, env);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr.trimEnd(), sentence);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }
});

Deno.test("replay refuses rules that are wrong or unknown, and an account that does not exist", async () => {
  const wrong = await rulesFile('{"rules": {"scale_up": {"probability": 2}}}');
  const unknown = await rulesFile('{"rules": {"scale_upp": {}}}');
  const cases: [string[], RegExp][] = [
    [[...OF_DAY, "--rules", wrong], /^Wrong settings: rules\.scale_up\.probability: /],
    [[...OF_DAY, "--rules", unknown], /^Wrong settings: rules: .*scale_upp/],
    [["--config", "8", "--from", DAY, "--to", DAY], /^There is no account with config id 8$/],
  ];
  for (const [args, sentence] of cases) {
    const { code, stdout, stderr } = await replay(...args);
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr.trimEnd(), sentence);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }
});

const Report = z.object({
  byRule: z.array(z.looseObject({ rule: z.string(), entityType: z.string(), said: z.int() })),
  byConfidence: z.array(z.looseObject({ from: z.number(), to: z.number(), said: z.int() })),
  pauses: z.array(z.looseObject({ rule: z.string(), moneySaved: z.number() })),
});

async function report(...args: string[]) {
  const { code, stdout, stderr } = await replay(...OF_DAY, "--json", ...args);
  assertEquals([code, stderr], [0, ""]);
  return Report.parse(JSON.parse(stdout));
}

Deno.test("replay prints its report as JSON, and nothing beside it", async () => {
  const { byRule, byConfidence, pauses } = await report();
  assertEquals(byRule.map(({ rule, entityType, said }) => [rule, entityType, said]), [
    ["pause_expensive", "adset", 1],
    ["pause_expensive", "ad", 1],
  ]);
  assertEquals(byConfidence.at(-1)?.said, 2);
  assertEquals(pauses.map(({ moneySaved }) => moneySaved), [840, 840]);
});

Deno.test("replay tries the rules of a file in place of those of the account", async () => {
  const mild = '{"rules": {"pause_expensive": {"ratio": 50}, "pause_against_siblings": ' +
    '{"times_siblings": 50}}}';
  assertEquals((await report("--rules", await rulesFile(mild))).pauses, []);
  const set = (settings: string) =>
    database.sql`update ads.accounts set settings = ${settings}::text::jsonb`;
  await set(mild);
  const [ofAccount, ofFile] = [await report(), await report("--rules", await rulesFile("{}"))];
  await set("{}");
  assertEquals([ofAccount.pauses.length, ofFile.pauses.length], [0, 2]);
});

Deno.test("replay prints tables for people", async () => {
  const { code, stdout, stderr } = await replay(...OF_DAY);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.split("\n").map((line) => line.split(/ {2,}/));
  const [rules = [], adset = []] = lines;
  assertEquals(rules, [
    "rule",
    "level",
    "claim",
    "said",
    "judged",
    "true",
    "expected",
    "confidence",
  ]);
  assertEquals(
    adset.slice(0, 6),
    ["pause_expensive", "ad set", "2.5 <= cpl_ratio", "1", "1", "100.0 %"],
  );
  const pauses = lines.findIndex(([first]) => first === "pauses of");
  assertEquals(lines[pauses]?.slice(2, 4), ["pauses", "saved, EUR"]);
  assertEquals(lines[pauses + 2], ["pause_expensive", "ad", "1", "840", "14", "84"]);
  assert(stdout.trimEnd().endsWith("A pause counts once in 14 days."));
});
