/** Opens the database in use: the server of `DATABASE_URL`, or the embedded engine. */
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { Refusal } from "../core/refusal.ts";
import type { Settings } from "../core/settings.ts";
import { connect, type Sql } from "./connect.ts";
import { startEngine } from "./embedded.ts";
import { checkMigrations, migrate, migrationState, refuseNewer } from "./migrate.ts";

const logger = getLogger(["adstrata", "database"]);

/** An open database. */
export type Database = {
  sql: Sql;
  url: string;
  engine: "embedded" | "server";
  /** Whether the embedded engine runs in this process: closing it ends it for everybody. */
  holdsEngine: boolean;
  close(): Promise<void>;
};

/** What `openDatabase` may be asked for. */
export type OpenOptions = {
  /** Refuse an embedded data folder that another process has open, instead of connecting to it. */
  exclusive?: boolean;
  /** Accept a database whose migrations are not the ones of this program. */
  anyVersion?: boolean;
  /** How many connections to a server at most. */
  connections?: number;
  /** Neither wait for a server to answer nor look at its migrations: `untilReady` does both. */
  unseen?: boolean;
};

/** An engine that was just started creates its files before it answers: about 4 s, on a slow disk more. */
const STARTUP_LIMIT_MS = 60_000;

/** How often a database that is not ready is asked again. */
const POLL_MS = 1000;

/** What is over when a server has started, or is within reach again. */
const AWAY = new Set([
  "CONNECTION_CLOSED",
  "CONNECT_TIMEOUT",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND", // In a network of containers a name exists while its container runs.
  "EPIPE",
  "ETIMEDOUT",
  "53300", // too_many_connections
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now: it starts up, or shuts down
]);

/** Opens the database that the settings name and refuses one that does not fit this program. */
export async function openDatabase(
  settings: Pick<Settings, "databaseUrl" | "dataFolder">,
  { exclusive = false, anyVersion = false, unseen = false, connections }: OpenOptions = {},
): Promise<Database> {
  const database = settings.databaseUrl
    ? connected(connect(settings.databaseUrl, { max: connections }), settings.databaseUrl, "server")
    : await openEmbedded(resolve(settings.dataFolder), exclusive);
  if (unseen) return database;
  try {
    await database.sql`select 1`.catch((error) => {
      throw unreachable(database, error);
    });
    if (!anyVersion) await checkMigrations(database.sql);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * Waits until the database answers and has the migrations of this program, whoever applies them.
 * Refuses what waiting does not mend, such as a wrong password or a newer database.
 */
export async function untilReady(database: Pick<Database, "sql" | "url">): Promise<void> {
  let told: string | null = null;
  for (;;) {
    const obstacle = await whatIsMissing(database);
    if (obstacle === null) break;
    if (obstacle !== told) logger.warn("Waiting for the database: {obstacle}", { obstacle });
    told = obstacle;
    await delay(POLL_MS);
  }
  if (told !== null) logger.info("The database is ready");
}

async function whatIsMissing(database: Pick<Database, "sql" | "url">): Promise<string | null> {
  try {
    const state = await migrationState(database.sql);
    refuseNewer(state);
    return state.pending.length > 0 ? "It is behind this program; run `deno task migrate`" : null;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const refusal = unreachable(database, error);
    if (isAway(error)) return refusal.message;
    throw refusal;
  }
}

/** Whether an error says that the database is not within reach now, and may be later. */
export function isAway(error: unknown): boolean {
  return error instanceof Error && "code" in error && AWAY.has(String(error.code));
}

function unreachable({ url }: Pick<Database, "url">, error: unknown): Refusal {
  const { host, pathname } = new URL(url);
  return new Refusal(
    "unavailable",
    `Cannot reach the database "${host}${pathname}": ${
      error instanceof Error ? error.message : error
    }`,
    "Check DATABASE_URL and that the server runs, or unset it to use the embedded engine",
  );
}

/**
 * The engine's files must never be open twice. An exclusive lock of the operating system guards
 * them: it ends with its process, however that ends, so a killed process leaves nothing to clean.
 * Whoever holds it writes the URL of its socket beside it, for everybody else to connect to.
 */
async function openEmbedded(folder: string, exclusive: boolean): Promise<Database> {
  const lock = await openLock(folder);
  const urlFile = join(folder, "url");
  const giveUp = Date.now() + STARTUP_LIMIT_MS;
  while (!(await lock.tryLock(true))) {
    const running = exclusive ? null : await connectToRunning(urlFile);
    if (running) {
      lock.close();
      return running;
    }
    if (exclusive || Date.now() > giveUp) {
      lock.close();
      throw new Refusal(
        "conflict",
        `The data folder "${folder}" is in use by another process`,
        "Stop that one first, or set ADSTRATA_DATA to another folder",
      );
    }
    await delay(100);
  }
  return await startHere(folder, urlFile, lock);
}

async function startHere(folder: string, urlFile: string, lock: Deno.FsFile): Promise<Database> {
  try {
    // A killed process may have left one; nobody may take its port for ours.
    await removeIfPresent(urlFile);
    const dataDir = join(folder, "data");
    if (!(await exists(dataDir))) await createData(dataDir);
    const engine = await startEngine({ dataDir });
    await Deno.writeTextFile(`${urlFile}.new`, engine.url, { mode: 0o600 });
    await Deno.rename(`${urlFile}.new`, urlFile);
    const sql = connect(engine.url);
    return {
      sql,
      url: engine.url,
      engine: "embedded",
      holdsEngine: true,
      async close() {
        await sql.end({ timeout: 5 });
        await engine.close();
        await removeIfPresent(urlFile);
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** A new database has all migrations. Its finished files are moved into place, so that a process killed meanwhile leaves no half of them. */
async function createData(dataDir: string): Promise<void> {
  const unfinished = `${dataDir}.new`;
  await removeIfPresent(unfinished);
  const engine = await startEngine({ dataDir: unfinished });
  await migrate(engine.url, "up").finally(() => engine.close());
  await Deno.rename(unfinished, dataDir);
}

async function openLock(folder: string): Promise<Deno.FsFile> {
  try {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    return await Deno.open(join(folder, "lock"), { create: true, write: true, mode: 0o600 });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(
      "unavailable",
      `Cannot use the data folder "${folder}": ${reason}`,
      "Set ADSTRATA_DATA to a folder that you may write to",
    );
  }
}

async function connectToRunning(urlFile: string): Promise<Database | null> {
  const url = await Deno.readTextFile(urlFile).catch(() => null);
  // No file yet: the process that has the lock is still starting.
  if (!url) return null;
  const sql = connect(url);
  try {
    await sql`select 1`;
    return connected(sql, url, "embedded");
  } catch {
    await sql.end({ timeout: 0 });
    return null;
  }
}

function connected(sql: Sql, url: string, engine: Database["engine"]): Database {
  return { sql, url, engine, holdsEngine: false, close: () => sql.end({ timeout: 5 }) };
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function removeIfPresent(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
