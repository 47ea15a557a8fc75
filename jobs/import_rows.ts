/** The second pass of an import: the rows of a file on their way into the staging tables. */
import { type CsvRows, RowCutter } from "../core/export/csv.ts";
import type { Entity } from "../core/export/identity.ts";
import type { InsightRow, Outcome, RowReader } from "../core/export/rows.ts";
import { STAGED_ENTITIES, STAGED_INSIGHTS } from "../db/import.ts";
import type { Cell, Loader } from "../db/staging.ts";
import type { Plan } from "./import_survey.ts";

/** A row that cannot be imported; the header is row 1. */
export type BadRowReport = { row: number; reason: string };

/** How many bad rows are remembered with their reasons; all are counted. */
const LISTED_BAD_ROWS = 10_000;
const BATCH = 5_000;

/** Enough for an account of 100,000 ads; more are staged again whenever they come back. */
const REMEMBERED_PATHS = 150_000;

/** What the rows of a file turned out to be. */
export type ReadCounts = {
  rows: number;
  insights: number;
  summaryRows: number;
  badRows: number;
  periodTotals: number;
  badRowList: BadRowReport[];
};

/** Reads a file and stages its good rows and what they say about entities. */
export async function stageFile(
  load: Loader,
  plan: Plan,
  reader: RowReader,
  skipBadRows: boolean,
  onRead: (bytes: number, rows: number) => void,
): Promise<ReadCounts> {
  const tally = new Tally();
  const pieces = cutRows(plan, (bytes) => onRead(bytes, tally.counts.rows));
  for (let isMore = true; isMore;) {
    isMore = await stageRows(load, plan, reader, pieces, tally, skipBadRows);
    await stageEntities(load, reader);
  }
  return tally.counts;
}

/**
 * Stages rows until the file ends or too many entities are remembered.
 *
 * @returns Whether the file goes on.
 */
async function stageRows(
  load: Loader,
  plan: Plan,
  reader: RowReader,
  pieces: AsyncGenerator<CsvRows>,
  tally: Tally,
  skipBadRows: boolean,
): Promise<boolean> {
  await using loading = await load(STAGED_INSIGHTS);
  while (reader.paths.size < REMEMBERED_PATHS) {
    const { value, done } = await pieces.next();
    if (done) {
      await loading.end();
      return false;
    }
    const { first, rows, brokenQuotes } = value;
    const batch: Cell[][] = [];
    for (const [index, cells] of rows.entries()) {
      const row = first + index;
      if (row <= plan.headerRow) continue;
      const outcome = brokenQuotes.has(row) ? BROKEN_QUOTE : reader.read(cells);
      tally.count(row, outcome);
      if (outcome.kind === "insight") batch.push(insightCells(outcome.insight));
    }
    // Once a bad row is found, reading on only serves to find the others.
    if (tally.counts.badRows === 0 || skipBadRows) await loading.write(batch);
  }
  await loading.end();
  return true;
}

const BROKEN_QUOTE: Outcome = {
  kind: "bad",
  reason: "text behind a closing quote",
  isPeriodTotal: false,
};

async function stageEntities(load: Loader, reader: RowReader): Promise<void> {
  await using loading = await load(STAGED_ENTITIES);
  let batch: Cell[][] = [];
  for (const entity of reader.paths.drain()) {
    batch.push(entityCells(entity));
    if (batch.length < BATCH) continue;
    await loading.write(batch);
    batch = [];
  }
  await loading.write(batch);
  await loading.end();
}

/** Counts what the rows of a file turned out to be. */
class Tally {
  readonly counts: ReadCounts = {
    rows: 0,
    insights: 0,
    summaryRows: 0,
    badRows: 0,
    periodTotals: 0,
    badRowList: [],
  };

  count(row: number, outcome: Outcome): void {
    const { counts } = this;
    if (outcome.kind === "blank") return;
    counts.rows++;
    if (outcome.kind === "insight") counts.insights++;
    else if (outcome.kind === "summary") counts.summaryRows++;
    else {
      counts.badRows++;
      if (outcome.isPeriodTotal) counts.periodTotals++;
      if (counts.badRowList.length < LISTED_BAD_ROWS) {
        counts.badRowList.push({ row, reason: outcome.reason });
      }
    }
  }
}

async function* cutRows(plan: Plan, onRead: (bytes: number) => void): AsyncGenerator<CsvRows> {
  const cutter = new RowCutter(plan.format);
  for await (const text of plan.source.text(onRead)) yield cutter.push(text);
  yield cutter.end();
}

function insightCells(row: InsightRow): Cell[] {
  return [
    row.path.key,
    row.day,
    row.spend,
    row.impressions,
    row.reach,
    row.clicks,
    row.linkClicks,
    row.leads,
    row.conversions,
  ];
}

function entityCells(entity: Entity & { latest: string }): Cell[] {
  return [
    entity.entityType,
    entity.entityId,
    entity.campaignId,
    entity.adsetId,
    entity.name,
    entity.objective,
    entity.status,
    entity.effectiveStatus,
    entity.budget.known,
    entity.budget.daily,
    entity.budget.lifetime,
    entity.key,
    entity.latest,
  ];
}
