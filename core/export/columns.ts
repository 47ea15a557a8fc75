/** Which column of a file holds what: from its header row and what the person says about it. */
import { Refusal } from "../refusal.ts";
import {
  allFields,
  englishHeader,
  type Field,
  isField,
  normalizeHeader,
  recognizeHeader,
} from "./fields.ts";

/** The position of each field that a file has. */
export type Columns = { readonly [field in Field]?: number };

/** A header row that was understood. */
export type Header = {
  /** The cells as they stand in the file. */
  cells: readonly string[];
  columns: Columns;
  /** The currency in the brackets of a money column, null where none names it. */
  currency: string | null;
};

/** What `--map field=header` says: the header that holds a field. */
export type HeaderMap = { readonly [field in Field]?: string };

/** Reads `field=header` pairs and refuses fields that do not exist. */
export function parseHeaderMap(pairs: readonly string[]): HeaderMap {
  const map: { [field in Field]?: string } = {};
  for (const pair of pairs) {
    const [, field = "", header] = pair.match(/^\s*([^=]*?)\s*=(.*)$/s) ?? [];
    if (header === undefined || header.trim() === "") {
      throw new Refusal(
        "invalid_parameter",
        `--map "${pair}" is not of the form field=header`,
        'For example --map spend="Cost in euros"',
        { parameter: "map" },
      );
    }
    if (!isField(field)) {
      throw new Refusal(
        "invalid_parameter",
        `--map "${pair}" names the unknown field "${field}"`,
        `The fields are ${allFields().join(", ")}`,
        { parameter: "map" },
      );
    }
    map[field] = header;
  }
  return map;
}

/** Columns that only serve as a cross-check, so a doubtful one is left alone instead of refused. */
const CHECKS: ReadonlySet<Field> = new Set<Field>(["ctr", "cpc", "frequency"]);

/**
 * Finds the columns of a file, without judging yet whether they suffice (see `requireColumns`).
 *
 * @param cells The header row.
 * @param map Headers named by the person; they win over the dictionary.
 */
export function findColumns(cells: readonly string[], map: HeaderMap): Header {
  const columns: { [field in Field]?: number } = {};
  const mapped = new Set<number>();
  for (const field of allFields()) {
    const wanted = map[field];
    if (wanted === undefined) continue;
    const index = indexOfHeader(cells, wanted);
    columns[field] = index;
    mapped.add(index);
  }
  const currencies = new Set<string>();
  const doubtful = new Set<Field>();
  for (const [index, cell] of cells.entries()) {
    const { field, currency } = recognizeHeader(cell);
    if (currency && (field || mapped.has(index))) currencies.add(currency);
    if (!field || mapped.has(index) || map[field] !== undefined) continue;
    const other = columns[field];
    if (other === undefined) columns[field] = index;
    else if (CHECKS.has(field)) doubtful.add(field);
    else throw twoColumns(field, cells[other] ?? "", cell);
  }
  for (const field of doubtful) delete columns[field];
  if (currencies.size > 1) {
    throw new Refusal(
      "invalid_parameter",
      `The file holds amounts in several currencies: ${[...currencies].join(", ")}`,
      "Export one account at a time",
    );
  }
  const [currency = null] = currencies;
  return { cells, columns, currency };
}

/** Refuses a file that lacks what every row needs, saying what it has instead. */
export function requireColumns({ cells, columns }: Header): void {
  const has = (...fields: Field[]) => fields.some((field) => columns[field] !== undefined);
  const missing: string[] = [];
  if (!has("day") && !(has("date_start") && has("date_stop"))) missing.push(englishHeader("day"));
  if (!has("campaign_id", "campaign_name")) missing.push(englishHeader("campaign_name"));
  if (!has("adset_id", "adset_name")) missing.push(englishHeader("adset_name"));
  if (!has("spend")) missing.push(englishHeader("spend"));
  if (!has("impressions")) missing.push(englishHeader("impressions"));
  if (missing.length === 0) return;
  const names = missing.map((name) => `"${name}"`).join(", ");
  throw new Refusal(
    "invalid_parameter",
    `This is not a daily Ads Manager export with ad sets: no column for ${names} among ${
      quoteHeaders(cells)
    }`,
    missing.includes(englishHeader("day"))
      ? "Export with the breakdown by day, or name the column with --map day=HEADER"
      : "Add the columns to the export, or name them with --map field=HEADER",
  );
}

/** The headers of a file in a sentence, shortened where there are very many. */
export function quoteHeaders(cells: readonly string[]): string {
  const shown = cells.slice(0, 40).map((cell) => `"${cell.trim().slice(0, 80)}"`).join(", ");
  return cells.length > 40 ? `${shown} and ${cells.length - 40} more` : shown;
}

function indexOfHeader(cells: readonly string[], wanted: string): number {
  const matches = [...cells.keys()].filter((index) =>
    normalizeHeader(cells[index] ?? "") === normalizeHeader(wanted)
  );
  const [index] = matches;
  if (index === undefined || matches.length > 1) {
    throw new Refusal(
      "invalid_parameter",
      `The file has ${index === undefined ? "no" : "more than one"} column "${wanted.trim()}"`,
      `Its columns are ${quoteHeaders(cells)}`,
      { parameter: "map" },
    );
  }
  return index;
}

function twoColumns(field: Field, one: string, other: string): Refusal {
  return new Refusal(
    "invalid_parameter",
    `The columns "${one}" and "${other}" both stand for "${englishHeader(field)}"`,
    `Say which one counts with --map ${field}=HEADER, or export only one of them`,
  );
}
