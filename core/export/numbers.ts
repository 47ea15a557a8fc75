/** Numbers as spreadsheets write them. Which sign is the decimal one is decided per file. */

/** The sign between whole and fraction. */
export type DecimalSign = "point" | "comma";

/** What cells hold where there is nothing: Meta writes `-`, other tools a word. */
const NOTHING = new Set(["", "-", "--", "–", "—", "n/a", "na", "nan", "null", "none"]);

/** Whether a cell says that there is no value. */
export function isNothing(cell: string): boolean {
  return NOTHING.has(cell.trim().toLowerCase());
}

const PLAIN = /^\d+$/;
const PLAIN_POINT = /^\d+\.\d+$/;
const GROUPS = String.raw`\d{1,3}(?:G\d{3})+|\d+`;
const SPACES = "['’ \u00a0\u202f]";
const POINT = new RegExp(`^(?:${GROUPS.replace("G", `(?:,|${SPACES})`)})?(?:\\.\\d*)?$`);
const COMMA = new RegExp(`^(?:${GROUPS.replace("G", `(?:\\.|${SPACES})`)})?(?:,\\d*)?$`);
/** Tools that print floating-point numbers write tiny amounts like this; the point is never a comma there. */
const SCIENTIFIC = /^\d(?:\.\d+)?e-\d+$/i;

/**
 * Reads a number under the file's convention.
 *
 * @returns null where the cell says that there is none, NaN where it holds something else.
 */
export function readNumber(cell: string, decimal: DecimalSign): number | null {
  if (PLAIN.test(cell) || (decimal === "point" && PLAIN_POINT.test(cell))) return Number(cell);
  if (isNothing(cell)) return null;
  const { negative, digits } = bareNumber(cell);
  const pattern = decimal === "point" ? POINT : COMMA;
  if (!/\d/.test(digits)) return NaN;
  if (SCIENTIFIC.test(digits) && decimal === "point") {
    return negative ? -Number(digits) : Number(digits);
  }
  if (!pattern.test(digits)) return NaN;
  const plain = decimal === "point"
    ? digits.replace(/[^\d.]/g, "")
    : digits.replace(/[^\d,]/g, "").replace(",", ".");
  return negative ? -Number(plain) : Number(plain);
}

/** What one cell tells about the file's decimal sign. */
export type DecimalEvidence = DecimalSign | "ambiguous" | null;

/**
 * What a cell tells about the decimal sign: `12.5` that it is the point, `1.234,5` the comma.
 * `1.234` can be both, unless it counts something: then its point can only group thousands.
 */
export function decimalEvidence(cell: string, isCount: boolean): DecimalEvidence {
  if (PLAIN.test(cell)) return null;
  const { digits } = bareNumber(cell);
  if (!/^[\d.,'’ \u00a0\u202f]+$/.test(digits)) return null;
  const [points, commas] = [digits.split(".").length - 1, digits.split(",").length - 1];
  if (points > 0 && commas > 0) {
    return digits.lastIndexOf(".") > digits.lastIndexOf(",") ? "point" : "comma";
  }
  if (points + commas === 0) return null;
  const [sign, other]: [DecimalSign, DecimalSign] = points > 0
    ? ["point", "comma"]
    : ["comma", "point"];
  if (points + commas > 1) return other;
  const [whole = "", fraction = ""] = digits.split(/[.,]/);
  if (fraction.length !== 3 || !/^[1-9]\d{0,2}$/.test(whole)) return sign;
  return isCount ? other : "ambiguous";
}

/** A number without its sign, currency and percent sign. */
function bareNumber(cell: string): { negative: boolean; digits: string } {
  const trimmed = cell.trim();
  const inBrackets = /^\((.*)\)$/s.exec(trimmed);
  const [, sign = "", digits = "", lateSign = ""] = (inBrackets?.[1] ?? trimmed).match(
    /^(?:\p{Lu}{0,3}\p{Sc}|\p{Lu}{3})?\s*([-+−])?\s*(?:\p{Lu}{0,3}\p{Sc}|\p{Lu}{3})?\s*([\d.,].*?)\s*(?:\p{Lu}{0,3}\p{Sc}|\p{Lu}{3}|kr|zł|%)?\s*(-)?$/su,
  ) ?? [];
  return {
    negative: inBrackets !== null || sign === "-" || sign === "−" || lateSign === "-",
    digits,
  };
}
