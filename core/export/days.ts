/** Days as spreadsheets write them. Whether the day or the month comes first is decided per file. */

/** The order of a file's dates. */
export type DayOrder = "iso" | "dmy" | "mdy";

/** What one cell tells about the order. */
export type DayEvidence = DayOrder | "ambiguous" | null;

const ISO = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ]00:00(?::00)?\S*)?$/;
const WITH_YEAR_LAST = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?: 0?0:00(?::00)?)?$/;

/**
 * What a cell tells about the order of the dates: `17/08/2017` that the day comes first, `2017-08-17`
 * that they are ISO. `05/08/2017` can be both; `05/05/2017` is the same day either way.
 */
export function dayEvidence(cell: string): DayEvidence {
  const text = cell.trim();
  if (ISO.test(text)) return "iso";
  const match = WITH_YEAR_LAST.exec(text);
  if (!match) return null;
  // No country writes the month first with dots.
  if (match[2] === ".") return "dmy";
  const [first, second] = [Number(match[1]), Number(match[3])];
  if (first > 12 && second > 12) return null;
  if (first > 12) return "dmy";
  if (second > 12) return "mdy";
  return first === second ? null : "ambiguous";
}

const TWO_DIGIT_YEAR = /^\d{1,2}([-/. ])\d{1,2}\1\d{2}$/;
const MONTH_WORD = /^(?=.*\d)(?=.*\p{L}{3})[\p{L}\p{M}\d\s.,/-]+$/u;

/** Why a cell that a person reads as a day cannot be read here without guessing; null for others. */
export function doubtAboutDay(cell: string): string | null {
  const text = cell.trim();
  if (TWO_DIGIT_YEAR.test(text)) return "its year has only two digits";
  return MONTH_WORD.test(text) ? "its month is a word" : null;
}

/** Reads a day as `YYYY-MM-DD`, null where the cell holds no day that exists in that order. */
export function readDay(cell: string, order: DayOrder): string | null {
  const text = cell.trim();
  const match = (order === "iso" ? ISO : WITH_YEAR_LAST).exec(text);
  if (!match) return null;
  const [year, month, day] = order === "iso"
    ? [match[1], match[2], match[3]]
    : order === "dmy"
    ? [match[4], match[3], match[1]]
    : [match[4], match[1], match[3]];
  const iso = `${year}-${month?.padStart(2, "0")}-${day?.padStart(2, "0")}`;
  const date = new Date(`${iso}T00:00:00Z`);
  // Date turns the 31st of June into the 1st of July instead of failing.
  return Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== iso ? null : iso;
}
