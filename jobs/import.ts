/** Importing daily Ads Manager exports: all files or nothing, in memory that does not grow with them. */
import { addDays, dayIn } from "../core/days.ts";
import { hasIds, levelsOf } from "../core/export/identity.ts";
import type { LeadSource } from "../core/export/lead_source.ts";
import { RowReader } from "../core/export/rows.ts";
import type { Level } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import { type AccountFacts, lockAccount, updateAccount } from "../db/account_import.ts";
import type { Sql, Transaction } from "../db/connect.ts";
import {
  type EntityCounts,
  type InsightCounts,
  mergeEntities,
  mergeInsights,
  STAGED_ENTITIES,
  STAGED_INSIGHTS,
} from "../db/import.ts";
import { createStaging, type Loader, openLoader } from "../db/staging.ts";
import { analyzeEntities } from "../db/planner.ts";
import { inTransaction } from "../db/transaction.ts";
import { type BadRowReport, type ReadCounts, stageFile } from "./import_rows.ts";
import { ImportSource } from "./import_source.ts";
import { type Plan, type Reading, surveyFile } from "./import_survey.ts";

/** What to import and how to read it. */
export type ImportOptions = Reading & {
  configId: number;
  /** Paths; `-` is standard input. Later files win over earlier ones. */
  files: readonly string[];
  /** What the person says about the account; it wins over the files. */
  account?: AccountFacts;
  skipBadRows?: boolean;
  now?: Date;
  onProgress?: (progress: ImportProgress) => void;
};

/** How far an import is. */
export type ImportProgress = {
  file: string;
  step: "checking" | "reading" | "storing";
  /** Bytes of the file, as it lies on the disk. */
  bytes: number;
  size: number;
  rows: number;
};

/** What one file brought. */
export type FileReport = InsightCounts & {
  file: string;
  /** Rows below the header, without blank ones. */
  rows: number;
  summaryRows: number;
  badRows: number;
  /** The first of the bad rows. */
  badRowList: BadRowReport[];
  entities: EntityCounts;
  leadSource: LeadSource;
  /** What the person should know about the numbers. */
  notes: string[];
};

/** What an import did. */
export type ImportReport = {
  configId: number;
  isNewAccount: boolean;
  files: FileReport[];
};

const SHOWN_BAD_ROWS = 20;

/** Imports files into one account in one transaction: all of them, or nothing. */
export async function importFiles(sql: Sql, options: ImportOptions): Promise<ImportReport> {
  await using sources = new AsyncDisposableStack();
  const plans: Plan[] = [];
  for (const file of options.files) {
    const source = sources.use(await ImportSource.open(file));
    const onRead = (bytes: number) => progress(source, options, "checking", bytes);
    plans.push(await naming(source, options, () => surveyFile(source, options, onRead)));
  }
  const account = options.account ?? {};
  const currency = currencyOf(plans, account.currency);
  const { configId } = options;
  const report = await inTransaction(sql, async (tx) => {
    const { isNew } = await lockAccount(tx, configId, { ...account, currency });
    const load = await openLoader(tx);
    const files: FileReport[] = [];
    let found: AccountFacts = {};
    for (const plan of plans) {
      found = await naming(plan.source, options, async () => {
        const { report, accountId, accountName } = await importFile(tx, load, plan, options);
        files.push(report);
        return {
          accountId: mergeAccountId(found.accountId, accountId ?? undefined),
          name: accountName ?? found.name,
        };
      });
    }
    await updateAccount(tx, configId, {
      ...account,
      accountId: mergeAccountId(account.accountId, found.accountId),
      name: account.name ?? found.name,
    });
    return { configId, isNewAccount: isNew, files };
  });
  await analyzeEntities(sql);
  return report;
}

/** Says which of several files a refusal is about, where it does not say so itself. */
async function naming<Result>(
  { name }: ImportSource,
  { files }: ImportOptions,
  run: () => Promise<Result>,
): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Refusal) || files.length === 1) throw error;
    if (error.message.includes(`"${name}"`)) throw error;
    throw new Refusal(error.code, `"${name}": ${error.message}`, error.hint, error.details);
  }
}

function currencyOf(plans: readonly Plan[], said: string | undefined): string | undefined {
  const found = new Map<string, string>();
  for (const { currency, source } of plans) {
    if (currency !== null && !found.has(currency)) found.set(currency, ` in "${source.name}"`);
  }
  if (said) found.set(said, "");
  if (found.size <= 1) return [...found.keys()][0];
  const list = [...found].map(([currency, place]) =>
    plans.length > 1 ? currency + place : currency
  );
  throw new Refusal(
    "conflict",
    `The currencies differ: ${list.join(", ")}`,
    "Import accounts of different currencies under different --config numbers",
  );
}

