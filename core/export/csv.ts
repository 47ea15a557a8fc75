/** Cuts text that arrives in pieces into rows of cells, and finds out how it is to be cut. */
// @ts-types="@types/papaparse"
import Papa, { type ParseConfig, type ParseResult, type ParseStepResult } from "papaparse";
import { Refusal } from "../refusal.ts";
import { type HeaderMap } from "./columns.ts";
import { normalizeHeader, recognizeHeader } from "./fields.ts";

/** What separates cells and rows. */
export type CsvFormat = { delimiter: string; newline: "\n" | "\r\n" | "\r" };

/**
 * Takes in one row.
 *
 * @param row Its number; the first row of a file has number 1.
 * @param isBroken Whether it has text behind a closing quote.
 */
export type TakeRow = (cells: string[], row: number, isBroken: boolean) => void;

const DELIMITERS = [",", ";", "\t"];

/** No row is longer than this; more without an end means a quote that is never closed. */
const LONGEST_ROW = 4 * 1024 * 1024;

/**
 * Decides how a file is cut: by the delimiter under which the most headers are known, then by the one
 * that gives the most cells.
 *
 * @param start The beginning of the file with at least its first row.
 */
export function detectFormat(start: string, map: HeaderMap): CsvFormat {
  const unquoted = start.replace(/"[^"]*"/g, "");
  const [newline = "\n"] = unquoted.match(/\r\n|\n|\r/) ?? [];
  const wanted = new Set(Object.values(map).map(normalizeHeader));
  const isKnown = (cell: string) =>
    recognizeHeader(cell).field !== null || wanted.has(normalizeHeader(cell));
  const rated = DELIMITERS.map((delimiter) => {
    const format: CsvFormat = {
      delimiter,
      newline: newline === "\r\n" || newline === "\r" ? newline : "\n",
    };
    const { data } = cut(start, { ...format, preview: 1 }, false);
    const cells = data[0] ?? [];
    return { format, score: cells.filter(isKnown).length * 10_000 + cells.length };
  });
  return rated.reduce((best, next) => next.score > best.score ? next : best).format;
}

/**
 * Cuts one file into rows; only an unfinished last row is kept between the pieces.
 *
 * Rows are handed out one by one, never as a list: when V8 meets hundreds of arrays from one place
 * alive, it takes them for long-lived, and from then on they pile up by the 100 MB.
 */
export class RowCutter {
  readonly #config: ParseConfig;
  #unfinished = "";
  #nextRow = 1;

  constructor(format: CsvFormat, takeRow: TakeRow) {
    this.#config = {
      ...format,
      step: ({ data: [cells = []], errors }: ParseStepResult<string[][]>) => {
        if (errors.some((error) => error.code === "MissingQuotes")) throw this.#neverEnds();
        takeRow(cells, this.#nextRow++, errors.length > 0);
      },
    };
  }

  /** Hands out the rows that are complete with this piece of text. */
  push(text: string): void {
    const start = this.#unfinished + text;
    this.#unfinished = start.slice(cut(start, this.#config, true).meta.cursor);
    if (this.#unfinished.length > LONGEST_ROW) throw this.#neverEnds();
  }

  /** Hands out the last row, where the file does not end with a line break. */
  end(): void {
    cut(this.#unfinished, this.#config, false);
    this.#unfinished = "";
  }

  #neverEnds(): Refusal {
    return new Refusal(
      "invalid_parameter",
      `Row ${this.#nextRow} opens a quote that is never closed`,
      "The file is cut off or damaged: export it again",
    );
  }
}

/** The library's parser for one piece of text, which can leave an unfinished last row alone. */
function cut(text: string, config: ParseConfig, leaveLastRow: boolean): ParseResult<string[]> {
  return new Papa.Parser(config).parse(text, 0, leaveLastRow);
}
