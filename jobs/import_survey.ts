/** The first pass of an import: how a file is written, before any of its rows is interpreted. */
import {
  findColumns,
  type Header,
  type HeaderMap,
  requireColumns,
} from "../core/export/columns.ts";
import { type Conventions, ConventionSurvey } from "../core/export/conventions.ts";
import { type CsvFormat, detectFormat, RowCutter, type TakeRow } from "../core/export/csv.ts";
import { type LeadChoice, type LeadSource, leadSourceOf } from "../core/export/lead_source.ts";
import { Refusal } from "../core/refusal.ts";
import type { ImportSource } from "./import_source.ts";

/** What the person says about how to read files. */
export type Reading = {
  map?: HeaderMap;
  conventions?: Partial<Conventions>;
  leads?: LeadChoice;
};

/** How one file is to be read. */
export type Plan = {
  source: ImportSource;
  format: CsvFormat;
  header: Header;
  headerRow: number;
  conventions: Conventions;
  leadSource: LeadSource;
  currency: string | null;
};

/** Reads a file until everything about its form is certain, which may be its end. */
export async function surveyFile(
  source: ImportSource,
  { map = {}, conventions: given, leads }: Reading,
  onRead: (bytes: number) => void,
): Promise<Plan> {
  let start = "";
  let form: { format: CsvFormat; cutter: RowCutter } | undefined;
  let top: { header: Header; headerRow: number; conventions: ConventionSurvey } | undefined;
  let currency: string | null = null;
  const see: TakeRow = (cells, row) => {
    if (!top) {
      if (cells.every((cell) => cell.trim() === "")) return;
      const header = findColumns(cells, map);
      requireColumns(header);
      const conventions = new ConventionSurvey(header, given);
      top = { header, headerRow: row, conventions };
      currency = header.currency;
      return;
    }
    const currencyColumn = top.header.columns.currency;
    if (currencyColumn !== undefined) {
      currency ??= cells[currencyColumn]?.trim().toUpperCase() || null;
    }
    top.conventions.see(cells);
  };
  for await (const text of source.text(onRead)) {
    start += text;
    if (!form && !/[\r\n]./s.test(start)) continue;
    form ??= startCutting(start, map, see);
    form.cutter.push(start);
    start = "";
    if (top?.conventions.isDecided) break;
  }
  form ??= startCutting(start, map, see);
  form.cutter.push(start);
  if (!top?.conventions.isDecided) form.cutter.end();
  if (!top) throw new Refusal("invalid_parameter", `"${source.name}" is empty`);
  const { header, headerRow } = top;
  return {
    source,
    format: form.format,
    header,
    headerRow,
    conventions: top.conventions.conclude(),
    leadSource: leadSourceOf(header, leads),
    currency,
  };
}

function startCutting(start: string, map: HeaderMap, takeRow: TakeRow) {
  const format = detectFormat(start, map);
  return { format, cutter: new RowCutter(format, takeRow) };
}
