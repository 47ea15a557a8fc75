/** What one row of an export says, read strictly by the conventions of its file. */
import { BadRow } from "./bad_row.ts";
import type { Header } from "./columns.ts";
import type { Conventions } from "./conventions.ts";
import { doubtAboutDay, readDay } from "./days.ts";
import { detached } from "./detached.ts";
import { englishHeader, type Field } from "./fields.ts";
import { identifyingColumns, type Path, Paths } from "./identity.ts";
import type { LeadSource } from "./lead_source.ts";
import { isLeadIndicator, readActions } from "./leads.ts";
import { readNumber } from "./numbers.ts";

/** One day of one ad, or of one ad set in a file without ads. Null: the file does not say it. */
export type InsightRow = {
  path: Path;
  day: string;
  spend: number;
  impressions: number;
  reach: number | null;
  clicks: number | null;
  linkClicks: number | null;
  leads: number | null;
  conversions: number | null;
};

/** What a row turned out to be. */
export type Outcome =
  | { kind: "insight"; insight: InsightRow }
  /** Totals of the whole table, about no entity. */
  | { kind: "summary" }
  | { kind: "blank" }
  | { kind: "bad"; reason: string; isPeriodTotal: boolean };

/** What a row reader needs to know about its file. */
export type Reading = {
  header: Header;
  conventions: Conventions;
  leadSource: LeadSource;
  /** What its amounts are in, null where it does not say. */
  currency: string | null;
  /** The newest day that can have begun anywhere on Earth. */
  newestDay: string;
};

/** Facebook sold its first ads in 2004; anything older is a misread date. */
const OLDEST_DAY = "2004-02-04";

/** More on one day than there are people: a misread number. */
const LARGEST_COUNT = 2_000_000_000;

class PeriodTotal extends BadRow {}

/** Reads the rows of one file. */
export class RowReader {
  /** The entities that the rows were about. */
  readonly paths: Paths;
  /** What the rows say about their account. */
  accountId: string | null = null;
  accountName: string | null = null;

  readonly #reading: Reading;
  readonly #width: number;
  readonly #identifying: number[];
  /** A file has few different days and many rows. */
  readonly #days = new Map<string, string | null>();

  constructor(reading: Reading) {
    const { header, conventions } = reading;
    this.#reading = reading;
    this.#width = header.cells.length;
    this.#identifying = identifyingColumns(header.columns);
    this.paths = new Paths(header.columns, conventions.decimal);
  }

