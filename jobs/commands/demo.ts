/** `deno task demo`: a demo account, its tiers at all levels, and the service on it. */
import { addDays, yesterdayIn } from "../../core/days.ts";
import { DEMO_ACCOUNT, demoAccount, demoExport } from "../../core/demo.ts";
import { LEVELS } from "../../core/level.ts";
import { Refusal } from "../../core/refusal.ts";
import { readSettings } from "../../core/settings.ts";
import { type Account, findAccount, getAccount, lastDeliveryDay } from "../../db/accounts.ts";
import { listIncidents } from "../../db/anomalies.ts";
import type { Sql } from "../../db/connect.ts";
import { openDatabase } from "../../db/database.ts";
import { listRuns } from "../../db/job_runs.ts";
import { migrate, migrationState, refuseNewer } from "../../db/migrate.ts";
import { checkHost, checkPort, serve } from "../../main.ts";
import { anomalies } from "../anomalies.ts";
import { forecasts } from "../forecasts.ts";
import { importFiles } from "../import.ts";
import { startRun } from "../runs.ts";
import { decideAndSummarize } from "../account_summary.ts";
import { command, print } from "./command.ts";

const CONFIG_ID = 1;
const STORY_DAYS = 14;
const STORIES = 5;

await command(async () => {
  const settings = readSettings(Deno.env.toObject());
  checkPort(settings);
  print("Opening the database");
  const database = await openDatabase(settings, { exclusive: true, anyVersion: true });
  try {
    refuseNewer(await migrationState(database.sql));
    await migrate(database.url, "up");
    await checkHost(database.sql, settings.host);
    const now = new Date();
    const account = await provideAccount(database.sql, yesterdayIn(DEMO_ACCOUNT.timeZone, now));
    print("Classifying campaigns, ad sets and ads");
    const summary = await decideAndSummarize(database.sql, account, now);
    print("Forecasting");
    await forecast(database.sql, now);
    print(["", ...summary, "", ...await whatHappened(database.sql, now), ""].join("\n"));
    await serve(settings, database);
  } finally {
    await database.close();
  }
});

/** Forecasts all levels: with the campaigns come the others, which only note that. */
async function forecast(sql: Sql, now: Date): Promise<void> {
  const asOf = yesterdayIn(DEMO_ACCOUNT.timeZone, now);
  for (const entityType of LEVELS) {
    await (await startRun(sql, forecasts, { configId: CONFIG_ID, entityType, asOf, now })).done;
  }
}

/** Looks for what stands out on the last two weeks, and tells what still goes on. */
async function whatHappened(sql: Sql, now: Date): Promise<string[]> {
  const lastDay = yesterdayIn(DEMO_ACCOUNT.timeZone, now);
  const [newest] = await listRuns(
    sql,
    { configId: CONFIG_ID, job: anomalies.name, status: "succeeded" },
    { limit: 1, offset: 0 },
  );
  const isDone = newest?.as_of === lastDay;
  for (let before = STORY_DAYS; before >= 0 && !isDone; before--) {
    for (const entityType of LEVELS) {
      const asOf = addDays(lastDay, -before);
      await (await startRun(sql, anomalies, { configId: CONFIG_ID, entityType, asOf, now })).done;
    }
  }
  const incidents = await listIncidents(sql, { configId: CONFIG_ID, state: "open" }, {
    limit: STORIES,
    offset: 0,
  });
  return incidents.length === 0
    ? []
    : ["What happened", ...incidents.map((each) => `  ${each.sentence}`)];
}

/** Imports the demo account unless its numbers reach the day already. */
async function provideAccount(sql: Sql, asOf: string): Promise<Account> {
  const existing = await findAccount(sql, { configId: CONFIG_ID });
  if (existing && existing.account_id !== DEMO_ACCOUNT.accountId) {
    throw new Refusal(
      "conflict",
      `Account ${CONFIG_ID} of this database is "${existing.name}", not the demo`,
      "Set ADSTRATA_DATA to a new folder for the demo",
    );
  }
  const lastDay = existing && await lastDeliveryDay(sql, CONFIG_ID);
  if (existing && lastDay && lastDay >= asOf) {
    print("The demo account is there already");
    return existing;
  }
  print("Importing the demo account");
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/demo.csv`;
    await Deno.writeTextFile(file, demoExport(demoAccount(asOf)));
    await importFiles(sql, { configId: CONFIG_ID, files: [file], account: DEMO_ACCOUNT });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return await getAccount(sql, CONFIG_ID);
}
