/** The second pass of an import: the rows of a file on their way into the staging tables. */
import { RowCutter } from "../core/export/csv.ts";
import { detached } from "../core/export/detached.ts";
import type { Entity } from "../core/export/identity.ts";
import type { InsightRow, Outcome, RowReader } from "../core/export/rows.ts";
import { STAGED_ENTITIES, STAGED_INSIGHTS } from "../db/import.ts";
import type { Cell, Loader, Loading } from "../db/staging.ts";
import type { Plan } from "./import_survey.ts";

/** A row that cannot be imported; the header is row 1. */
export type BadRowReport = { row: number; reason: string };

/** How many bad rows are remembered with their reasons; all are counted. */
const LISTED_BAD_ROWS = 10_000;
const FLUSHED_ENTITIES = 500;

/**
 * How many bytes of entities are remembered: enough for 100,000 ads with names of 60 characters. More
 * of them are staged again whenever they come back, which costs time.
 */
const REMEMBERED = 32_000_000;

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
  const texts = plan.source.text((bytes) => onRead(bytes, tally.counts.rows));
  let loading: Loading | undefined;
  const cutter = new RowCutter(plan.format, (cells, row, isBroken) => {
    if (row <= plan.headerRow) return;
    const outcome = isBroken ? BROKEN_QUOTE : reader.read(cells);
    tally.count(row, outcome);
    // Once a bad row is found, reading on only serves to find the others.
    const isWanted = tally.counts.badRows === 0 || skipBadRows;
    if (outcome.kind === "insight" && isWanted) loading?.add(insightCells(outcome.insight));
  });
  for (let isMore = true; isMore;) {
    loading = await load(STAGED_INSIGHTS);
    isMore = await stageRows(loading, texts, cutter, reader);
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
  opened: Loading,
  texts: AsyncGenerator<string>,
  cutter: RowCutter,
  reader: RowReader,
): Promise<boolean> {
  await using loading = opened;
  let isMore = true;
  while (isMore && reader.paths.size < REMEMBERED) {
    const { value, done } = await texts.next();
    if (done) cutter.end();
    else cutter.push(value);
    await loading.flush();
    isMore = !done;
  }
  await loading.end();
  return isMore;
}

const BROKEN_QUOTE: Outcome = {
  kind: "bad",
  reason: "text behind a closing quote",
  isPeriodTotal: false,
};

async function stageEntities(load: Loader, reader: RowReader): Promise<void> {
  await using loading = await load(STAGED_ENTITIES);
  let added = 0;
  for (const entity of reader.paths.drain()) {
    loading.add(entityCells(entity));
    if (++added % FLUSHED_ENTITIES === 0) await loading.flush();
  }
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
        counts.badRowList.push({ row, reason: detached(outcome.reason) });
      }
    }
  }
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
