/** The service: wires settings, database, schedule and HTTP, and nothing else. */
import { configure, getJsonLinesFormatter, getStreamSink } from "@logtape/logtape";
import { Refusal } from "./core/refusal.ts";
import { cronForDeno } from "./core/cron.ts";
import { checkHost, readSettings, type Settings } from "./core/settings.ts";
import type { Sql } from "./db/connect.ts";
import { type Database, openDatabase } from "./db/database.ts";
import project from "./deno.json" with { type: "json" };
import { command, print } from "./jobs/commands/command.ts";
import { interrupted } from "./jobs/commands/interrupted.ts";
import { readSchedule, type ScheduledJob } from "./jobs/schedule.ts";
import { TASKS } from "./jobs/tasks.ts";
import { enterNewestRuns, startWorker, type Worker } from "./jobs/worker.ts";
import { createApp } from "./routes/app.ts";

/** How long requests under way may take after Ctrl-C, and after them runs of jobs. */
const PATIENCE_MS = 5_000;
const PATIENCE_WITH_RUNS_MS = 12_000;

/** Where the service listens. */
type Address = Pick<Settings, "host" | "port">;

/** Refuses an occupied port before anything else is done. */
export function checkPort({ host, port }: Address): void {
  orRefuse({ host, port }, () => Deno.listen({ hostname: host, port })).close();
}

/** Answers HTTP until the program is interrupted, then lets requests under way finish. */
export async function serve(
  { host, port }: Address,
  { sql }: Database,
  schedule: readonly ScheduledJob[] = [],
): Promise<void> {
  await configureLogs();
  const { fetch } = createApp({ sql, version: project.version, schedule });
  const abort = new AbortController();
  const stopped = interrupted();
  const server = orRefuse({ host, port }, () =>
    Deno.serve({
      hostname: host,
      port,
      signal: abort.signal,
      onListen: (address) =>
        print(`Listening on http://${address.hostname}:${address.port}/ until Ctrl-C`),
    }, (request) => fetch(request)));
  await stopped;
  const impatience = setTimeout(() => abort.abort(), PATIENCE_MS);
  await server.shutdown();
  clearTimeout(impatience);
}

function orRefuse<Listener>({ host, port }: Address, listen: () => Listener): Listener {
  try {
    return listen();
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Refusal(
        "conflict",
        `Port ${port} of ${host} is already in use`,
        "Stop the program that uses it, or set PORT to another one",
      );
    }
    throw error;
  }
}

/** One JSON object per line on standard error, so that standard output stays for people. */
async function configureLogs(): Promise<void> {
  const sinks = {
    stderr: getStreamSink(Deno.stderr.writable, { formatter: getJsonLinesFormatter() }),
  };
  await configure({
    sinks,
    loggers: [
      { category: "adstrata", sinks: ["stderr"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "warning" },
    ],
  });
}

if (import.meta.main) {
  await command(async () => {
    const environment = Deno.env.toObject();
    const settings = readSettings(environment);
    const schedule = readSchedule(TASKS, environment);
    checkHost(settings);
    checkPort(settings);
    const opened = Promise.withResolvers<{ sql: Sql; worker: Worker }>();
    // Before anything is awaited: Deno wants its cron jobs at the top level of the program.
    for (const job of schedule) {
      if (job.cron === null) continue;
      Deno.cron(`${job.entityType} ${job.task.name}`, cronForDeno(job.cron), async () => {
        const { sql, worker } = await opened.promise;
        await enterNewestRuns(sql, job, new Date());
        worker.wake();
      });
    }
    const database = await openDatabase(settings, { exclusive: true });
    const { sql } = database;
    const worker = startWorker(sql, TASKS, {
      concurrency: settings.concurrency ?? navigator.hardwareConcurrency,
    });
    opened.resolve({ sql, worker });
    try {
      for (const job of schedule) await enterNewestRuns(sql, job, new Date());
      worker.wake();
      await serve(settings, database, schedule);
    } finally {
      await worker.stop(PATIENCE_WITH_RUNS_MS);
      await database.close();
    }
  });
}
