/** `deno task job TASK --config ID`: runs a job now, for one account. */
import { parseArgs } from "node:util";
import { addDays, daysBetween, yesterdayIn } from "../../core/days.ts";
import { type Level, LEVEL_FACTS, LEVELS } from "../../core/level.ts";
import { Refusal } from "../../core/refusal.ts";
import { readSettings } from "../../core/settings.ts";
import { getAccount } from "../../db/accounts.ts";
import { openDatabase } from "../../db/database.ts";
import type { Sql } from "../../db/connect.ts";
import { anomalies } from "../anomalies.ts";
import { classify } from "../classification.ts";
import { startRun } from "../runs.ts";
import { command, print } from "./command.ts";

const USAGE = "Usage: deno task job classification|anomalies --config ID " +
  "[--level campaign|adset|ad|all] [--as-of YYYY-MM-DD], classification also [--force], " +
  "anomalies also [--replay YYYY-MM-DD..YYYY-MM-DD]";

type Request = { configId: number; entityType: Level; asOf: string; force: boolean };

/** Does a job and says in a few words what it did. */
const JOBS = new Map<string, (sql: Sql, request: Request) => Promise<string>>([
  ["classification", async (sql, request) => {
    const { classified, kept, insufficient } = await classify(sql, request);
    return `${classified} classified, ${kept} still valid, ${insufficient} without enough data`;
  }],
  ["anomalies", async (sql, request) => {
    const run = await startRun(sql, anomalies, { ...request, now: new Date() });
    const { read, added, changed, restated, incidents } = await run.done;
    return `${read} looked at, ${added} new anomalies, ${changed} changed, ${restated} closed, ` +
      `${incidents} incidents of the day`;
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
  const configId = readConfigId(values.config);
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

/** The days of `FROM..TO`. */
function readPeriod(text: string): string[] {
  const [from, to] = text.split("..").map(readDay);
  if (!from || !to || from > to) {
    throw new Refusal("invalid_parameter", `"${text}" is no period`, "Write it as FROM..TO");
  }
  return Array.from({ length: daysBetween(from, to) + 1 }, (_, index) => addDays(from, index));
}

function readConfigId(text: string | undefined): number {
  const configId = /^\d{1,9}$/.test(text ?? "") ? Number(text) : 0;
  if (configId > 0) return configId;
  throw new Refusal(
    "invalid_parameter",
    text === undefined ? "--config is missing" : `"${text}" is no config id`,
    USAGE,
  );
}

function readLevels(text: string): readonly Level[] {
  if (text === "all") return LEVELS;
  const level = LEVELS.find((level) => level === text);
  if (level) return [level];
  throw new Refusal(
    "invalid_parameter",
    `Unknown level "${text}"`,
    `Use one of ${LEVELS.join(", ")}, or all`,
  );
}

function readDay(text: string | undefined): string | null {
  if (text === undefined) return null;
  try {
    return Temporal.PlainDate.from(text, { overflow: "reject" }).toString();
  } catch {
    throw new Refusal("invalid_parameter", `"${text}" is no day`, "Write it as YYYY-MM-DD");
  }
}
