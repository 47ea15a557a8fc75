/** `deno task job TASK --config ID`: runs a job now, for one account. */
import { parseArgs } from "node:util";
import { yesterdayIn } from "../../core/days.ts";
import { type Level, LEVEL_FACTS } from "../../core/level.ts";
import { Refusal } from "../../core/refusal.ts";
import { readSettings } from "../../core/settings.ts";
import { getAccount } from "../../db/accounts.ts";
import { openDatabase } from "../../db/database.ts";
import type { Sql } from "../../db/connect.ts";
import { anomalies } from "../anomalies.ts";
import { classify } from "../classification.ts";
import { forecasts, validation } from "../forecasts.ts";
import { impact } from "../impact.ts";
import { recommendations } from "../recommendations.ts";
import { startRun } from "../runs.ts";
import { command, print } from "./command.ts";
import { readConfigId, readDay, readLevels, readPeriod } from "./flags.ts";

const USAGE = "Usage: deno task job " +
  "forecasts|classification|recommendations|anomalies|validation|impact --config ID " +
  "[--level campaign|adset|ad|all] [--as-of YYYY-MM-DD], all but anomalies and validation also [--force], " +
  "anomalies also [--replay YYYY-MM-DD..YYYY-MM-DD]";

type Request = { configId: number; entityType: Level; asOf: string; force: boolean };

/** Does a job and says in a few words what it did. */
const JOBS = new Map<string, (sql: Sql, request: Request) => Promise<string>>([
  ["forecasts", async (sql, request) => {
    const run = await startRun(sql, forecasts, { ...request, now: new Date() });
    const { read, forecast, kept } = await run.done;
    return kept > 0
      ? `${kept} forecasts still hold`
      : `${read} looked at, ${forecast} forecast, over all levels`;
  }],
  ["classification", async (sql, request) => {
    const { classified, kept, insufficient } = await classify(sql, request);
    return `${classified} classified, ${kept} still valid, ${insufficient} without enough data`;
  }],
  ["recommendations", async (sql, request) => {
    const run = await startRun(sql, recommendations, { ...request, now: new Date() });
    const { read, generated, superseded, expired } = await run.done;
    return `${read} looked at, ${generated} new recommendations, ${superseded} withdrawn, ` +
      `${expired} expired`;
  }],
  ["validation", async (sql, request) => {
    const run = await startRun(sql, validation, { ...request, now: new Date() });
    const { days, scores } = await run.done;
    return `${days} days that came, ${scores} scores of forecasts`;
  }],
  ["anomalies", async (sql, request) => {
    const run = await startRun(sql, anomalies, { ...request, now: new Date() });
    const { read, added, changed, restated, incidents } = await run.done;
    return `${read} looked at, ${added} new anomalies, ${changed} changed, ${restated} closed, ` +
      `${incidents} incidents of the day`;
  }],
  ["impact", async (sql, request) => {
    const run = await startRun(sql, impact, { ...request, now: new Date() });
    const { measured, insufficient } = await run.done;
    return `${measured} applied recommendations measured, ${insufficient} without enough data`;
  }],
]);

await command(async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: "string" },
      level: { type: "string", default: "all" },
      "as-of": { type: "string" },
      force: { type: "boolean", default: false },
      replay: { type: "string" },
    },
  });
  const [name = "", ...rest] = positionals;
  const job = JOBS.get(name);
  if (!job || rest.length > 0) throw new Refusal("invalid_parameter", USAGE);
  const configId = readConfigId(values.config, USAGE);
  const levels = readLevels(values.level);
  const days = values.replay === undefined ? null : readPeriod(values.replay);
  const day = readDay(values["as-of"]);

  const database = await openDatabase(readSettings(Deno.env.toObject()));
  try {
    const account = await getAccount(database.sql, configId);
    // Each day as if it were today, the oldest first, so that nothing knows what came later.
    for (const asOf of days ?? [day ?? yesterdayIn(account.time_zone, new Date())]) {
      for (const entityType of levels) {
        const outcome = await job(database.sql, {
          configId,
          entityType,
          asOf,
          force: values.force,
        });
        print(`${LEVEL_FACTS[entityType].many} to ${asOf}: ${outcome}`);
      }
    }
  } finally {
    await database.close();
  }
});
