import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../db/connect.ts";
import { createApp } from "../../routes/app.ts";
import { Health, HealthDetailed } from "../../routes/health.ts";
import { NOW, openService } from "./service.ts";

const timestamp = NOW.toISOString();

Deno.test("GET /health* says healthy, ready and alive when the database fits the program", async () => {
  await using service = await openService();
  assertEquals((await service.get("/api/v1/health")).body, {
    status: "healthy",
    timestamp,
    version: "1.2.3",
    db: "ok",
    redis: "ok",
  });
  assertEquals((await service.get("/api/v1/health/ready")).body, { status: "ready", reason: null });
  assertEquals((await service.get("/api/v1/health/live")).body, { status: "alive", timestamp });
});

Deno.test("GET /health/detailed reports checks and the last runs of all accounts", async () => {
  await using service = await openService();
  await service.sql`
    insert into ads.job_runs (config_id, job, entity_type, as_of, status, error, started_at)
    values
      (1, 'classification', 'ad', '2026-03-09', 'succeeded', null, '2026-03-10T06:00Z'),
      (2, 'classification', 'ad', '2026-03-10', 'failed', 'No delivery', '2026-03-11T06:00Z')`;
  const answer = await service.get("/api/v1/health/detailed");
  assertEquals(answer.status, 200);
  const { checks, last_runs } = answer.read(HealthDetailed);
  assertEquals(checks.database.status, "ok");
  assertEquals(checks.migrations.pending, 0);
  assertMatch(checks.migrations.version ?? "", /^\d{14}$/);
  assertEquals(last_runs.map((run) => [run.config_id, run.status]), [
    [2, "failed"],
    [1, "succeeded"],
  ]);
});

Deno.test("GET /health says degraded and not ready when migrations are missing", async () => {
  await using service = await openService();
  await service.sql`
    delete from public.adstrata_migrations
    where version = (select max(version) from public.adstrata_migrations)`;
  const health = await service.get("/api/v1/health");
  const { status, db } = health.read(Health);
  assertEquals([health.status, status, db], [200, "degraded", "ok"]);
  const ready = await service.get("/api/v1/health/ready");
  assertEquals(ready.status, 503);
  assertEquals(ready.body, {
    status: "not_ready",
    reason: "The database is not of this program's version; run `deno task migrate status`",
  });
});

Deno.test("GET /health answers 503 when the database does not answer", async () => {
  const sql = connect("postgres://nobody@127.0.0.1:1/nothing");
  const app = createApp({ sql, version: "1.2.3", now: () => NOW });
  const health = await app.request("/api/v1/health");
  assertEquals(health.status, 503);
  assertEquals(await health.json(), {
    status: "unhealthy",
    timestamp,
    version: "1.2.3",
    db: "fail",
    redis: "ok",
  });
  assertEquals((await app.request("/api/v1/health/detailed")).status, 503);
  const ready = await app.request("/api/v1/health/ready");
  assertEquals(await ready.json(), {
    status: "not_ready",
    reason: "The database does not answer",
  });
  assertEquals((await app.request("/api/v1/health/live")).status, 200);
  await sql.end({ timeout: 0 });
});
