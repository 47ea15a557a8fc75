/** `deno task replay --config ID --from DATE --to DATE`: how advice of past days turned out. */
import { parseArgs } from "node:util";
import { LEVEL_FACTS } from "../../core/level.ts";
import type { ReplayReport } from "../../core/replay.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Claim } from "../../core/rules/claim.ts";
import { readAccountSettings } from "../../core/rules/settings.ts";
import { readSettings } from "../../core/settings.ts";
import { accountSettings, getAccount } from "../../db/accounts.ts";
import { openDatabase } from "../../db/database.ts";
import { replay } from "../replay.ts";
import { command, print, printError, printTable } from "./command.ts";
import { readConfigId, readDay } from "./flags.ts";

const USAGE = "Usage: deno task replay --config ID --from YYYY-MM-DD --to YYYY-MM-DD " +
  "[--rules FILE] [--json]";

await command(async (args) => {
  const { values } = parseArgs({
    args,
    options: {
      config: { type: "string" },
      from: { type: "string" },
      to: { type: "string" },
      rules: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  const configId = readConfigId(values.config, USAGE);
  const from = readDay(values.from);
  const to = readDay(values.to);
  if (from === null || to === null) {
    throw new Refusal("invalid_parameter", "--from and --to are both needed", USAGE);
  }
  if (from > to) throw new Refusal("invalid_parameter", `--from ${from} is after --to ${to}`);
  const rules = values.rules === undefined ? undefined : await readRules(values.rules);

  const database = await openDatabase(readSettings(Deno.env.toObject()));
  try {
    const { currency } = await getAccount(database.sql, configId);
    const settings = rules === undefined
      ? await accountSettings(database.sql, configId)
      : readAccountSettings(rules);
    const report = await replay(database.sql, {
      configId,
      from,
      to,
      settings,
      onDay: (day) => Deno.stderr.isTerminal() && printError(`Replaying ${day}`),
    });
    if (values.json) print(JSON.stringify(report, null, 2));
    else printReport(report, currency);
  } finally {
    await database.close();
  }
});

/** Reads overrides as in `ads.accounts.settings`. */
async function readRules(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch {
    throw new Refusal("invalid_parameter", `There is no readable file "${path}"`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(
      "invalid_parameter",
      `"${path}" is not JSON`,
      'Write it as {"rules": {"scale_up": {"probability": 0.9}}}',
    );
  }
}

function printReport({ byRule, byConfidence, pauses }: ReplayReport, currency: string): void {
  const percent = (share: number | null) => share === null ? "" : `${(100 * share).toFixed(1)} %`;
  const whole = (value: number) => Math.round(value).toLocaleString("en");
  printTable([
    ["rule", "level", "claim", "said", "judged", "true", "expected", "confidence"],
    ...byRule.map((row) => [
      row.rule,
      LEVEL_FACTS[row.entityType].one,
      claimWords(row.claim),
      String(row.said),
      String(row.judged),
      percent(row.trueShare),
      percent(row.expectedShare),
      percent(row.meanConfidence),
    ]),
  ]);
  print();
  printTable([
    ["confidence", "said", "judged", "true", "expected", "mean confidence"],
    ...byConfidence.map((row) => [
      `${percent(row.from)} to ${percent(row.to)}`,
      String(row.said),
      String(row.judged),
      percent(row.trueShare),
      percent(row.expectedShare),
      percent(row.meanConfidence),
    ]),
  ]);
  print();
  printTable([
    ["pauses of", "level", "pauses", `saved, ${currency}`, "leads lost", "leads at the reference"],
    ...pauses.map((row) => [
      row.rule,
      LEVEL_FACTS[row.entityType].one,
      String(row.pauses),
      whole(row.moneySaved),
      whole(row.leadsLost),
      whole(row.leadsElsewhere),
    ]),
  ]);
  print();
  print(
    "judged: what spent enough in the 14 days after; true: the claim held in them; expected: how " +
      "often it would, if all that was believed is right. A pause counts once in 14 days.",
  );
}

function claimWords({ about, at_least, at_most }: Claim): string {
  return [
    ...at_least === undefined ? [] : [`${at_least} <=`],
    about,
    ...at_most === undefined ? [] : [`<= ${at_most}`],
  ].join(" ");
}
