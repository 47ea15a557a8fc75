import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../db/connect.ts";
import { startEngine } from "../../db/embedded.ts";

// The embedded engine itself is under test here, whichever database the other tests use.
// Starting from a snapshot takes a fifth of the time that an empty database takes.
const snapshot = await emptySnapshot();

async function emptySnapshot(): Promise<Blob> {
  const engine = await startEngine();
  const snapshot = await engine.snapshot();
  await engine.close();
  return snapshot;
}

async function withEngine(run: (url: string) => Promise<void>): Promise<void> {
  const engine = await startEngine({ snapshot });
  try {
    await run(engine.url);
  } finally {
    await engine.close();
  }
}

Deno.test("startEngine() answers every client with its own rows when many ask and some fail", async () => {
  await withEngine(async (url) => {
    const sql = connect(url, { max: 8 });
    // Longer than a packet, so that the messages of different clients arrive mixed.
    const ballast = "x".repeat(100_000);
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const value = i % 5 === 0 ? "$1::int / 0" : "$1::int";
        // Without a name, all clients share the one unnamed statement.
        const query = sql.unsafe(`select ${value} as i, $2 as ballast`, [i, ballast]);
        return await query.then(([row]) => row?.i, (error) => error.code);
      }),
    );
    assertEquals(answers, answers.map((_, i) => i % 5 === 0 ? "22012" : i));
    await sql.end();
  });
});

Deno.test("startEngine() lets transactions of different connections take turns", async () => {
  await withEngine(async (url) => {
    const sql = connect(url, { max: 4 });
    await sql`create table public.counter (value int not null)`;
    await sql`insert into public.counter values (0)`;
    await Promise.all(Array.from({ length: 20 }, () =>
      sql.begin(async (tx) => {
        const [row] = await tx`select value from public.counter`;
        await tx`update public.counter set value = ${row?.value + 1}`;
      })));
    assertEquals([...await sql`select value from public.counter`], [{ value: 20 }]);
    await sql.end();
  });
});

Deno.test("startEngine() rolls back and serves others when a client dies in a transaction", async () => {
  await withEngine(async (url) => {
    const sql = connect(url);
    await sql`create table public.rows (id int)`;
    const dying = startClient(url, "begin; insert into public.rows values (1)", "insert");
    await dying.untilReady;
    dying.kill();
    assertEquals([...await sql`select id from public.rows`], []);
    await sql.end();
  });
});

Deno.test("startEngine() serves others when a client dies between an error and its Sync", async () => {
  await withEngine(async (url) => {
    const { hostname, port } = new URL(url);
    const socket = await Deno.connect({ hostname, port: Number(port) });
    await socket.write(startupMessage());
    await readUntil(socket, "Z");
    await socket.write(message("Q", "begin\0"));
    await readUntil(socket, "Z");
    await socket.write(message("P", "\0select from from\0\0\0"));
    await readUntil(socket, "E");
    socket.close();
    const sql = connect(url, { max: 1 });
    assertEquals([...await sql`select 1 as one`], [{ one: 1 }]);
    await sql.end();
  });
});

Deno.test("startEngine() refuses to copy from standard input instead of waiting for ever", async () => {
  await withEngine(async (url) => {
    const sql = connect(url, { max: 1 });
    await sql`create table public.rows (id int)`;
    await assertRejects(
      () => sql.unsafe("copy public.rows from stdin"),
      Error,
      "cannot copy from standard input",
    );
    assertEquals([...await sql`select 1 as one`], [{ one: 1 }]);
    await sql.end();
  });
});

Deno.test("startEngine() finds no table by an unqualified name", async () => {
  await withEngine(async (url) => {
    const sql = connect(url, { max: 1 });
    await sql`create table public.rows (id int)`;
    await assertRejects(() => sql`select id from rows`, Error, `relation "rows" does not exist`);
    await sql.end();
  });
});

Deno.test("startEngine() makes the same database when it starts from a snapshot", async () => {
  const engine = await startEngine({ snapshot });
  const sql = connect(engine.url, { max: 1 });
  await sql`create table public.rows as select generate_series(1, 3) as id`;
  const filled = await engine.snapshot();
  await sql.end();
  await engine.close();

  const copy = await startEngine({ snapshot: filled });
  const copySql = connect(copy.url, { max: 1 });
  assertEquals([...await copySql`select count(*) from public.rows`], [{ count: 3 }]);
  await copySql.end();
  await copy.close();
});

/** A client in its own process, so that killing it closes its socket as a crash would. */
function startClient(url: string, query: string, until: string) {
  const program = `
    const [{ connect }, url, query] = [await import(Deno.args[0]), Deno.args[1], Deno.args[2]];
    const sql = await connect(url, { max: 1 }).reserve();
    await sql.unsafe(query);
    await Deno.stdout.write(new TextEncoder().encode("${until}"));
    await new Promise(() => setTimeout(() => {}, 60_000));
  `;
  const connectModule = new URL("../../db/connect.ts", import.meta.url).href;
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", program, connectModule, url, query],
    stdout: "piped",
  }).spawn();
  return {
    untilReady: process.stdout.getReader().read(),
    kill: () => process.kill("SIGKILL"),
  };
}

function startupMessage(): Uint8Array<ArrayBuffer> {
  const parameters = new TextEncoder().encode("user\0postgres\0database\0postgres\0\0");
  const bytes = new Uint8Array(8 + parameters.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length);
  view.setInt32(4, 196_608); // Version 3.0 of the protocol.
  bytes.set(parameters, 8);
  return bytes;
}

function message(kind: string, content: string): Uint8Array<ArrayBuffer> {
  const body = new TextEncoder().encode(content);
  const bytes = new Uint8Array(5 + body.length);
  bytes[0] = kind.charCodeAt(0);
  new DataView(bytes.buffer).setInt32(1, 4 + body.length);
  bytes.set(body, 5);
  return bytes;
}

/** Reads messages up to one of a kind. */
async function readUntil(socket: Deno.Conn, kind: string): Promise<void> {
  let received = new Uint8Array();
  const chunk = new Uint8Array(65_536);
  while (true) {
    const length = await socket.read(chunk) ?? 0;
    received = new Uint8Array([...received, ...chunk.subarray(0, length)]);
    const view = new DataView(received.buffer);
    for (let at = 0; at + 5 <= received.length; at += 1 + view.getInt32(at + 1)) {
      if (received[at] === kind.charCodeAt(0)) return;
    }
  }
}
