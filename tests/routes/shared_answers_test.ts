import { assert, assertEquals } from "@std/assert";
import { Hono } from "hono";
import { SharedAnswers, type Written } from "../../routes/shared_answers.ts";
import { databaseState } from "../../db/state.ts";
import { testDatabase } from "../database.ts";

const NOON = Date.parse("2026-03-11T12:00:00Z");
/** Other tests store something on the same server at any time, and then nothing can be shared. */
const REQUESTS = 100;

/** An app whose answers are numbered as they are written. */
async function openAnswers(write: () => Partial<Written> = () => ({})) {
  const database = await testDatabase();
  const { sql } = database;
  const clock = { time: NOON };
  let written = 0;
  const answers = new SharedAnswers(() => new Date(clock.time));
  const app = new Hono().onError((error, c) => c.text(error.message, 500)).get(
    "/*",
    async (c) => {
      const state = c.req.header("state") === "unknown" ? null : await databaseState(sql);
      const configIds = c.req.header("accounts")?.split(",").map(Number) ?? null;
      return await answers.respond(c, { state, configIds }, async () => {
        written++;
        await sql`select 1`;
        return { json: String(written), until: Infinity, ...write() };
      });
    },
  );
  return {
    sql,
    clock,
    get: async (path = "/", headers: HeadersInit = {}) =>
      await (await app.request(path, { headers })).text(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

Deno.test("SharedAnswers.respond() answers the same without writing it while nothing changes", async () => {
  await using answers = await openAnswers();
  for (let request = 1; request < REQUESTS; request++) await answers.get();
  assert(Number(await answers.get()) < REQUESTS);
});

Deno.test("SharedAnswers.respond() writes once for all who ask at the same time", async () => {
  await using answers = await openAnswers();
  await Promise.all(Array.from({ length: REQUESTS }, () => answers.get()));
  assert(Number(await answers.get()) < REQUESTS);
});

Deno.test("SharedAnswers.respond() writes anew when anything is stored", async () => {
  await using answers = await openAnswers();
  await answers.sql`create table public.rows (id integer)`;
  assertEquals(await answers.get(), "1");
  await answers.sql`insert into public.rows values (1)`;
  assertEquals(await answers.get(), "2");
});

Deno.test("SharedAnswers.respond() writes anew when the URL is another one", async () => {
  await using answers = await openAnswers();
  assertEquals(await answers.get("/?limit=1"), "1");
  assertEquals(await answers.get("/?limit=2"), "2");
});

Deno.test("SharedAnswers.respond() shares nothing between those who see other accounts", async () => {
  await using answers = await openAnswers();
  assertEquals(await answers.get(), "1");
  assertEquals(await answers.get("/", { accounts: "1" }), "2");
  assertEquals(await answers.get("/", { accounts: "1,2" }), "3");
});

Deno.test("SharedAnswers.respond() shares nothing when the state is unknown", async () => {
  await using answers = await openAnswers();
  const headers = { state: "unknown" };
  assertEquals(await answers.get("/", headers), "1");
  assertEquals(await answers.get("/", headers), "2");
});

Deno.test("SharedAnswers.respond() writes anew when the time of an answer is over", async () => {
  await using answers = await openAnswers(() => ({ until: NOON }));
  assertEquals(await answers.get(), "1");
  answers.clock.time++;
  assertEquals(await answers.get(), "2");
});

Deno.test("SharedAnswers.respond() keeps no failure", async () => {
  let isBroken = true;
  await using answers = await openAnswers(() => {
    if (isBroken) throw new Error("Broken");
    return {};
  });
  assertEquals(await answers.get(), "Broken");
  isBroken = false;
  assertEquals(await answers.get(), "2");
});

Deno.test("SharedAnswers.respond() answers with what is too large to be kept", async () => {
  const json = JSON.stringify("x".repeat(2_000_000));
  await using answers = await openAnswers(() => ({ json }));
  assertEquals(await answers.get(), json);
  assertEquals(await answers.get(), json);
});
