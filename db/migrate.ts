/** Migrations: dbmate applies them; this module finds it, runs it and compares versions. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Refusal } from "../core/refusal.ts";
import type { Sql } from "./connect.ts";

const TABLE = "public.adstrata_migrations";

/** The folder of the migration files, wherever the program is started from. */
export const MIGRATIONS_FOLDER = fileURLToPath(new URL("migrations", import.meta.url));

/** Which migrations a database has, compared with the files of this program. Versions ascend. */
export type MigrationState = {
  applied: string[];
  /** Files that the database does not have yet. */
  pending: string[];
  /** Versions in the database that this program does not know. */
  unknown: string[];
};

/**
 * Applies all pending migrations, or takes back the newest one, each in its own transaction.
 *
 * @returns What dbmate reported, one line per migration.
 */
export async function migrate(
  url: string,
  direction: "up" | "down",
  folder = MIGRATIONS_FOLDER,
): Promise<string[]> {
  const { success, stdout, stderr } = await new Deno.Command(dbmatePath(), {
    args: [
      "--no-dump-schema",
      "--migrations-dir",
      folder,
      "--migrations-table",
      TABLE,
      direction === "up" ? "migrate" : "rollback",
    ],
    // By the environment, because everybody on the machine can read a command line.
    env: { DATABASE_URL: withSslMode(url) },
  }).output();
  const lines = (output: Uint8Array) =>
    new TextDecoder().decode(output).split("\n").filter((line) => line.trim() !== "");
  if (success) return lines(stdout);
  const reason = lines(stderr).map((line) => line.replace(/^Error: (pq: )?/, "")).join("; ");
  throw new Refusal("unavailable", `The migration failed: ${reason}`);
}

/** Reads which migrations the database has. A database that was never migrated has none. */
export async function migrationState(
  sql: Sql,
  folder = MIGRATIONS_FOLDER,
): Promise<MigrationState> {
  const [table] = await sql`select to_regclass(${TABLE}) is not null as present`;
  const rows = table?.present
    ? await sql<{ version: string }[]>`select version from ${sql(TABLE)} order by version`
    : [];
  const applied = rows.map((row) => row.version);
  const files = await migrationVersions(folder);
  return {
    applied,
    pending: files.filter((version) => !applied.includes(version)),
    unknown: applied.filter((version) => !files.includes(version)),
  };
}

/** Refuses a database with migrations that this program does not know. */
export function refuseNewer({ unknown }: Pick<MigrationState, "unknown">): void {
  if (unknown.length === 0) return;
  throw new Refusal(
    "unavailable",
    `The database is newer than this program: it has migration ${unknown.join(", ")}`,
    "Use the version of the program that made it, or a newer one",
  );
}

/** Refuses a database whose migrations are not exactly the ones of this program. */
export async function checkMigrations(sql: Sql, folder = MIGRATIONS_FOLDER): Promise<void> {
  const state = await migrationState(sql, folder);
  refuseNewer(state);
  const { pending } = state;
  if (pending.length > 0) {
    const [many, are] = pending.length === 1 ? ["migration", "is"] : ["migrations", "are"];
    throw new Refusal(
      "unavailable",
      `The database is behind this program: ${pending.length} ${many} ${are} missing`,
      "Run `deno task migrate`",
    );
  }
}

async function migrationVersions(folder: string): Promise<string[]> {
  const files = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
  return files.flatMap((name) => name.match(/^(\d+)_.*\.sql$/)?.[1] ?? []).sort();
}

/** postgres.js speaks plainly unless the URL asks for TLS, dbmate the other way round. */
function withSslMode(url: string): string {
  const parsed = new URL(url);
  if (!parsed.searchParams.has("sslmode")) parsed.searchParams.set("sslmode", "disable");
  return parsed.href;
}

function dbmatePath(): string {
  const require = createRequire(import.meta.url);
  const { resolveBinary } = require("dbmate");
  return resolveBinary();
}
