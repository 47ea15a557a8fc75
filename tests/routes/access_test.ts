import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { configure, reset } from "@logtape/logtape";
import { z } from "zod";
import { listApiKeys, revokeApiKey } from "../../db/api_keys.ts";
import { createApp } from "../../routes/app.ts";
import {
  addKey,
  connectionFrom,
  LOCAL,
  NOW,
  openService,
  Refused,
  storeClassifications,
} from "./service.ts";

const CONFIG = "/api/v1/facebook-ads/config";
const FEEDBACK = "/api/v1/classifications/feedback";
const ELSEWHERE = "10.0.0.7";
const CORRECTION = { classification_id: 101, correct_tier: "LOW", user_id: 7 };

const by = (key: string) => ({ headers: { "x-api-key": key } });
const byBearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const json = (key: string, body: unknown) => ({
  method: "POST",
  headers: { "x-api-key": key, "content-type": "application/json" },
  body: JSON.stringify(body),
});

const storeOne = (service: Parameters<typeof storeClassifications>[0]) =>
  storeClassifications(service, [
    {
      entityType: "ad",
      entityId: "31",
      tier: "MODERATE",
      confidence: 0.7,
      at: "2026-03-11T06:00Z",
    },
  ]);

Deno.test("createApp() answers on its own machine only while there are no keys", async () => {
  await using service = await openService();
  const { app } = service;
  assertEquals((await app.request(CONFIG, {}, LOCAL)).status, 200);
  const strangers: [string, HeadersInit, string][] = [
    [CONFIG, {}, ELSEWHERE],
    [CONFIG, { "x-forwarded-for": "10.0.0.7" }, "127.0.0.1"],
    [CONFIG, { forwarded: "for=10.0.0.7" }, "127.0.0.1"],
    [CONFIG, { "x-real-ip": "10.0.0.7" }, "127.0.0.1"],
    [CONFIG, { "x-forwarded-proto": "https" }, "127.0.0.1"],
    [CONFIG, { via: "1.1 proxy" }, "127.0.0.1"],
    // A page of another site, whose name was made to lead here.
    [`http://evil.example${CONFIG}`, {}, "127.0.0.1"],
  ];
  for (const [path, headers, host] of strangers) {
    const refused = await app.request(path, { headers }, connectionFrom(host));
    assertEquals(refused.status, 401);
    assertMatch((await refused.json()).hint, /deno task key create/);
  }
});

Deno.test("createApp() wants a key from everybody as soon as there is one", async () => {
  await using service = await openService();
  await addKey(service);
  const refused = await service.get(CONFIG);
  assertEquals(refused.status, 401);
  assertEquals(refused.headers.get("www-authenticate"), "Bearer");
  assertEquals(refused.read(Refused).code, "unauthorized");
});

Deno.test("createApp() still wants a key when the only one was revoked", async () => {
  await using service = await openService();
  const key = await addKey(service);
  assert(await revokeApiKey(service.sql, key.slice(9, 19), NOW));
  assertEquals((await service.get(CONFIG)).status, 401);
});

Deno.test("createApp() takes a good key in either header and from anywhere", async () => {
  await using service = await openService({ from: ELSEWHERE });
  const key = await addKey(service);
  assertEquals((await service.request(CONFIG, by(key))).status, 200);
  assertEquals((await service.request(CONFIG, byBearer(key))).status, 200);
});

Deno.test("createApp() refuses a key that is unknown, forged, expired or revoked", async () => {
  await using service = await openService();
  const good = await addKey(service);
  const expired = await addKey(service, { expiresAt: NOW });
  const revoked = await addKey(service);
  await revokeApiKey(service.sql, revoked.slice(9, 19), NOW);
  const forged = good.slice(0, -2) + (good.endsWith("AA") ? "BA" : "AA");
  for (const key of [expired, revoked, forged, "", "x", "adstrata_0000000000_" + "A".repeat(43)]) {
    const refused = await service.request(CONFIG, by(key));
    assertEquals([key, refused.status], [key, 401]);
  }
});

