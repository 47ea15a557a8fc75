import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { testDatabase } from "./database.ts";
import { startProgram } from "./program.ts";

const Span = z.object({
  name: z.string(),
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string(),
  status: z.object({ code: z.number(), message: z.string().optional() }).optional(),
});
const Scopes = z.object({ scopeSpans: z.array(z.object({ spans: z.array(Span) })) });
const Metric = z.object({ name: z.string() });
const Export = z.object({
  resourceSpans: z.array(Scopes).default([]),
  resourceMetrics: z.array(z.object({
    scopeMetrics: z.array(z.object({ metrics: z.array(Metric) })),
  })).default([]),
});

/** Collects what programs send by OpenTelemetry's own protocol. */
function startCollector() {
  const texts: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    texts.push(await request.text());
    return Response.json({});
  });
  const exports = () => texts.map((text) => Export.parse(JSON.parse(text)));
  return {
    texts,
    env: {
      OTEL_DENO: "true",
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.addr.port}`,
    },
    spans: () =>
      exports().flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      ),
    metrics: () =>
      exports().flatMap(({ resourceMetrics }) =>
        resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((s) => s.metrics))
      ),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("main.ts sends spans of requests, runs and their queries, without values", async () => {
  await using collector = startCollector();
  await using database = await testDatabase();
  const { sql, url: DATABASE_URL } = database;
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone)
    values (1, 'Sunrise', 'EUR', 'UTC')`;
  const service = startProgram("main.ts", [], { DATABASE_URL, ...collector.env });
  const [, url] = await service.printed(/Listening on (http:\S+\/)/);
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const response = await fetch(`${url}api/v1/jobs/runs/987654321`, {
    headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
  });
  await response.body?.cancel();
  const isOpen = async () => {
    const [row] = await sql<[{ open: boolean }]>`
      select
        count(*) filter (where job = 'classification') < 3
          or bool_or(status in ('waiting', 'running')) as open
      from ads.job_runs`;
    return row.open;
  };
  while (await isOpen()) await new Promise((resolve) => setTimeout(resolve, 20));
  await sql`alter table ads.accounts rename to away`;
  const failed = await (await fetch(`${url}api/v1/facebook-ads/config`)).json();
  await sql`alter table ads.away rename to accounts`;
  const { stderr } = await service.stop("SIGTERM");

  const spans = collector.spans();
  const childrenOf = (parent: z.output<typeof Span> | undefined) =>
    spans.filter((span) => span.parentSpanId === parent?.spanId).map(({ name }) => name);
  const request = spans.find(({ name }) => name === "GET /api/v1/jobs/runs/:id");
  assertEquals(request?.traceId, trace);
  assert(childrenOf(request).includes("select ads.job_runs"), `${childrenOf(request)}`);

  const runs = spans.filter(({ name }) => name === "run classification");
  assertEquals(runs.length, 3);
  for (const run of runs) {
    const names = childrenOf(run);
    for (const name of ["begin", "fetch", "update ads.job_runs", "commit"]) {
      assert(names.includes(name), `${name} is not among ${names}`);
    }
  }

  // The trace of a failure is the one that its body and its line in the log tell.
  const broken = spans.find(({ name }) => name === "GET /api/v1/facebook-ads/config");
  assertEquals(failed.details.trace_id, broken?.traceId);
  assert(stderr.includes(`"traceId":"${broken?.traceId}"`), stderr);
  const query = spans.find(({ name, parentSpanId }) =>
    name === "select ads.accounts" && parentSpanId === broken?.spanId
  );
  assertEquals(query?.status, { code: 2, message: "42P01" });

  const queries = collector.texts.flatMap((text) => text.match(/"db\.query\.text",[^}]*/g) ?? []);
  assert(queries.length > 0);
  assert(!queries.some((text) => text.includes("987654321")));
  const names = new Set(collector.metrics().map(({ name }) => name));
  for (const name of ["adstrata_runs_total", "adstrata_run_rows_total", "adstrata_errors_total"]) {
    assert(names.has(name), `${name} is not among ${[...names]}`);
  }
});