  /** Reads one row. */
  read(cells: readonly string[]): Outcome {
    try {
      if (cells.length !== this.#width && cells.every(isEmpty)) return { kind: "blank" };
      this.#checkWidth(cells);
      if (this.#identifying.every((index) => isEmpty(cells[index] ?? ""))) {
        return { kind: cells.every(isEmpty) ? "blank" : "summary" };
      }
      return { kind: "insight", insight: this.#insight(cells) };
    } catch (error) {
      if (!(error instanceof BadRow)) throw error;
      return { kind: "bad", reason: error.message, isPeriodTotal: error instanceof PeriodTotal };
    }
  }

  #checkWidth(cells: readonly string[]): void {
    if (cells.length === this.#width) return;
    // A delimiter too many at the end of a line adds nothing.
    if (cells.length > this.#width && cells.slice(this.#width).every(isEmpty)) return;
    throw new BadRow(`${cells.length} cells instead of ${this.#width}`);
  }

  #insight(cells: readonly string[]): InsightRow {
    const day = this.#day(cells);
    const path = this.paths.find(cells);
    const spend = this.#amount(cells, "spend") ?? 0;
    const impressions = this.#count(cells, "impressions") ?? 0;
    const reach = this.#count(cells, "reach");
    const allClicks = this.#clickCount(cells, "clicks");
    const linkClicks = this.#clickCount(cells, "link_clicks");
    const clicks = allClicks ?? linkClicks;
    const insight: InsightRow = {
      path,
      day,
      spend,
      impressions,
      reach,
      clicks,
      linkClicks,
      ...this.#results(cells),
    };
    this.#checkConsistency(cells, insight, allClicks);
    this.#checkAccount(cells);
    this.accountName ||= this.#cell(cells, "account_name").trim() || null;
    if (day > path.latest) path.latest = day;
    return insight;
  }

  #day(cells: readonly string[]): string {
    const { columns } = this.#reading.header;
    const first = this.#dayCell(cells, columns.day === undefined ? "date_start" : "day");
    // An export by day has the same day three times; a Day column stands for itself.
    if (
      columns.date_stop !== undefined &&
      (columns.day === undefined || columns.date_start === undefined)
    ) {
      const last = this.#dayCell(cells, "date_stop");
      if (first !== last) throw new PeriodTotal(`a total from ${first} to ${last}, not one day`);
    }
    return first;
  }

  #dayCell(cells: readonly string[], field: Field): string {
    const cell = this.#cell(cells, field);
    let day = this.#days.get(cell);
    if (day === undefined) {
      day = readDay(cell, this.#reading.conventions.dates);
      if (this.#days.size < 10_000) this.#days.set(detached(cell), day);
    }
    if (day === null) {
      if (isEmpty(cell)) throw new BadRow("no day");
      const doubt = doubtAboutDay(cell);
      throw new BadRow(
        `"${cell.trim()}" is not a day ${this.#dateForm()}${doubt === null ? "" : `: ${doubt}`}`,
      );
    }
    if (day < OLDEST_DAY) throw new BadRow(`the day ${day} is before Meta's first ad`);
    if (day > this.#reading.newestDay) throw new BadRow(`the day ${day} is in the future`);
    return day;
  }

  #dateForm(): string {
    const { dates } = this.#reading.conventions;
    return dates === "iso" ? "(YYYY-MM-DD)" : dates === "dmy" ? "(DD/MM/YYYY)" : "(MM/DD/YYYY)";
  }

  #checkAccount(cells: readonly string[]): void {
    const currency = this.#cell(cells, "currency");
    if (currency !== "" && currency.trim().toUpperCase() !== this.#reading.currency) {
      throw new BadRow(`an amount in ${currency.trim()}, unlike the rest of the file`);
    }
    const id = this.#cell(cells, "account_id").trim().replace(/^act_/, "");
    if (id === "" || id === this.accountId) return;
    if (!/^\d+$/.test(id)) throw new BadRow(`the account ID "${id}" is not a number`);
    if (this.accountId !== null) {
      throw new BadRow(`account ${id}, while the rows before are of account ${this.accountId}`);
    }
    this.accountId = id;
  }

  /** Results of each kind; each coalesces, because Meta leaves out what did not happen. */
  #results(cells: readonly string[]): { leads: number | null; conversions: number | null } {
    const results = this.#count(cells, "results");
    const actions = this.#actions(cells);
    const purchases = this.#count(cells, "purchases") ?? actions?.purchases ?? null;
    const leads = this.#leads(cells, results, actions?.leads ?? null);
    return { leads, conversions: results ?? purchases ?? leads };
  }

