/** How one file writes its numbers and days, decided from its own cells and never guessed. */
import { Refusal } from "../refusal.ts";
import type { Header } from "./columns.ts";
import { dayEvidence, type DayOrder, doubtAboutDay } from "./days.ts";
import { type Field } from "./fields.ts";
import { decimalEvidence, type DecimalSign } from "./numbers.ts";

/** What a file's cells follow. */
export type Conventions = { decimal: DecimalSign; dates: DayOrder };

const DAY_FIELDS = ["day", "date_start", "date_stop"] as const satisfies Field[];

/** Fields that count something, so that `1.234` in them can only be a thousand and more. */
export const COUNT_FIELDS = [
  "impressions",
  "reach",
  "clicks",
  "link_clicks",
  "leads",
  "leads_on_facebook",
  "leads_on_website",
  "results",
  "purchases",
] as const satisfies Field[];

const AMOUNT_FIELDS = [
  "spend",
  "frequency",
  "ctr",
  "cpc",
  "campaign_budget",
  "adset_budget",
] as const satisfies Field[];

/** Looks at rows until the conventions of their file are certain. */
export class ConventionSurvey {
  readonly #header: Header;
  readonly #days: number[];
  readonly #numbers: { index: number; isCount: boolean }[];
  #dates: DayOrder | undefined;
  #decimal: DecimalSign | undefined;
  #doubtfulDay: string | undefined;
  #unreadableDay: { cell: string; doubt: string } | undefined;
  #doubtfulNumber: { cell: string; header: string } | undefined;

  /** @param given What the person says; it needs no evidence. */
  constructor(header: Header, given: Partial<Conventions> = {}) {
    const { columns } = header;
    const indexes = (fields: readonly Field[]) =>
      fields.map((field) => columns[field]).filter((index) => index !== undefined);
    this.#header = header;
    this.#days = indexes(DAY_FIELDS);
    this.#numbers = [
      ...indexes(AMOUNT_FIELDS).map((index) => ({ index, isCount: false })),
      ...indexes(COUNT_FIELDS).map((index) => ({ index, isCount: true })),
    ];
    this.#dates = given.dates;
    this.#decimal = given.decimal;
  }

  /** Whether further rows can add nothing. */
  get isDecided(): boolean {
    return this.#dates !== undefined && this.#decimal !== undefined;
  }

  /** Takes in one row. */
  see(cells: readonly string[]): void {
    if (this.#dates === undefined) this.#seeDays(cells);
    if (this.#decimal === undefined) this.#seeNumbers(cells);
  }

  /** The conventions after all rows; refuses a file in which they stay ambiguous. */
  conclude(): Conventions {
    if (this.#dates === undefined && this.#doubtfulDay !== undefined) {
      throw new Refusal(
        "invalid_parameter",
        `Whether the day or the month comes first in "${this.#doubtfulDay}" cannot be told from this file`,
        "Say it with --dates dmy (day first) or --dates mdy (month first)",
        { parameter: "dates" },
      );
    }
    if (this.#dates === undefined && this.#unreadableDay !== undefined) {
      const { cell, doubt } = this.#unreadableDay;
      throw new Refusal(
        "invalid_parameter",
        `The days in this file cannot be read: "${cell}" (${doubt})`,
        "Export it again and import it without opening it in a spreadsheet, or write its days as YYYY-MM-DD",
      );
    }
    if (this.#decimal === undefined && this.#doubtfulNumber !== undefined) {
      const { cell, header } = this.#doubtfulNumber;
      throw new Refusal(
        "invalid_parameter",
        `Whether "${cell}" under "${header}" has a decimal sign or groups thousands cannot be told from this file`,
        "Say what the decimal sign is with --decimal point or --decimal comma",
        { parameter: "decimal" },
      );
    }
    // Without any evidence every cell reads the same under either convention.
    return { dates: this.#dates ?? "dmy", decimal: this.#decimal ?? "point" };
  }

  #seeDays(cells: readonly string[]): void {
    for (const index of this.#days) {
      const cell = cells[index] ?? "";
      const evidence = dayEvidence(cell);
      if (evidence === "ambiguous") this.#doubtfulDay ??= cell.trim();
      else if (evidence !== null) this.#dates ??= evidence;
      else this.#noteUnreadable(cell);
    }
  }

  #noteUnreadable(cell: string): void {
    if (this.#unreadableDay) return;
    const doubt = doubtAboutDay(cell);
    if (doubt !== null) this.#unreadableDay = { cell: cell.trim(), doubt };
  }

  #seeNumbers(cells: readonly string[]): void {
    for (const { index, isCount } of this.#numbers) {
      const cell = cells[index] ?? "";
      const evidence = decimalEvidence(cell, isCount);
      if (evidence === "ambiguous") {
        this.#doubtfulNumber ??= { cell: cell.trim(), header: this.#header.cells[index] ?? "" };
      } else if (evidence !== null) this.#decimal ??= evidence;
    }
  }
}
