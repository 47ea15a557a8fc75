/** Measuring times that are compared with each other, and the memory of a process. */
import { resourceUsage } from "node:process";
import type postgres from "postgres";
import { median } from "simple-statistics";
import { z } from "zod";
import project from "../../deno.json" with { type: "json" };
import type { Sql } from "../../db/connect.ts";
import { print } from "../../jobs/commands/command.ts";

/** Something that is run several times. Times are in milliseconds. */
export class Timing {
  #times: number[] = [];

  /** @param run Returns how long it took, which it measures by itself. */
  constructor(readonly run: () => Promise<number>) {}

  /** The median of the times. */
  get median(): number {
    return median(this.#times);
  }

  /** Runs it once more. */
  async repeat(): Promise<void> {
    this.#times.push(await this.run());
  }
}

/** Runs everything in turns, so that all of it meets the same machine; the first turn warms up. */
export async function inTurns(repeats: number, ...timings: Timing[]): Promise<void> {
  for (const timing of timings) await timing.run();
  for (let turn = 0; turn < repeats; turn++) {
    for (const timing of timings) await timing.repeat();
  }
}

/** How long something takes, seen from this process. */
export async function elapsed(run: () => PromiseLike<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

const Explained = z.tuple([z.object({
  "QUERY PLAN": z.tuple([z.object({ "Planning Time": z.number(), "Execution Time": z.number() })]),
})]);

/**
 * How long the server plans a query and computes all columns of all rows, without sending them:
 * sending costs by the bytes, and the queries that are compared differ in their columns.
 */
export async function serverTime(
  sql: Sql,
  query: postgres.PendingQuery<postgres.Row[]>,
): Promise<number> {
  const [{ "QUERY PLAN": [plan] }] = Explained.parse(
    [...await sql`explain (analyze, timing off, format json) ${query}`],
  );
  return plan["Planning Time"] + plan["Execution Time"];
}

const ChildReport = z.object({ times: z.array(z.number()), peakMegabytes: z.number() });

/** What a process measured of itself. */
export type ChildReport = z.output<typeof ChildReport>;

/** Runs a module in a process of its own, whose memory is its alone. It ends in `reportToParent`. */
export async function measureInChild(module: string, args: string[]): Promise<ChildReport> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", module, ...args],
    stderr: "inherit",
  }).output();
  if (!success) throw new Error(`"${module}" failed`);
  return ChildReport.parse(JSON.parse(new TextDecoder().decode(stdout)));
}

/** Lets the children that follow have the V8 flags of a task of the project. */
export function takeFlagsOf(task: "import" | "job"): void {
  const [, flags = ""] = project.tasks[task].command.match(/--v8-flags=(\S+)/) ?? [];
  Deno.env.set("DENO_V8_FLAGS", flags);
}

/** Reports the times that this process measured, and the most memory it ever had. */
export async function reportToParent(times: number[]): Promise<void> {
  print(JSON.stringify({ times, peakMegabytes: await peakMegabytes() }));
}

/**
 * The most memory that this process ever had. Its `maxRSS` would not do: on Linux it starts with what
 * the parent had, which is more.
 */
async function peakMegabytes(): Promise<number> {
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  const [, kilobytes] = status.match(/^VmHWM:\s*(\d+) kB$/m) ?? [];
  return (kilobytes ? Number(kilobytes) : resourceUsage().maxRSS) * 1024 / 1e6;
}