  #leads(
    cells: readonly string[],
    results: number | null,
    inActions: number | null,
  ): number | null {
    switch (this.#reading.leadSource) {
      case "columns":
        return this.#count(cells, "leads") ?? this.#count(cells, "leads_on_facebook") ??
          this.#count(cells, "leads_on_website") ?? 0;
      case "actions":
        return inActions ?? 0;
      case "results":
        return results ?? 0;
      case "lead_results": {
        const kind = this.#cell(cells, "result_indicator") || this.#cell(cells, "result_type");
        return isLeadIndicator(kind) ? results ?? 0 : 0;
      }
      case "none":
        return null;
    }
  }

  #actions(cells: readonly string[]) {
    const cell = this.#cell(cells, "actions");
    if (isEmpty(cell)) return null;
    const actions = readActions(cell);
    if (actions === null) throw new BadRow("the actions are not a list");
    for (const count of Object.values(actions)) {
      if (count !== null) checkCount(count, String(count), "actions");
    }
    return actions;
  }

  /** A click count: where the file has the column, an empty cell means that nobody clicked. */
  #clickCount(cells: readonly string[], field: "clicks" | "link_clicks"): number | null {
    return this.#reading.header.columns[field] === undefined
      ? null
      : this.#count(cells, field) ?? 0;
  }

  #count(cells: readonly string[], field: Field): number | null {
    const cell = this.#cell(cells, field);
    if (cell === "") return null;
    const count = readNumber(cell, this.#reading.conventions.decimal);
    if (count !== null) checkCount(count, cell, field);
    return count;
  }

  #amount(cells: readonly string[], field: Field): number | null {
    const cell = this.#cell(cells, field);
    if (cell === "") return null;
    const amount = readNumber(cell, this.#reading.conventions.decimal);
    if (Number.isNaN(amount)) throw notANumber(cell, field);
    if (amount !== null && amount < 0) {
      throw new BadRow(`negative ${nameOf(field)}: ${cell.trim()}`);
    }
    return amount;
  }

  /** Numbers that cannot belong together show columns that slipped. */
  #checkConsistency(cells: readonly string[], row: InsightRow, allClicks: number | null): void {
    const { impressions, reach, clicks, spend } = row;
    if (clicks !== null && exceeds(clicks, impressions)) {
      throw new BadRow(`${clicks} clicks on ${impressions} impressions`);
    }
    if (reach !== null && exceeds(reach, impressions)) {
      throw new BadRow(`a reach of ${reach} with ${impressions} impressions`);
    }
    if (allClicks) {
      this.#checkRatio(cells, "ctr", 100 * allClicks / impressions, allClicks / impressions);
      this.#checkRatio(cells, "cpc", spend / allClicks);
    }
    if (reach) this.#checkRatio(cells, "frequency", impressions / reach);
  }

  /** @param values What the cell may say: some tools write percent as a fraction. */
  #checkRatio(
    cells: readonly string[],
    field: "ctr" | "cpc" | "frequency",
    ...values: number[]
  ): void {
    const stated = this.#amount(cells, field);
    if (stated === null || stated === 0) return;
    const fits = (value: number) =>
      Math.abs(stated - value) <= 0.1 || (stated <= 2 * value && value <= 2 * stated);
    if (values.some(fits)) return;
    const computed = (values[0] ?? 0).toPrecision(3);
    throw new BadRow(`a ${nameOf(field)} of ${stated} where the other columns give ${computed}`);
  }

  #cell(cells: readonly string[], field: Field): string {
    const index = this.#reading.header.columns[field];
    return index === undefined ? "" : cells[index] ?? "";
  }
}

/** More by a wide margin: Meta itself attributes a few clicks to impressions of another day. */
function exceeds(part: number, whole: number): boolean {
  return part - whole > 5 && part > 1.05 * whole;
}

function checkCount(count: number, cell: string, field: Field): void {
  if (Number.isNaN(count)) throw notANumber(cell, field);
  if (count < 0) throw new BadRow(`negative ${nameOf(field)}: ${cell.trim()}`);
  if (!Number.isInteger(count)) {
    throw new BadRow(`${nameOf(field)} of ${cell.trim()}, not a whole number`);
  }
  if (count > LARGEST_COUNT) throw new BadRow(`${cell.trim()} ${nameOf(field)} on one day`);
}

function notANumber(cell: string, field: Field): BadRow {
  return new BadRow(`${nameOf(field)} of "${cell.trim()}", not a number`);
}

function nameOf(field: Field): string {
  const header = englishHeader(field);
  return /^(?:CTR|CPC)/.test(header) ? header : header.toLowerCase();
}

function isEmpty(cell: string): boolean {
  return cell.trim() === "";
}