Deno.test("createApp() leaves a password for a proxy to the proxy", async () => {
  await using service = await openService({ from: ELSEWHERE });
  const cookie = await signIn(service, await addKey(service));
  const statusOf = async (headers: HeadersInit) =>
    (await service.request(CONFIG, { headers })).status;
  assertEquals(await statusOf({ cookie, authorization: "Basic eDp5" }), 200);
  assertEquals(await statusOf({ cookie, authorization: "Bearer eDp5" }), 401);
  assertEquals(await statusOf({ authorization: "Basic eDp5" }), 401);
});

Deno.test("createApp() lets no cache keep what depends on the key", async () => {
  await using service = await openService();
  const key = await addKey(service);
  for (const path of [CONFIG, "/?config_id=1", "/?config_id=2", "/api/v1/health/detailed"]) {
    const answer = await service.request(path, by(key));
    assertEquals([path, answer.headers.get("cache-control")], [path, "no-store"]);
  }
});

Deno.test("createApp() keeps a key only as a hash, and notes when it was used", async () => {
  await using service = await openService();
  const key = await addKey(service);
  const [before] = await listApiKeys(service.sql);
  assertEquals(before?.last_used_at, null);
  await service.request(CONFIG, by(key));
  const [after] = await listApiKeys(service.sql);
  assertEquals(after?.last_used_at, NOW);
  const stored = await service.sql`select k::text from ads.api_keys k`;
  const secret = key.slice(20);
  assert(!JSON.stringify(stored).includes(secret));
  assert(!JSON.stringify(stored).includes(Buffer.from(secret, "base64url").toString("hex")));
});

Deno.test("createApp() shows a key its accounts, and 404 for others as for those that do not exist", async () => {
  await using service = await openService();
  const key = await addKey(service, { configIds: [2] });
  const Accounts = z.object({ total: z.int(), data: z.array(z.object({ id: z.int() })) });
  const { total, data } = (await service.request(CONFIG, by(key))).read(Accounts);
  assertEquals([total, data.map(({ id }) => id)], [1, [2]]);
  for (const query of ["config_id=$", "ad_account_id=1234567890", "config_id=$&entity_id=31"]) {
    const path = (id: string) => `/api/v1/classifications?${query.replace("$", id)}`;
    const foreign = await service.request(path("1"), by(key));
    assertEquals(foreign.status, 404);
    const missing = await service.request(
      path("3").replace("1234567890", "3333333333"),
      by(key),
    );
    assertEquals(
      foreign.text.replace("1234567890", "3333333333").replace('"1\\"', '"3\\"'),
      missing.text,
    );
  }
});

Deno.test("createApp() lets a key that may only read change nothing", async () => {
  await using service = await openService();
  await storeOne(service);
  const [read, write] = [await addKey(service), await addKey(service, { role: "write" })];
  const refused = await service.request(FEEDBACK, json(read, CORRECTION));
  assertEquals([refused.status, refused.read(Refused).code], [403, "forbidden"]);
  const count = () => service.sql`select from ads.ml_classification_feedback`;
  assertEquals((await count()).length, 0);
  assertEquals((await service.request(FEEDBACK, json(write, CORRECTION))).status, 200);
  assertEquals((await count()).length, 1);
});

Deno.test("createApp() keeps the rows of other accounts apart also where only their id is given", async () => {
  await using service = await openService();
  await storeOne(service);
  await service.sql`
    insert into ads.job_runs (config_id, id, job, entity_type, as_of, status, started_at)
    overriding system value
    values (1, 7, 'classification', 'ad', '2026-03-10', 'succeeded', '2026-03-11')`;
  const stranger = await addKey(service, { configIds: [2], role: "admin" });
  const owner = await addKey(service, { configIds: [1], role: "write" });
  const run = "/api/v1/jobs/runs/7";
  assertEquals((await service.request(FEEDBACK, json(stranger, CORRECTION))).status, 404);
  assertEquals((await service.request(run, by(stranger))).status, 404);
  assertEquals((await service.request(run, by(owner))).status, 200);
  const detailed = async (init?: RequestInit) =>
    (await service.request("/api/v1/health/detailed", init))
      .read(z.object({ last_runs: z.array(z.unknown()) })).last_runs.length;
  assertEquals(await detailed(), 0);
  assertEquals(await detailed(by(stranger)), 0);
  assertEquals(await detailed(by(owner)), 1);
});

