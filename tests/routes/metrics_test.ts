import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { connect } from "../../db/connect.ts";
import { createApp } from "../../routes/app.ts";
import { connectionFrom, LOCAL, openService } from "./service.ts";

const service = await openService();
const { app } = service;
// Nothing listens there: whatever asks the database fails.
const nothing = connect("postgres://somebody:secret@127.0.0.1:1/nothing");
const broken = createApp({ sql: nothing, version: "1.2.3" });
Deno.test.afterAll(async () => {
  await nothing.end({ timeout: 0 });
  await service[Symbol.asyncDispose]();
});

async function metrics(): Promise<string[]> {
  const response = await app.request("/metrics", {}, LOCAL);
  assertEquals(response.status, 200);
  assertStringIncludes(response.headers.get("content-type") ?? "", "text/plain; version=0.0.4");
  return (await response.text()).split("\n");
}

Deno.test("GET /metrics counts requests by route and class of status, not by id", async () => {
  for (const id of ["7", "8", "x"]) await app.request(`/api/v1/jobs/runs/${id}`, {}, LOCAL);
  const lines = await metrics();
  const labels = 'method="GET",route="/api/v1/jobs/runs/:id"';
  const requests = lines.filter((line) => line.startsWith("adstrata_http_requests_total"));
  assertEquals(requests.filter((line) => line.includes("/jobs/runs")).sort(), [
    `adstrata_http_requests_total{${labels},status_class="4xx"} 3`,
  ]);
  assert(lines.includes(`adstrata_http_request_duration_seconds_count{${labels}} 3`));
});

Deno.test("GET /metrics counts the errors of requests", async () => {
  for (const path of ["/", "/api/v1/jobs"]) await broken.request(path, {}, LOCAL);
  assert((await metrics()).includes('adstrata_errors_total{source="request",error="Error"} 2'));
});

Deno.test("GET /metrics does not grow with whatever is asked for", async () => {
  await app.request("/somewhere", {}, LOCAL);
  await app.request("/else", { method: "BREW" }, LOCAL);
  await app.request("/api/v1/jobs", { method: "PUT" }, LOCAL);
  const lines = await metrics();
  assert(
    lines.includes('adstrata_http_requests_total{method="ALL",route="/*",status_class="4xx"} 3'),
  );
});

Deno.test("GET /metrics answers without a key on this machine only", async () => {
  const statusFor = async (connection?: unknown, headers: HeadersInit = {}) =>
    (await app.request("/metrics", { headers }, connection ?? {})).status;
  for (const hostname of ["127.0.0.1", "::1"]) {
    assertEquals(await statusFor(connectionFrom(hostname)), 200);
  }
  for (const hostname of ["10.0.0.7", "127.example", "::ffff:10.0.0.7"]) {
    assertEquals(await statusFor(connectionFrom(hostname)), 401);
  }
  assertEquals(await statusFor(), 401);
  assertEquals(await statusFor(LOCAL, { "x-forwarded-for": "10.0.0.7" }), 401);
});

async function logged(request: () => Promise<unknown>): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  await configure({
    sinks: { records: (record) => records.push(record) },
    loggers: [
      { category: "adstrata", sinks: ["records"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: [] },
    ],
  });
  try {
    await request();
  } finally {
    await reset();
  }
  return records;
}

Deno.test("createApp() logs one line per request, without values, and probes only if they fail", async () => {
  const lines = await logged(async () => {
    await app.request("/api/v1/jobs/runs/x?config_id=1&key=secret", {
      headers: { cookie: "session=secret" },
    }, LOCAL);
    await app.request("/api/v1/health/live");
    await broken.request("/api/v1/health");
  });
  assertEquals(
    lines.map(({ level, properties: { method, route, status } }) => [
      level,
      method,
      route,
      status,
    ]),
    [
      ["info", "GET", "/api/v1/jobs/runs/:id", 400],
      ["warning", "GET", "/api/v1/health", 503],
    ],
  );
  assert(!JSON.stringify(lines).includes("secret"));
});

Deno.test("createApp() logs an error with the trace id that its body tells", async () => {
  const bodies: unknown[] = [];
  const lines = await logged(async () => {
    for (const path of ["/api/v1/facebook-ads/config", "/"]) {
      bodies.push((await (await broken.request(path, {}, LOCAL)).json()).details.trace_id);
    }
  });
  assertEquals(lines.map(({ properties }) => properties.traceId), bodies);
  assertEquals(new Set(bodies).size, 2);
  for (const { level, properties } of lines) {
    assertEquals([level, properties.status], ["error", 500]);
    assertStringIncludes(String(properties.error), "ECONNREFUSED");
  }
});
