/**
 * `deno task bench [NAME...]`: measures what this program promises, on a native PostgreSQL server of
 * its own. It compares times within one run and judges their ratios, so that it can run anywhere.
 */
import { parseArgs } from "node:util";
import { Refusal } from "../../core/refusal.ts";
import { command, print } from "../../jobs/commands/command.ts";
import { testDatabase } from "../database.ts";
import { startNativeServer } from "../native_server.ts";
import { accountSizes, fillAccounts } from "./accounts.ts";
import { benchAdvice } from "./advice.ts";
import { benchAnomalies } from "./anomalies.ts";
import { benchForecast } from "./forecast.ts";
import { benchHttp } from "./http.ts";
import { benchImpact } from "./impact.ts";
import { benchImport } from "./import.ts";
import { benchJobs } from "./jobs.ts";
import { printFindings } from "./report.ts";
import { benchRuns } from "./runs.ts";
import { benchTiers } from "./tiers.ts";
import { benchViews } from "./views.ts";

const NAMES = [
  "tiers",
  "alarms",
  "advice",
  "forecast",
  "impact",
  "views",
  "classification",
  "recommendations",
  "anomalies",
  "forecasts",
  "jobs",
  "http",
  "import",
];

const USAGE = `Usage: deno task bench [NAME...] [--quick] [--rows N]
  NAME     ${NAMES.join(", ")}; all without any
  --quick  smaller accounts, files and samples: to see that it runs, not what it measures
  --rows   rows of the imported file (5,000,000)
Of the forecasts:
  --file FILE    daily series, a CSV file with the columns series_id, parent_id, date and y, of
                 which an empty one is unknown; simulated accounts without it
  --origins N    from how many days the days after them are forecast (4)
  --horizon N    how many days ahead (14)
  --out FILE     write the forecasts (series_id, origin, h, mean, lo80, hi80, lo95, hi95); the origin
                 is the last day that was known`;

await command(async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      quick: { type: "boolean", default: false },
      rows: { type: "string" },
      file: { type: "string" },
      origins: { type: "string" },
      horizon: { type: "string" },
      out: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return print(USAGE);
  const unknown = positionals.find((name) => !NAMES.includes(name));
  if (unknown !== undefined) {
    throw new Refusal(
      "invalid_parameter",
      `There is no benchmark "${unknown}"`,
      `There are ${NAMES.join(", ")}`,
    );
  }
  const isWanted = (name: string) => positionals.length === 0 || positionals.includes(name);
  const { quick } = values;
  const rows = countOf("rows", values.rows, quick ? 200_000 : 5_000_000);
  const origins = countOf("origins", values.origins, quick ? 2 : 4);
  const horizon = countOf("days ahead", values.horizon, 14);
  const title = (name: string) => quick ? `${name} (quick: too small to judge)` : name;

  if (isWanted("forecast")) {
    const { file, out } = values;
    await benchForecast(title("forecast"), {
      file,
      out,
      origins,
      horizon,
      seeds: quick ? 1 : 5,
    });
  }
  if (isWanted("impact")) {
    benchImpact(
      title("impact"),
      quick ? { placebos: 20, changes: 10 } : { placebos: 300, changes: 200 },
    );
  }
  // They need no server.
  const bare = ["forecast", "impact"];
  if (positionals.length > 0 && positionals.every((name) => bare.includes(name))) return;

  await using server = await startNativeServer({ shared_buffers: "1GB", max_wal_size: "8GB" });
  // The server gets the same Ctrl-C and the rest fails without it; what is left is to clean up.
  Deno.addSignalListener("SIGINT", () => {});
  // Where the databases of tests are made, these are too.
  Deno.env.set("TEST_DATABASE_URL", server.url);

  if (isWanted("tiers")) {
    await using database = await testDatabase();
    await benchTiers(database.sql, title("tiers"), quick ? 3 : 20);
  }
  if (isWanted("alarms")) await benchAnomalies(title("alarms"), quick ? 2 : 20);
  if (isWanted("advice")) {
    await using database = await testDatabase();
    await benchAdvice(database.sql, title("advice"), quick ? 2 : 20);
  }
  if (["views", "classification", "recommendations", "anomalies", "forecasts"].some(isWanted)) {
    await using database = await testDatabase();
    const { long, middle, large } = accountSizes(quick);
    await fillAccounts(database.sql, [long, middle, large]);
    if (isWanted("views")) {
      printFindings(title("views"), await benchViews(database.sql, [long, large]));
    }
    for (const task of ["classification", "recommendations", "anomalies", "forecasts"] as const) {
      if (!isWanted(task)) continue;
      printFindings(title(task), await benchRuns(database, task, [middle, large]));
    }
  }
  if (isWanted("jobs")) {
    await using database = await testDatabase();
    printFindings(title("jobs"), await benchJobs(database, quick ? 20 : 200));
  }
  if (isWanted("http")) {
    await using database = await testDatabase();
    printFindings(title("http"), await benchHttp(database, quick ? 100_000 : 1_000_000));
  }
  if (isWanted("import")) {
    await using database = await testDatabase();
    printFindings(title("import"), await benchImport(database, rows));
  }
});

function countOf(what: string, text: string | undefined, otherwise: number): number {
  const count = Number(text ?? otherwise);
  if (Number.isInteger(count) && count > 0) return count;
  throw new Refusal("invalid_parameter", `"${text}" is no number of ${what}`);
}
