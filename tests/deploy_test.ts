import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import { readSettings } from "../core/settings.ts";
import { PATIENCE_MS, PATIENCE_WITH_RUNS_MS } from "../main.ts";
import { testDatabase } from "./database.ts";

// The files of deploy/, read as what starts the service there reads them.
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const dockerfile = await Deno.readTextFile(`${ROOT}deploy/Dockerfile`);
const compose = await Deno.readTextFile(`${ROOT}deploy/compose.yaml`);
const unit = await Deno.readTextFile(`${ROOT}deploy/adstrata.service`);

/** Giving back runs that did not finish (jobs/worker.ts), then closing connections (db/database.ts). */
const AFTERWARDS_MS = 7_000;

function match(text: string, pattern: RegExp): string {
  const [, found] = text.match(pattern) ?? [];
  if (found === undefined) throw new Error(`Nothing matches ${pattern}`);
  return found;
}

function matchAll(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, found]) => found ?? []);
}

async function denoInfo(...args: string[]) {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", ...args],
    cwd: ROOT,
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** A port that nobody listens on. */
function freePort(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return String(listener.addr.port);
}

/** Starts the service by a command line of deploy/ and asks it how the health check there does. */
async function healthCheck(args: string[], env: Record<string, string>): Promise<number> {
  const own = { ...env, HOST: "127.0.0.1", PORT: freePort() };
  const [deno, ...serviceArgs] = args;
  assertEquals(deno?.split("/").at(-1), "deno");
  const service = new Deno.Command(Deno.execPath(), {
    args: serviceArgs,
    cwd: ROOT,
    env: own,
    stdout: "piped",
  }).spawn();
  for await (const text of service.stdout.pipeThrough(new TextDecoderStream())) {
    if (text.includes("Listening")) break;
  }
  const [, ...checkArgs] = JSON.parse(match(dockerfile, /^HEALTHCHECK .*\\\n +CMD (.*)$/m));
  const { code } = await new Deno.Command(Deno.execPath(), { args: checkArgs, env: own }).output();
  service.kill("SIGTERM");
  assertEquals((await service.status).code, 0);
  return code;
}

Deno.test("deploy/ sets variables that readSettings() knows", () => {
  const names = [
    ...match(dockerfile, /^ENV (.*)$/m).matchAll(/(\w+)=/g),
    ...match(unit, /^Environment=(.*)$/m).matchAll(/(\w+)=/g),
    ...compose.matchAll(/^ +([A-Z]\w*):/gm),
  ].map(([, name = ""]) => name);
  // Deno's own, and those of the database's image.
  const ours = names.filter((name) => !/^(DENO|POSTGRES)_/.test(name));
  assert(ours.length >= 5, ours.join());
  for (const name of ours) {
    // A value that makes no sense: what is known refuses it or takes it over.
    const read = () => JSON.stringify(readSettings({ [name]: "?" }));
    let outcome: string;
    try {
      outcome = read();
    } catch {
      outcome = "refused";
    }
    assertNotEquals(outcome, JSON.stringify(readSettings({})), name);
  }
});

Deno.test("deploy/ gives the service longer to end than it takes", () => {
  const needed = (PATIENCE_MS + PATIENCE_WITH_RUNS_MS + AFTERWARDS_MS) / 1000;
  const service = compose.slice(compose.indexOf("\n  adstrata:"));
  assert(Number(match(service, /stop_grace_period: (\d+)s/)) > needed);
  assert(Number(match(unit, /^TimeoutStopSec=(\d+)$/m)) > needed);
});

Deno.test("deploy/Dockerfile has a Deno that is not newer than the tested one", () => {
  const image = match(dockerfile, /^FROM denoland\/deno:([\d.]+)$/m);
  const newest = [Deno.version.deno, image].sort((a, b) =>
    a.localeCompare(b, "en", { numeric: true })
  ).at(-1);
  assertEquals(newest, Deno.version.deno);
});

Deno.test("deploy/Dockerfile copies every module of the service and its commands", async () => {
  const copied = matchAll(dockerfile, /^COPY .* (\S+)$/gm);
  const commands = ["migrate", "import", "job", "jobs", "key"].map((name) =>
    `jobs/commands/${name}.ts`
  );
  for (const entry of ["main.ts", ...commands]) {
    const { modules } = await denoInfo(entry);
    const paths = modules.flatMap(({ local }: { local?: string }) =>
      local?.startsWith(ROOT) ? local.slice(ROOT.length) : []
    );
    assert(paths.includes(entry));
    for (const path of paths) {
      const [top = ""] = path.split("/");
      const inImage = copied.includes(top) || /^(main\.ts|deno\.json)$/.test(path);
      assert(inImage, path);
    }
  }
});

Deno.test("deploy/Dockerfile grants the service what it needs", async () => {
  await using database = await testDatabase();
  const { denoDir } = await denoInfo();
  const args: string[] = JSON.parse(match(dockerfile, /^CMD (\[.*\])$/m));
  const here = args.map((arg) => arg.replace("/app", ROOT).replace("/deno-dir", denoDir));
  assertNotEquals(here, args);
  assertEquals(await healthCheck(here, { DATABASE_URL: database.url }), 0);
});

Deno.test("deploy/adstrata.service grants the service what it needs", async () => {
  const folder = await Deno.makeTempDir();
  const line = match(unit, /^ExecStart=(.*)$/m);
  const here = line.replaceAll("%S", folder).split(" ");
  const env = { DATABASE_URL: "", ADSTRATA_DATA: `${folder}/adstrata` };
  assertEquals(await healthCheck(here, env), 0);
  await Deno.remove(folder, { recursive: true });
});
