/** The service: wires settings, database, schedule and HTTP, and nothing else. */
import { configure, getJsonLinesFormatter, getStreamSink } from "@logtape/logtape";
import { Refusal } from "./core/refusal.ts";
import { checkHost, readSettings, type Settings } from "./core/settings.ts";
import { type Database, openDatabase } from "./db/database.ts";
import project from "./deno.json" with { type: "json" };
import { command, print } from "./jobs/commands/command.ts";
import { interrupted } from "./jobs/commands/interrupted.ts";
import { runForAllAccounts } from "./jobs/runner.ts";
import { SCHEDULE } from "./jobs/schedule.ts";
import { createApp } from "./routes/app.ts";

/** How long requests under way may take after Ctrl-C. */
const PATIENCE_MS = 5_000;

/** Where the service listens. */
type Address = Pick<Settings, "host" | "port">;

/** Refuses an occupied port before anything else is done. */
export function checkPort({ host, port }: Address): void {
  orRefuse({ host, port }, () => Deno.listen({ hostname: host, port })).close();
}

/** Answers HTTP until the program is interrupted, then lets requests under way finish. */
export async function serve({ host, port }: Address, { sql }: Database): Promise<void> {
  await configureLogs();
  const { fetch } = createApp({ sql, version: project.version });
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
  const opened = Promise.withResolvers<Database>();
  for (const job of SCHEDULE) {
    Deno.cron(`${job.task} ${job.entityType}`, job.cron, async () => {
      await runForAllAccounts((await opened.promise).sql, job, new Date());
    });
  }
  await command(async () => {
    const settings = readSettings(Deno.env.toObject());
    checkHost(settings);
    checkPort(settings);
    const database = await openDatabase(settings, { exclusive: true });
    opened.resolve(database);
    try {
      await serve(settings, database);
    } finally {
      await database.close();
    }
  });
}