Deno.test("createApp() answers 429 to the key that asks too often, and to no other", async () => {
  await using service = await openService({ requestsPerMinute: 3 });
  const [busy, calm] = [await addKey(service), await addKey(service)];
  for (let n = 0; n < 3; n += 1) {
    assertEquals((await service.request(CONFIG, by(busy))).status, 200);
  }
  const refused = await service.request(CONFIG, by(busy));
  assertEquals([refused.status, refused.read(Refused).code], [429, "rate_limited"]);
  const wait = Number(refused.headers.get("retry-after"));
  assert(wait > 0 && wait <= 20, `${wait} s`);
  assertEquals((await service.request("/api/v1/health/live", by(busy))).status, 200);
  assertEquals((await service.request(CONFIG, by(calm))).status, 200);
});

Deno.test("GET /metrics answers elsewhere to keys with the role admin only", async () => {
  await using service = await openService({ from: ELSEWHERE });
  const write = await addKey(service, { role: "write" });
  const admin = await addKey(service, { role: "admin" });
  assertEquals((await service.get("/metrics")).status, 401);
  assertEquals((await service.request("/metrics", by(write))).status, 403);
  assertEquals((await service.request("/metrics", byBearer(admin))).status, 200);
});

Deno.test("createApp() answers 504 when a request takes too long", async () => {
  await using service = await openService({ requestTimeoutMs: 1 });
  const refused = await service.get("/api/v1/entities?config_id=1");
  assertEquals([refused.status, refused.read(Refused).code], [504, "timeout"]);
});

Deno.test("createApp() lets pages of listed origins ask, and no others", async () => {
  await using service = await openService({ corsOrigins: ["https://bi.example"] });
  const allowed = async (origin: string, app = service.app) =>
    (await app.request(CONFIG, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "GET",
        "access-control-request-headers": "x-api-key",
      },
    }, LOCAL)).headers.get("access-control-allow-origin");
  assertEquals(await allowed("https://bi.example"), "https://bi.example");
  assertEquals(await allowed("https://evil.example"), null);
  const closed = createApp({ sql: service.sql, version: "1.2.3" });
  assertEquals(await allowed("https://bi.example", closed), null);
});

