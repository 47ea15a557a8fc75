import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import fc from "fast-check";
import { connect } from "../../db/connect.ts";
import { createApp } from "../../routes/app.ts";
import { type Answer, LOCAL, openService, Refused } from "./service.ts";

let service: Awaited<ReturnType<typeof openService>>;
Deno.test.beforeAll(async () => {
  service = await openService();
});
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

const CLASSIFY = "/api/v1/classifications/classify";
const statusAndCode = (answer: Answer) => [answer.status, answer.read(Refused).code];
const wrongParameters = (answer: Answer) => answer.read(Refused).details?.parameters ?? [];

Deno.test("createApp() names every wrong parameter when a request has several", async () => {
  const answer = await service.get("/api/v1/classifications?config_id=1&tier=A&limit=201");
  assertEquals(statusAndCode(answer), [400, "invalid_parameter"]);
  assertEquals(wrongParameters(answer).map(({ name }) => name), ["tier", "limit"]);
});

Deno.test("createApp() answers 404 with one body when an account does not exist", async () => {
  const { status, body } = await service.get("/api/v1/entities?config_id=3");
  assertEquals(status, 404);
  assertEquals(body, {
    code: "not_found",
    message: 'There is no account "3"',
    hint: "GET /api/v1/facebook-ads/config lists the accounts",
  });
});

Deno.test("createApp() ignores parameters that it does not know", async () => {
  assertEquals((await service.get("/api/v1/classifications?config_id=1&colour=red")).status, 200);
});

Deno.test("createApp() answers 404 when there is no such route", async () => {
  for (const method of ["GET", "POST", "DELETE"]) {
    const answer = await service.request("/api/v1/nothing", { method });
    assertEquals(statusAndCode(answer), [404, "not_found"]);
  }
});

Deno.test("createApp() answers 405 with the right methods when the method is wrong", async () => {
  const put = await service.request(CLASSIFY, { method: "PUT" });
  assertEquals([put.status, put.headers.get("allow")], [405, "POST"]);
  assertEquals(put.read(Refused).code, "method_not_allowed");
  const post = await service.post("/api/v1/entities", {});
  assertEquals([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
});

Deno.test("createApp() answers 413 when a body is larger than 1 MB", async () => {
  const large = JSON.stringify({ config_id: 1, entity_ids: ["x".repeat(1024 * 1024)] });
  const declared = await service.post(CLASSIFY, large);
  assertEquals(statusAndCode(declared), [413, "payload_too_large"]);
  const streamed = await service.request(CLASSIFY, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new Blob([large]).stream(),
  });
  assertEquals(streamed.status, 413);
});

Deno.test("createApp() answers 400 when a body is not JSON", async () => {
  const broken = await service.post(CLASSIFY, '{"config_id": 1');
  assertEquals(broken.status, 400);
  assertEquals(wrongParameters(broken), [{ name: "body", problem: "not JSON" }]);
  const form = await service.request(CLASSIFY, {
    method: "POST",
    body: new URLSearchParams({ config_id: "1" }),
  });
  assertEquals(form.status, 400);
  assertMatch(form.read(Refused).message, /Content-Type: application\/json/);
  for (const body of ["[]", "null", "1", '""', "{}"]) {
    assertEquals((await service.post(CLASSIFY, body)).status, 400);
  }
});

Deno.test("createApp() says nothing but a trace id when something breaks", async () => {
  const sql = connect("postgres://somebody:secret@127.0.0.1:1/nothing");
  const app = createApp({ sql, version: "1.2.3" });
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const response = await app.request("/api/v1/facebook-ads/config", {
    headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  }, LOCAL);
  assertEquals(response.status, 500);
  const text = await response.text();
  assertNotMatch(text, /127|secret|ECONN/);
  assertEquals(JSON.parse(text), {
    code: "internal",
    message: "Something went wrong here, not in the request",
    details: { trace_id: trace },
  });
  const other = await (await app.request("/api/v1/facebook-ads/config", {}, LOCAL)).json();
  assertMatch(other.details.trace_id, /^[0-9a-f]{32}$/);
  await sql.end({ timeout: 0 });
});

const values = fc.oneof(
  fc.constantFrom(
    "",
    " ",
    "0",
    "-1",
    "1",
    "1.5",
    "1e3",
    "0x10",
    "2147483647",
    "2147483648",
    "9007199254740993",
    "9".repeat(400),
    "NaN",
    "Infinity",
    "null",
    "true",
    "ad",
    "act_",
    "LOW",
    "\0",
    "%00",
    "'; select 1 --",
    "0000-01-01",
    "2026-02-30",
    "2010-01-01",
    "2049-12-31",
    "9999-12-31T23:59:59-12:00",
    "1970-01-01T00:00:00+14:00",
    "2026-03-01T25:00:00Z",
    "\ud800",
  ),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.integer().map(String),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);

const names = fc.constantFrom("config_id", "level", "parent", "order", "show", "after", "search");

Deno.test("the pages never answer 500 when parameters make no sense", async () => {
  const paths = fc.oneof(
    fc.constantFrom("/", "/entities/ad/31"),
    values.map((id) => `/entities/ad/${encodeURIComponent(id.toWellFormed())}`),
  );
  const queries = fc.array(fc.tuple(names, values), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(paths, queries, async (path, query) => {
      const parameters = new URLSearchParams([["config_id", "1"], ...query]);
      const { status } = await service.get(`${path}?${parameters}`);
      assertEquals(status < 500, true);
    }),
    { numRuns: 300, seed: 1 },
  );
});
