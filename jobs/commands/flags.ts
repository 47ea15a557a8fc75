/** The flags that several commands share, each with one check. */
import { addDays, daysBetween } from "../../core/days.ts";
import { type Level, LEVELS } from "../../core/level.ts";
import { Refusal } from "../../core/refusal.ts";

/** The days of `FROM..TO`. */
export function readPeriod(text: string): string[] {
  const [from, to, ...more] = text.split("..").map(readDay);
  if (!from || !to || from > to || more.length > 0) {
    throw new Refusal("invalid_parameter", `"${text}" is no period`, "Write it as FROM..TO");
  }
  return Array.from({ length: daysBetween(from, to) + 1 }, (_, index) => addDays(from, index));
}

/** The number of an account. */
export function readConfigId(text: string | undefined, usage: string): number {
  const configId = /^\d{1,9}$/.test(text ?? "") ? Number(text) : 0;
  if (configId > 0) return configId;
  throw new Refusal(
    "invalid_parameter",
    text === undefined ? "--config is missing" : `"${text}" is no config id`,
    usage,
  );
}

/** One level, or all of them. */
export function readLevels(text: string): readonly Level[] {
  if (text === "all") return LEVELS;
  const level = LEVELS.find((level) => level === text);
  if (level) return [level];
  throw new Refusal(
    "invalid_parameter",
    `Unknown level "${text}"`,
    `Use one of ${LEVELS.join(", ")}, or all`,
  );
}

/** A day, null where none is given. */
export function readDay(text: string | undefined): string | null {
  if (text === undefined) return null;
  try {
    return Temporal.PlainDate.from(text, { overflow: "reject" }).toString();
  } catch {
    throw new Refusal("invalid_parameter", `"${text}" is no day`, "Write it as YYYY-MM-DD");
  }
}
