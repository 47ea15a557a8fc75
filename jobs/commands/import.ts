/** `deno task import FILE... --config ID`: reads Ads Manager exports into an account. */
import { parseArgs } from "node:util";
import { allFields } from "../../core/export/fields.ts";
import { Refusal } from "../../core/refusal.ts";
import { readSettings } from "../../core/settings.ts";
import { openDatabase } from "../../db/database.ts";
import { getAccount } from "../../db/accounts.ts";
import { importFiles } from "../import.ts";
import { STANDARD_INPUT } from "../import_source.ts";
import { decideAndSummarize } from "../account_summary.ts";
import { command, print } from "./command.ts";
import { readFlags } from "./import_flags.ts";
import { progressPrinter } from "./import_progress.ts";
import { reportLines } from "./import_report.ts";

const HELP =
  `Imports daily exports of Meta's Ads Manager and tells which campaigns, ad sets and ads perform.

  deno task import FILE... --config ID [options]
  zcat export.csv.gz | deno task import --config ID

FILE is a CSV export with the breakdown by day, plain or gzip; - or no FILE reads standard input.
Several files are one import: either all of them are stored or nothing is, and of a day that several
contain the last one counts. A day that was imported before is overwritten by the file's rows; rows
that the file does not mention stay.

The account
  --config ID            its number here, 1 or more; a new number makes a new account
  --account-id ID        Meta's id of the account, with or without act_
  --name NAME
  --currency CODE        such as EUR; needed for a new account if no header names it
  --time-zone ZONE       such as Europe/Lisbon; UTC for a new account if not given
  --target-cpl AMOUNT    what a lead may cost; otherwise the account's own CPL is the reference

How to read the files, where they do not tell
  --map FIELD=HEADER     which column holds a field; may be repeated
  --dates dmy|mdy        whether the day or the month comes first
  --decimal point|comma  the decimal sign
  --results leads        every result counts as a lead
  --no-leads             import without leads
  --skip-bad-rows        leave out rows that cannot be read, and list them

Fields: ${wrap(allFields().join(" "))}
`;

await command(async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h" },
      config: { type: "string" },
      "account-id": { type: "string" },
      name: { type: "string" },
      currency: { type: "string" },
      "time-zone": { type: "string" },
      "target-cpl": { type: "string" },
      map: { type: "string", multiple: true },
      dates: { type: "string" },
      decimal: { type: "string" },
      results: { type: "string" },
      "no-leads": { type: "boolean" },
      "skip-bad-rows": { type: "boolean" },
    },
  });
  if (values.help) return print(HELP.trimEnd());
  const options = { ...readFlags(values), files: filesToRead(positionals) };
  const progress = progressPrinter();
  const database = await openDatabase(readSettings(Deno.env.toObject()));
  try {
    const report = await importFiles(database.sql, { ...options, onProgress: progress.show });
    progress.clear();
    for (const line of reportLines(report, options)) print(line);
    // The embedded engine has nobody else who keeps the planner's statistics.
    if (database.engine === "embedded") await database.sql`analyze`;
    const account = await getAccount(database.sql, options.configId);
    print(["", ...await decideAndSummarize(database.sql, account, new Date())].join("\n"));
  } catch (error) {
    progress.clear();
    throw error;
  } finally {
    await database.close();
  }
});

function filesToRead(files: string[]): string[] {
  if (files.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw new Refusal("invalid_parameter", "Standard input can be read only once");
  }
  if (files.length > 0) return files;
  if (!Deno.stdin.isTerminal()) return [STANDARD_INPUT];
  throw new Refusal(
    "invalid_parameter",
    "There is no file to import",
    "Usage: deno task import FILE... --config ID (more with --help)",
  );
}

function wrap(words: string): string {
  return words.replace(/(.{1,90})(?: |$)/g, "\n  $1");
}
