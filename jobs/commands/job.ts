/** `deno task job TASK --config ID`: runs a job now, for one account. */
import { parseArgs } from "node:util";
import { yesterdayIn } from "../../core/days.ts";
import { type Level, LEVEL_FACTS, LEVELS } from "../../core/level.ts";
import { Refusal } from "../../core/refusal.ts";
import { readSettings } from "../../core/settings.ts";
import { getAccount } from "../../db/accounts.ts";
import { openDatabase } from "../../db/database.ts";
import { classify } from "../classification.ts";
import { command, print } from "./command.ts";

const USAGE = "Usage: deno task job classification --config ID " +
  "[--level campaign|adset|ad|all] [--as-of YYYY-MM-DD] [--force]";

await command(async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      config: { type: "string" },
      level: { type: "string", default: "all" },
      "as-of": { type: "string" },
      force: { type: "boolean", default: false },
    },
  });
  const [task, ...rest] = positionals;
  if (task !== "classification" || rest.length > 0) throw new Refusal("invalid_parameter", USAGE);
  const configId = readConfigId(values.config);
  const levels = readLevels(values.level);
  const day = readDay(values["as-of"]);

  const database = await openDatabase(readSettings(Deno.env.toObject()));
  try {
    const account = await getAccount(database.sql, configId);
    const asOf = day ?? yesterdayIn(account.time_zone, new Date());
    for (const entityType of levels) {
      const { classified, kept, insufficient } = await classify(database.sql, {
        configId,
        entityType,
        asOf,
        force: values.force,
      });
      print(
        `${LEVEL_FACTS[entityType].many} to ${asOf}: ${classified} classified, ` +
          `${kept} still valid, ${insufficient} without enough data`,
      );
    }
  } finally {
    await database.close();
  }
});

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
