/** Shows how far an import is: a bar on a terminal, a line now and then elsewhere. */
import type { ImportProgress } from "../import.ts";
import { printError } from "./command.ts";

const WIDTH = 30;
const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 5_000;

const STEPS = { checking: "Checking", reading: "Reading", storing: "Storing" };

/** Prints to standard error, so that the summary can be redirected by itself. */
export function progressPrinter(isTerminal = Deno.stderr.isTerminal()) {
  const encoder = new TextEncoder();
  const write = (text: string) => Deno.stderr.writeSync(encoder.encode(text));
  let shown = { at: Date.now(), step: "" };
  return {
    show(progress: ImportProgress): void {
      const isNewStep = shown.step !== progress.step;
      const wait = isTerminal ? BAR_EVERY_MS : LINE_EVERY_MS;
      // A file that takes no time needs no lines about it.
      if (Date.now() - shown.at < (isNewStep && isTerminal ? 0 : wait)) return;
      shown = { at: Date.now(), step: progress.step };
      if (isTerminal) write(`\r\x1b[K${barOf(progress)}`);
      else printError(lineOf(progress));
    },
    /** Makes room for what comes next. */
    clear(): void {
      if (isTerminal) write("\r\x1b[K");
    },
  };
}

function barOf(progress: ImportProgress): string {
  const filled = Math.round(fractionOf(progress) * WIDTH);
  return `[${"#".repeat(filled)}${" ".repeat(WIDTH - filled)}] ${lineOf(progress)}`;
}

function lineOf(progress: ImportProgress): string {
  const { step, file, rows } = progress;
  const percent = `${Math.floor(100 * fractionOf(progress))} %`;
  const count = rows > 0 ? `, ${rows.toLocaleString("en")} rows` : "";
  return `${STEPS[step]} ${file}: ${percent}${count}`;
}

function fractionOf({ bytes, size }: ImportProgress): number {
  return size === 0 ? 1 : Math.min(1, bytes / size);
}