function mergeAccountId(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined || one === other) return one ?? other;
  throw new Refusal(
    "conflict",
    `The import mixes Meta's accounts ${one} and ${other}`,
    "Import each account under its own --config number",
  );
}

type Imported = { report: FileReport; accountId: string | null; accountName: string | null };

async function importFile(
  tx: Transaction,
  load: Loader,
  plan: Plan,
  options: ImportOptions,
): Promise<Imported> {
  const { header, source } = plan;
  await createStaging(tx, STAGED_ENTITIES);
  await createStaging(tx, STAGED_INSIGHTS);
  const now = options.now ?? new Date();
  const reader = new RowReader({ ...plan, newestDay: newestDay(now) });
  const skipBadRows = options.skipBadRows ?? false;
  const onRead = (bytes: number, rows: number) => progress(source, options, "reading", bytes, rows);
  const read = await stageFile(load, plan, reader, skipBadRows, onRead);
  if (!skipBadRows || read.insights === 0) refuseBadRows(source.name, read);
  if (reader.paths.areRounded) {
    throw new Refusal(
      "invalid_parameter",
      `A spreadsheet rounded the IDs in "${source.name}": all of them end in zeros`,
      "Export the file again and import it without opening it in a spreadsheet",
    );
  }
  progress(source, options, "storing", source.size, read.rows);
  const levels = levelsOf(header.columns);
  const entities = await mergeEntities(
    tx,
    options.configId,
    Object.fromEntries(
      levels.map((level) => [level, hasIds(header.columns, level) ? "id" : "name"]),
    ),
  );
  const insights = await mergeInsights(tx, options.configId, now);
  const { rows, summaryRows, badRows, badRowList } = read;
  return {
    report: {
      file: source.name,
      rows,
      summaryRows,
      badRows,
      badRowList,
      entities,
      leadSource: plan.leadSource,
      notes: notesOn(plan, levels, insights),
      ...insights,
    },
    accountId: reader.accountId,
    accountName: reader.accountName,
  };
}

/** Tomorrow in UTC has begun in the zones furthest east. */
function newestDay(now: Date): string {
  return addDays(dayIn("UTC", now), 1);
}

function refuseBadRows(file: string, read: ReadCounts): void {
  const { rows, insights, badRows, periodTotals, badRowList } = read;
  if (insights === 0 && badRows === 0) {
    throw new Refusal("invalid_parameter", `"${file}" has no daily rows`);
  }
  if (insights === 0 && periodTotals === badRows) {
    throw new Refusal(
      "invalid_parameter",
      `"${file}" holds totals over a period, not days`,
      "Export it with the breakdown by day (Breakdown, By time, Day)",
    );
  }
  if (badRows === 0) return;
  const lines = badRowList.slice(0, SHOWN_BAD_ROWS).map(({ row, reason }) =>
    `\n  row ${row}: ${reason}`
  );
  const more = badRows - lines.length;
  throw new Refusal(
    "invalid_parameter",
    `${badRows} of the ${rows} rows of "${file}" cannot be imported (the header is row 1):` +
      lines.join("") + (more > 0 ? `\n  and ${more} more` : "") + "\nNothing was imported",
    insights > 0
      ? "Correct the file, or leave these rows out with --skip-bad-rows"
      : "Check the file, or name its columns with --map field=HEADER",
    { bad_rows: badRows, rows: badRowList.slice(0, SHOWN_BAD_ROWS) },
  );
}

function notesOn(plan: Plan, levels: readonly Level[], { addedUp }: InsightCounts): string[] {
  const { columns } = plan.header;
  const notes: string[] = [];
  if (addedUp > 0 && columns.reach !== undefined) {
    notes.push(
      "Reach does not add up over breakdowns: it stays empty where several rows were summed",
    );
  }
  if (!levels.includes("ad")) {
    notes.push("The file names no ads: campaigns and ad sets work fully, the ad level stays empty");
  }
  if (columns.clicks === undefined) {
    notes.push(
      columns.link_clicks === undefined
        ? "The file has no clicks: CTR and conversion rate cannot be told from it"
        : "The file has no column for all clicks: link clicks count instead",
    );
  }
  if (plan.leadSource === "none") notes.push("No leads were read, as asked for");
  const untyped = (["campaign", "adset"] as const).some((level) =>
    columns[`${level}_budget`] !== undefined && columns[`${level}_budget_type`] === undefined
  );
  if (untyped) notes.push("The file does not say which kind its budgets are: they count as daily");
  return notes;
}

function progress(
  { name, size }: ImportSource,
  { onProgress }: ImportOptions,
  step: ImportProgress["step"],
  bytes: number,
  rows = 0,
): void {
  onProgress?.({ file: name, step, bytes, size, rows });
}