Deno.test("createApp() writes no secret into the log", async () => {
  await using service = await openService();
  const key = await addKey(service);
  const records: unknown[] = [];
  await configure({
    sinks: { records: (record) => records.push(record) },
    loggers: [
      { category: "adstrata", sinks: ["records"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  try {
    await service.request(CONFIG, by(key));
    await service.request(CONFIG, byBearer(`${key}x`));
    await service.request(`${CONFIG}?key=${key}`, by(key));
    await service.request("/sign-in", form({ key }));
  } finally {
    await reset();
  }
  assertEquals(records.length, 4);
  assert(!JSON.stringify(records).includes(key.slice(20)));
});

const form = (fields: Record<string, string>, cookie = "") => ({
  method: "POST",
  headers: { origin: "http://localhost", cookie },
  body: new URLSearchParams(fields),
});

/** Signs in and returns the cookie as the browser sends it back. */
async function signIn(service: Awaited<ReturnType<typeof openService>>, key: string) {
  const answer = await service.request("/sign-in", form({ key, to: "/?level=ad" }));
  assertEquals([answer.status, answer.headers.get("location")], [303, "/?level=ad"]);
  const [cookie = ""] = (answer.headers.get("set-cookie") ?? "").split(";");
  return cookie;
}

const tokenOf = (page: string) => page.match(/name="csrf_token" value="([\w-]+)"/)?.[1] ?? "";

Deno.test("the pages lead to the sign-in form and back to what was asked for", async () => {
  await using service = await openService();
  const key = await addKey(service);
  const page = await service.get("/entities/ad/31?config_id=1");
  assertEquals(page.status, 303);
  const location = page.headers.get("location") ?? "";
  assertEquals(location, "/sign-in?to=%2Fentities%2Fad%2F31%3Fconfig_id%3D1");
  assertMatch((await service.get(location)).text, /value="\/entities\/ad\/31\?config_id=1"/);
  const elsewhere = [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/.//evil.example",
    "blob:http://here/",
  ];
  for (const to of elsewhere) {
    const answer = await service.request("/sign-in", form({ key, to }));
    assertEquals(answer.headers.get("location"), "/");
  }
});

Deno.test("signing in sets a cookie that scripts and other sites do not get, without the key", async () => {
  await using service = await openService();
  const key = await addKey(service);
  const answer = await service.request("/sign-in", form({ key }));
  const cookie = answer.headers.get("set-cookie") ?? "";
  assertMatch(cookie, /; HttpOnly/);
  assertMatch(cookie, /; SameSite=Strict/);
  assert(!cookie.includes("Secure"));
  assert(!cookie.includes(key.slice(20)));
  const behindTls = await service.request("/sign-in", {
    ...form({ key }),
    headers: { origin: "http://localhost", "x-forwarded-proto": "https" },
  });
  assertMatch(behindTls.headers.get("set-cookie") ?? "", /; Secure/);
});

Deno.test("a session shows what its key may see, until the key is revoked", async () => {
  await using service = await openService();
  const key = await addKey(service);
  const cookie = await signIn(service, key);
  const page = () => service.request("/?config_id=1", { headers: { cookie } });
  assertMatch((await page()).text, /Sunrise/);
  assertEquals((await service.request("/?config_id=2", { headers: { cookie } })).status, 404);
  await revokeApiKey(service.sql, key.slice(9, 19), NOW);
  assertEquals((await page()).status, 303);
});

Deno.test("a session ends after its time, and a forged one never begins", async () => {
  await using service = await openService({ secret: "s".repeat(32) });
  const cookie = await signIn(service, await addKey(service));
  const later = createApp({
    sql: service.sql,
    version: "1.2.3",
    secret: "s".repeat(32),
    now: () => new Date(NOW.getTime() + 13 * 3_600_000),
  });
  const other = createApp({ sql: service.sql, version: "1.2.3", now: () => NOW });
  const statusOf = async (app: typeof later, cookie: string) =>
    (await app.request("/", { headers: { cookie } }, LOCAL)).status;
  assertEquals(await statusOf(service.app, cookie), 200);
  assertEquals(await statusOf(later, cookie), 303);
  assertEquals(await statusOf(other, cookie), 303, "signed by another secret");
  assertEquals(await statusOf(service.app, cookie.replace(/=(\w)/, "=0$1")), 303);
});

Deno.test("what changes something by a session repeats its token", async () => {
  await using service = await openService();
  await storeOne(service);
  const cookie = await signIn(service, await addKey(service, { role: "write" }));
  const token = tokenOf((await service.request("/?config_id=1", { headers: { cookie } })).text);
  assertNotEquals(token, "");
  const correct = (headers: Record<string, string>) =>
    service.request(FEEDBACK, {
      method: "POST",
      headers: { cookie, "content-type": "application/json", ...headers },
      body: JSON.stringify(CORRECTION),
    });
  assertEquals((await correct({})).status, 403);
  assertEquals((await correct({ "x-csrf-token": `${token}x` })).status, 403);
  assertEquals((await correct({ "x-csrf-token": token })).status, 200);
});

Deno.test("signing out takes the button of the page", async () => {
  await using service = await openService();
  const cookie = await signIn(service, await addKey(service));
  const token = tokenOf((await service.request("/?config_id=1", { headers: { cookie } })).text);
  assertEquals((await service.request("/sign-out", form({}, cookie))).status, 403);
  const out = await service.request("/sign-out", form({ csrf_token: token }, cookie));
  assertEquals([out.status, out.headers.get("location")], [303, "/sign-in"]);
  assertMatch(out.headers.get("set-cookie") ?? "", /^adstrata_session=; Max-Age=0/);
  // Browsers send no such cookie with the form of another site, but would obey the answer.
  const foreign = await service.request("/sign-out", form({}));
  assertEquals(foreign.headers.get("set-cookie"), null);
});

Deno.test("signing in refuses a wrong key and forms of other sites", async () => {
  await using service = await openService();
  const key = await addKey(service);
  const wrong = await service.request("/sign-in", form({ key: `${key}x` }));
  assertEquals([wrong.status, wrong.headers.get("set-cookie")], [401, null]);
  assertMatch(wrong.text, /unknown, expired or revoked/);
  const foreign = await service.request("/sign-in", {
    ...form({ key }),
    headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
  });
  assertEquals([foreign.status, foreign.headers.get("set-cookie")], [403, null]);
});
