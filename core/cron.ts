/** Cron expressions of five fields, in UTC: minute, hour, day, month, weekday (0 and 7 are Sunday). */
import { Cron } from "croner";
import { Refusal } from "./refusal.ts";

const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** Numbers, names and stars with what joins them; other signs do not mean the same everywhere. */
const FIELD = /^(\*|\d+|[a-z]{3})([-,/](\*|\d+|[a-z]{3}))*$/i;

/**
 * Refuses an expression that means nothing, or a time that never comes.
 *
 * @param name What the expression was given for: it goes into the message.
 */
export function checkCron(expression: string, name: string): void {
  try {
    const isPlain = expression.trim().split(/\s+/).every((field) => FIELD.test(field));
    if (isPlain && nextTime(expression, new Date(0))) return;
  } catch {
    // Refused below.
  }
  throw new Refusal(
    "invalid_parameter",
    `${name} is "${expression}", which is no time of a schedule`,
    'Write minute, hour, day, month and weekday in UTC, such as "30 5 * * *", or "off"',
  );
}

/** The first time of a schedule after an instant, null where there is none. */
export function nextTime(expression: string, after: Date): Date | null {
  return parse(expression).nextRun(after);
}

/** The last time of a schedule until an instant, which may be that time, null where there is none. */
export function lastTime(expression: string, until: Date): Date | null {
  // What comes before the following second includes this one.
  return parse(expression).previousRuns(1, new Date(until.getTime() + 1000))[0] ?? null;
}

/**
 * The expression for `Deno.cron`, which numbers weekdays from 1, Sunday, and knows their names: so
 * it gets those.
 */
export function cronForDeno(expression: string): string {
  const [minute, hour, day, month, weekday] = expression.trim().split(/\s+/);
  const days = parse(`0 0 * * ${weekday}`);
  // 4 January 1970 was a Sunday.
  const names = WEEKDAYS.filter((_, index) => days.match(new Date(Date.UTC(1970, 0, 4 + index))));
  return [minute, hour, day, month, names.length === 7 ? "*" : names.join(",")].join(" ");
}

function parse(expression: string): Cron {
  return new Cron(expression, { timezone: "UTC", paused: true, mode: "5-part" });
}
