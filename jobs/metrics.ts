/** What this process has done, counted for `/metrics` and, where it is on, for OpenTelemetry. */
import { metrics } from "@opentelemetry/api";
import { Counter } from "prom-client";
import type { Counts, RunSubject } from "../db/job_runs.ts";

/** What became of one try of a run: waiting to be tried again, or lost to another worker, too. */
export type Outcome = "succeeded" | "failed" | "waiting" | "lost";

const meter = metrics.getMeter("adstrata");

const addRuns = counter({
  name: "adstrata_runs_total",
  help: "Tries of runs of jobs; those that are waiting are tried again",
  labelNames: ["job", "level", "status"],
});

const addRows = counter({
  name: "adstrata_run_rows_total",
  help: "What runs that succeeded read, wrote and left out, by the job's own name for it",
  labelNames: ["job", "level", "what"],
});

const addErrors = counter({
  name: "adstrata_errors_total",
  help: "Errors of requests and of tries of runs, by their kind",
  labelNames: ["source", "error"],
});

/** What adds to a counter that both Prometheus and OpenTelemetry read. */
function counter<Label extends string>(
  { name, help, labelNames }: { name: string; help: string; labelNames: Label[] },
): (labels: Record<Label, string>, count?: number) => void {
  const pulled = new Counter({ name, help, labelNames });
  const pushed = meter.createCounter(name, { description: help });
  return (labels, count = 1) => {
    pulled.inc(labels, count);
    pushed.add(count, labels);
  };
}

/** Counts a try of a run. */
export function countRun(
  { job, entityType: level }: Pick<RunSubject, "job" | "entityType">,
  status: Outcome,
  counts: Counts = {},
): void {
  addRuns({ job, level, status });
  for (const [what, count] of Object.entries(counts)) {
    // A run also tells days and money, which do not add up.
    if (Number.isInteger(count) && Number(count) >= 0) addRows({ job, level, what }, Number(count));
  }
}

/** Counts an error. */
export function countError(source: "request" | "run", error: unknown): void {
  addErrors({ source, error: error instanceof Error ? error.name : typeof error });
}
