import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import { connect } from "../../db/connect.ts";
import { createApp } from "../../routes/app.ts";

// Nothing listens there: whatever asks the database fails.
const sql = connect("postgres://somebody:secret@127.0.0.1:1/nothing");
const app = createApp({ sql, version: "1.2.3" });
Deno.test.afterAll(() => sql.end({ timeout: 0 }));

const from = (hostname: string) => ({ remoteAddr: { transport: "tcp", hostname, port: 1 } });

async function metrics(): Promise<string[]> {
  const response = await app.request("/metrics", {}, from("127.0.0.1"));
  assertEquals(response.status, 200);
  assertStringIncludes(response.headers.get("content-type") ?? "", "text/plain; version=0.0.4");
  return (await response.text()).split("\n");
}

Deno.test("GET /metrics counts requests by route and class of status, not by id", async () => {
  for (const id of ["7", "8", "x"]) await app.request(`/api/v1/jobs/runs/${id}?config_id=1`);
  const lines = await metrics();
  const labels = 'method="GET",route="/api/v1/jobs/runs/:id"';
  const requests = lines.filter((line) => line.startsWith("adstrata_http_requests_total"));
  assertEquals(requests.filter((line) => line.includes("/jobs/runs")).sort(), [
    `adstrata_http_requests_total{${labels},status_class="4xx"} 1`,
    `adstrata_http_requests_total{${labels},status_class="5xx"} 2`,
  ]);
  assert(lines.includes(`adstrata_http_request_duration_seconds_count{${labels}} 3`));
  assert(lines.includes('adstrata_errors_total{source="request",error="Error"} 2'));
});

Deno.test("GET /metrics does not grow with whatever is asked for", async () => {
  await app.request("/somewhere");
  await app.request("/else", { method: "BREW" });
  await app.request("/api/v1/jobs", { method: "PUT" });
  const lines = await metrics();
  assert(
    lines.includes('adstrata_http_requests_total{method="ALL",route="/*",status_class="4xx"} 3'),
  );
});

Deno.test("GET /metrics answers on this machine only", async () => {
  const statusFor = async (connection?: unknown, headers: HeadersInit = {}) =>
    (await app.request("/metrics", { headers }, connection ?? {})).status;
  for (const hostname of ["127.0.0.1", "::1"]) assertEquals(await statusFor(from(hostname)), 200);
  for (const hostname of ["10.0.0.7", "127.example", "::ffff:10.0.0.7"]) {
    assertEquals(await statusFor(from(hostname)), 403);
  }
  assertEquals(await statusFor(), 403);
  assertEquals(await statusFor(from("127.0.0.1"), { "x-forwarded-for": "10.0.0.7" }), 403);
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
      headers: { authorization: "Bearer secret" },
    });
    await app.request("/api/v1/health/live");
    await app.request("/api/v1/health");
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
      bodies.push((await (await app.request(path)).json()).details.trace_id);
    }
  });
  assertEquals(lines.map(({ properties }) => properties.traceId), bodies);
  assertEquals(new Set(bodies).size, 2);
  for (const { level, properties } of lines) {
    assertEquals([level, properties.status], ["error", 500]);
    assertStringIncludes(String(properties.error), "ECONNREFUSED");
  }
});
