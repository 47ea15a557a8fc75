/**
 * A private native PostgreSQL server for tests and benches. Run as a program
 * (`deno task test:postgres`) it runs the whole suite on one.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Refusal } from "../core/refusal.ts";
import { connect } from "../db/connect.ts";
import { command, print, printError } from "../jobs/commands/command.ts";

/** A running server, stopped and deleted when disposed. */
export type NativeServer = AsyncDisposable & {
  /** Its superuser's URL, on database `postgres`. */
  url: string;
  /** Ends it at once, in the middle of whatever it does, as when the machine fails. */
  crash(): Promise<void>;
  /** Starts it again after a crash, on the same port and with what was committed. */
  restart(): Promise<void>;
};

/** Who runs the server; undefined means the current user. */
type Owner = { uid?: number; gid?: number };

/**
 * Starts a server in a temporary folder on a free loopback port. It needs no durability, so it
 * never waits for the disk.
 *
 * @param settings Further server settings, such as `{ shared_buffers: "1GB" }`.
 */
export async function startNativeServer(
  settings: Record<string, string> = {},
): Promise<NativeServer> {
  const bin = await findServer() ?? await installServer();
  const owner = await serverOwner();
  await using started = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "adstrata-postgres-" });
  started.defer(() => Deno.remove(folder, { recursive: true }));
  const data = join(folder, "data");
  const password = randomUUID();
  await createCluster(bin, folder, data, password, owner);

  const port = freePort();
  const all = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    ...settings,
  };
  const newServer = new Deno.Command(join(bin, "postgres"), {
    args: [
      "-D",
      data,
      ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "null",
    ...owner,
  });
  let server = newServer.spawn();
  const stop = async (signal: Deno.Signal) => {
    server.kill(signal);
    await server.status;
  };
  started.defer(() => stop("SIGINT")); // Fast shutdown: ends all sessions.
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  await untilReady(url);
  const running = started.move();
  return {
    url,
    crash: () => stop("SIGQUIT"), // Immediate shutdown: the next start recovers from the log.
    async restart() {
      server = newServer.spawn();
      await untilReady(url);
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function createCluster(
  bin: string,
  folder: string,
  data: string,
  password: string,
  owner: Owner,
): Promise<void> {
  const passwordFile = join(folder, "password");
  await Deno.writeTextFile(passwordFile, password);
  for (const path of [folder, passwordFile]) {
    if (owner.uid !== undefined) await Deno.chown(path, owner.uid, owner.gid ?? null);
  }
  await run(join(bin, "initdb"), [
    `--pgdata=${data}`,
    "--username=postgres",
    "--auth=scram-sha-256",
    `--pwfile=${passwordFile}`,
    "--encoding=UTF8",
    "--no-locale",
    "--no-sync",
  ], owner);
}

/** The folder of the newest server's programs, null where there is none. */
async function findServer(): Promise<string | null> {
  const debian = "/usr/lib/postgresql";
  const versions = await Array.fromAsync(Deno.readDir(debian), (entry) => entry.name)
    .catch(() => []);
  const folders = [
    ...versions.sort((a, b) => Number(b) - Number(a)).map((version) => `${debian}/${version}/bin`),
    ...(Deno.env.get("PATH") ?? "").split(":"),
  ];
  for (const folder of folders) {
    const programs = ["initdb", "postgres"].map((program) => Deno.stat(join(folder, program)));
    if (await Promise.all(programs).then(() => true, () => false)) return folder;
  }
  return null;
}

async function installServer(): Promise<string> {
  if (Deno.build.os === "linux" && Deno.uid() === 0) {
    printError("No PostgreSQL server here: installing Debian's package");
    const env = { DEBIAN_FRONTEND: "noninteractive" };
    await run("apt-get", ["update", "--quiet"], { env });
    await run("apt-get", ["install", "--yes", "--no-install-recommends", "postgresql"], { env });
    const folder = await findServer();
    if (folder) return folder;
  }
  throw new Refusal(
    "unavailable",
    "No PostgreSQL server is installed on this machine",
    "Install one first, on Debian with `apt-get install postgresql`",
  );
}

/** PostgreSQL refuses to run as root, so there its package's own user runs it. */
async function serverOwner(): Promise<Owner> {
  if (Deno.uid() !== 0) return {};
  const [uid, gid] = await Promise.all(["-u", "-g"].map((flag) => run("id", [flag, "postgres"])));
  return { uid: Number(uid), gid: Number(gid) };
}

async function run(
  program: string,
  args: string[],
  options: Owner & { env?: Record<string, string> } = {},
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args,
    cwd: "/",
    ...options,
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`${program} failed: ${new TextDecoder().decode(stderr)}`);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function untilReady(url: string): Promise<void> {
  const giveUp = Date.now() + 30_000;
  while (true) {
    const sql = connect(url, { max: 1 });
    try {
      await sql`select 1`;
      return;
    } catch (error) {
      if (Date.now() > giveUp) throw error;
      await delay(100);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

if (import.meta.main) {
  await command(async (args) => {
    await using server = await startNativeServer();
    // The server gets the same Ctrl-C and the tests end by themselves; what is left is to clean up.
    Deno.addSignalListener("SIGINT", () => {});
    print("Running the suite on a native PostgreSQL server");
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--parallel", ...args],
      cwd: new URL("..", import.meta.url),
      env: { TEST_DATABASE_URL: server.url },
    }).spawn().status;
    return code;
  });
}
