/** Measured values beside what is asked of them. */
import { print } from "../../jobs/commands/command.ts";

/** One measured value. */
export type Finding = {
  what: string;
  value: number;
  /** "x" for a ratio, nothing for a number of things. */
  unit: "x" | "ms" | "s" | "MB" | "";
  asked: { atMost: number } | { atLeast: number };
  /** What the value comes from. */
  from?: string;
};

/** The verdict on a measured value. */
export function verdict(isMet: boolean): string {
  return isMet ? "met" : "MISSED";
}

/** Prints measured values with their bounds. */
export function printFindings(title: string, findings: Finding[]): void {
  printTable(
    title,
    ["", "asked", "measured", "", ""],
    findings.map(({ what, value, unit, asked, from = "" }) => {
      const isMet = "atMost" in asked ? value <= asked.atMost : value >= asked.atLeast;
      const bound = "atMost" in asked
        ? `at most ${asked.atMost} ${unit}`
        : `at least ${asked.atLeast} ${unit}`;
      return [what, bound, `${readable(value)} ${unit}`, verdict(isMet), from];
    }),
  );
}

/** Prints a table with columns as wide as they need. */
export function printTable(title: string, header: string[], rows: string[][]): void {
  const lines = [header, ...rows];
  const widths = header.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0))
  );
  print(`\n${title}`);
  for (const line of lines) {
    print("  " + line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
  }
}

/** A time with its unit. */
export function milliseconds(value: number): string {
  return `${readable(value)} ms`;
}

function readable(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
