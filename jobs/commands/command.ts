/** What all commands share: how they end, and how they print. */
import { Refusal } from "../../core/refusal.ts";
import { isAway } from "../../db/database.ts";

const encoder = new TextEncoder();

/** Prints a line on standard output. */
export function print(line = ""): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** Prints a line on standard error, where it does not mix with the results. */
export function printError(line: string): void {
  Deno.stderr.writeSync(encoder.encode(`${line}\n`));
}

/** Prints rows with their columns one below the other. */
export function printTable(rows: string[][]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  for (const row of rows) {
    print(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd());
  }
}

/**
 * Runs a command and ends the process with its exit code. A problem that the person can solve
 * becomes one sentence and exit code 1; a defect keeps its stack trace.
 *
 * @param main Takes the arguments, returns the exit code if it is not 0.
 */
export async function command(main: (args: string[]) => Promise<number | void>): Promise<never> {
  try {
    Deno.exit(await main(Deno.args) ?? 0);
  } catch (error) {
    // The reader of a pipe has seen enough, as in `... | head`.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(0);
    printError(explain(error));
    Deno.exit(1);
  }
}

/** The sentence for a person where the problem is theirs to solve, else everything that is known. */
export function explain(error: unknown): string {
  if (error instanceof Refusal) {
    return error.hint ? `${error.message}. ${error.hint}` : error.message;
  }
  const code = errorCode(error);
  if (code?.startsWith("ERR_PARSE_ARGS") && error instanceof Error) return error.message;
  if (isAway(error) || code === "CONNECTION_ENDED" || code === "CONNECTION_DESTROYED") {
    return "The connection to the database was lost. What was not finished is rolled back; run it again";
  }
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error)) return null;
  return typeof error.code === "string" ? error.code : null;
}
