/** Reads a whole export without a database, as an import does piece by piece. */
import {
  findColumns,
  type Header,
  type HeaderMap,
  requireColumns,
} from "../../../core/export/columns.ts";
import { type Conventions, ConventionSurvey } from "../../../core/export/conventions.ts";
import { detectFormat, RowCutter } from "../../../core/export/csv.ts";
import type { Entity } from "../../../core/export/identity.ts";
import { type LeadChoice, leadSourceOf } from "../../../core/export/lead_source.ts";
import { type InsightRow, RowReader } from "../../../core/export/rows.ts";

export type ReadExport = {
  insights: InsightRow[];
  entities: (Entity & { latest: string })[];
  bad: [row: number, reason: string][];
  summaryRows: number;
};

/** @param pieceLength How much of the text arrives at once. */
export function readExport(
  text: string,
  options: {
    map?: HeaderMap;
    conventions?: Partial<Conventions>;
    leads?: LeadChoice;
    pieceLength?: number;
  } = {},
): ReadExport {
  const rows = cutAll(text, options.map ?? {}, options.pieceLength ?? 1000);
  const header: Header = findColumns(rows[0] ?? [], options.map ?? {});
  requireColumns(header);
  const survey = new ConventionSurvey(header, options.conventions);
  for (const cells of rows.slice(1)) survey.see(cells);
  const reader = new RowReader({
    header,
    conventions: survey.conclude(),
    leadSource: leadSourceOf(header, options.leads),
    currency: header.currency,
    newestDay: "2026-01-01",
  });
  const read: ReadExport = { insights: [], entities: [], bad: [], summaryRows: 0 };
  for (const [index, cells] of rows.entries()) {
    if (index === 0) continue;
    const outcome = reader.read(cells);
    if (outcome.kind === "insight") read.insights.push(outcome.insight);
    if (outcome.kind === "bad") read.bad.push([index + 1, outcome.reason]);
    if (outcome.kind === "summary") read.summaryRows++;
  }
  read.entities = [...reader.paths.drain()];
  return read;
}

function cutAll(text: string, map: HeaderMap, pieceLength: number): string[][] {
  const rows: string[][] = [];
  const cutter = new RowCutter(detectFormat(text, map), (cells) => rows.push(cells));
  for (let start = 0; start < text.length; start += pieceLength) {
    cutter.push(text.slice(start, start + pieceLength));
  }
  cutter.end();
  return rows;
}
