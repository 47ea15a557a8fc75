/** Private databases for tests: embedded by default, on the server of `TEST_DATABASE_URL` if set. */
import { createHash, randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Sql } from "../db/connect.ts";
import { startEngine } from "../db/embedded.ts";
import { migrate, MIGRATIONS_FOLDER } from "../db/migrate.ts";

/** A database that belongs to one test file or one test alone and vanishes with it. */
export type TestDatabase = AsyncDisposable & { sql: Sql; url: string };

/**
 * Makes a database with all migrations in it. They run once; each database is a copy of the result,
 * so that a test file starts in well under a second.
 *
 * @example
 * ```ts
 * await using database = await testDatabase();
 * await database.sql`insert into ads.accounts ...`;
 * ```
 *
 * @param options.migrated `false` for a database that never saw a migration.
 */
export async function testDatabase({ migrated = true } = {}): Promise<TestDatabase> {
  const server = Deno.env.get("TEST_DATABASE_URL");
  const { url, remove } = server
    ? await createOnServer(server, migrated)
    : await createEmbedded(migrated);
  const sql = connect(url);
  return {
    sql,
    url,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 5 });
      await remove();
    },
  };
}

type Created = { url: string; remove(): Promise<void> };

async function createEmbedded(migrated: boolean): Promise<Created> {
  const engine = await startEngine({ snapshot: await cachedSnapshot(migrated) });
  return { url: engine.url, remove: () => engine.close() };
}

/** Test files run in parallel isolates: the first one writes the snapshot, the others wait for it. */
async function cachedSnapshot(migrated: boolean): Promise<Blob> {
  // The user's id keeps the files of different users apart.
  const folder = join(tmpdir(), `adstrata-tests-${Deno.uid() ?? "user"}`);
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const hash = await migrationsHash();
  const file = join(folder, `${hash}_${migrated ? "migrated" : "empty"}.tar`);
  using lock = await Deno.open(join(folder, "lock"), { create: true, write: true });
  await lock.lock(true);
  const bytes = await Deno.readFile(file).catch(() => null);
  if (bytes) return new Blob([bytes]);

  const engine = await startEngine();
  if (migrated) await migrate(engine.url, "up");
  const snapshot = await engine.snapshot();
  await engine.close();
  for await (const { name } of Deno.readDir(folder)) {
    const isOutdated = name.endsWith(".tar") && !name.startsWith(hash);
    if (isOutdated) await Deno.remove(join(folder, name));
  }
  await Deno.writeFile(`${file}.new`, snapshot.stream());
  await Deno.rename(`${file}.new`, file);
  return snapshot;
}

async function createOnServer(server: string, migrated: boolean): Promise<Created> {
  const admin = connect(server, { max: 1 });
  try {
    const template = migrated ? await migratedTemplate(admin, server) : "template0";
    const name = `adstrata_test_${randomUUID().replaceAll("-", "")}`;
    await admin`create database ${admin(name)} template ${admin(template)}`;
    return {
      url: withDatabase(server, name),
      async remove() {
        const sql = connect(server, { max: 1 });
        await sql`drop database ${sql(name)} with (force)`;
        await sql.end();
      },
    };
  } finally {
    await admin.end();
  }
}

async function migratedTemplate(admin: Sql, server: string): Promise<string> {
  const name = `adstrata_template_${await migrationsHash()}`;
  await admin`select pg_advisory_lock(hashtext('adstrata_template'))`;
  const [existing] = await admin`select 1 from pg_database where datname = ${name}`;
  if (!existing) {
    const unfinished = `${name}_new`;
    await admin`drop database if exists ${admin(unfinished)} with (force)`;
    await admin`create database ${admin(unfinished)} template template0`;
    await migrate(withDatabase(server, unfinished), "up");
    await admin`alter database ${admin(unfinished)} rename to ${admin(name)}`;
  }
  await admin`select pg_advisory_unlock(hashtext('adstrata_template'))`;
  return name;
}

/** Names the result of the migrations; deno.json is in it for the version of the engine. */
async function migrationsHash(): Promise<string> {
  const names = await Array.fromAsync(Deno.readDir(MIGRATIONS_FOLDER), (entry) => entry.name);
  const hash = createHash("sha256");
  hash.update(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  for (const name of names.sort()) {
    hash.update(name).update(await Deno.readTextFile(join(MIGRATIONS_FOLDER, name)));
  }
  return hash.digest("hex").slice(0, 16);
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
