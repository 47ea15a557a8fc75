/** Daily series of others, from a CSV file with the columns series_id, parent_id, date and y. */
import { addDays, daysBetween } from "../core/days.ts";
import { RowCutter } from "../core/export/csv.ts";
import { readDay } from "../core/export/days.ts";
import type { Series } from "../core/forecast/series.ts";
import { Refusal } from "../core/refusal.ts";
import type { SeriesSet } from "./forecast_accuracy.ts";

/** What a file holds. */
export type SeriesFile = SeriesSet & {
  /** Parents that have no rows themselves; their children stand at the top. */
  missingParents: string[];
};

const COLUMNS = ["series_id", "parent_id", "date", "y"] as const;

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;

type FileSeries = { parentId: string | null; row: number; byDay: Map<string, number | null> };

/**
 * Reads series from rows in any order. An empty `y` is unknown, and so is every day without a row;
 * an empty `parent_id` is the top. Where all values are whole numbers from 0 on, they are counts.
 */
export function readSeriesFile(text: string): SeriesFile {
  const found = new Map<string, FileSeries>();
  let places: number[] | null = null;
  let width = 0;
  const cutter = new RowCutter(
    { delimiter: ",", newline: newlineOf(text) },
    (cells, row, isBroken) => {
      if (places === null) {
        places = placesOf(cells);
        width = cells.length;
        return;
      }
      if (cells.every((cell) => cell.trim() === "")) return;
      if (isBroken) throw badRow(row, "has text behind a closing quote");
      if (cells.length !== width) {
        throw badRow(row, `has ${cells.length} cells, the first row has ${width}`);
      }
      const [id = "", parent = "", date = "", y = ""] = places.map((place) =>
        cells[place]?.trim() ?? ""
      );
      takeRow(found, { id, parentId: parent === "" ? null : parent, date, y }, row);
    },
  );
  cutter.push(text.replace(/^\uFEFF/, ""));
  cutter.end();
  refuseCircles(found);
  return toSet(found);
}

function newlineOf(text: string): "\n" | "\r\n" | "\r" {
  const [newline] = text.match(/\r\n|\n|\r/) ?? [];
  return newline === "\r\n" || newline === "\r" ? newline : "\n";
}

function placesOf(header: string[]): number[] {
  const names = header.map((name) => name.trim().toLowerCase());
  return COLUMNS.map((column) => {
    const place = names.indexOf(column);
    if (place < 0) throw badRow(1, `has no column "${column}"`, `It needs ${COLUMNS.join(", ")}`);
    return place;
  });
}

function takeRow(
  found: Map<string, FileSeries>,
  { id, parentId, date, y }: { id: string; parentId: string | null; date: string; y: string },
  row: number,
): void {
  if (id === "") throw badRow(row, "has no series_id");
  const day = readDay(date, "iso");
  if (day === null) throw badRow(row, `has the date "${date}"`, "Dates are written YYYY-MM-DD");
  if (y !== "" && !NUMBER.test(y)) {
    throw badRow(row, `has the y "${y}", which is no number`, "Leave it empty where it is unknown");
  }
  const series = found.getOrInsertComputed(id, () => ({ parentId, row, byDay: new Map() }));
  if (series.parentId !== parentId) {
    throw badRow(
      row,
      `puts "${id}" ${placeOf(parentId)}, row ${series.row} ${placeOf(series.parentId)}`,
      "A series has one parent",
    );
  }
  if (series.byDay.has(day)) throw badRow(row, `tells of "${id}" on ${day} once more`);
  series.byDay.set(day, y === "" ? null : Number(y));
}

function placeOf(parentId: string | null): string {
  return parentId === null ? "at the top" : `below "${parentId}"`;
}

function refuseCircles(found: Map<string, FileSeries>): void {
  for (const [id, { row }] of found) {
    const seen = new Set<string>();
    for (let at: string | null = id; at !== null; at = found.get(at)?.parentId ?? null) {
      if (seen.has(at)) throw badRow(row, `puts "${id}" below itself, through its parents`);
      seen.add(at);
    }
  }
}

function toSet(found: Map<string, FileSeries>): SeriesFile {
  let [firstDay, lastDay] = ["9999-12-31", ""];
  for (const { byDay } of found.values()) {
    for (const day of byDay.keys()) {
      if (day < firstDay) firstDay = day;
      if (day > lastDay) lastDay = day;
    }
  }
  if (lastDay === "") throw new Refusal("invalid_parameter", "The file has no rows of series");
  const days = Array.from(
    { length: daysBetween(firstDay, lastDay) + 1 },
    (_, index) => addDays(firstDay, index),
  );
  const series: Series[] = [...found].map(([id, { parentId, byDay }]) => ({
    id,
    parentId: parentId !== null && found.has(parentId) ? parentId : null,
    values: days.map((day) => byDay.get(day) ?? null),
  }));
  const parents = new Set([...found.values()].flatMap(({ parentId }) => parentId ?? []));
  return {
    firstDay,
    series,
    missingParents: [...parents].filter((id) => !found.has(id)),
  };
}

function badRow(row: number, what: string, hint?: string): Refusal {
  return new Refusal("invalid_parameter", `Row ${row} ${what}`, hint);
}
