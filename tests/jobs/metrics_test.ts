import { assertEquals, assertRejects } from "@std/assert";
import { register } from "prom-client";
import { startRun } from "../../jobs/runs.ts";
import type { Task } from "../../jobs/task.ts";
import { testDatabase } from "../database.ts";

Deno.test("startRun() counts its run by outcome, with what it did", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone) values (1, 'a', 'EUR', 'UTC')`;
  const task: Task = {
    name: "counting",
    version: "1",
    waitsFor: [],
    recomputes: true,
    schedule: {},
    run: (_, { force }) => {
      if (force) throw new RangeError("Too much");
      return Promise.resolve({ read: 7, written: 5, asOf: "2026-03-10", reference: 12.5 });
    },
  };
  const request = { configId: 1, entityType: "ad", asOf: "2026-03-10", now: new Date() } as const;
  for (let run = 0; run < 2; run++) await (await startRun(sql, task, request)).done;
  const { done } = await startRun(sql, task, { ...request, force: true });
  await assertRejects(() => done, RangeError);

  const lines = (await register.metrics()).split("\n");
  assertEquals(lines.filter((line) => /^adstrata_(run|error)/.test(line)), [
    'adstrata_runs_total{job="counting",level="ad",status="succeeded"} 2',
    'adstrata_runs_total{job="counting",level="ad",status="failed"} 1',
    'adstrata_run_rows_total{job="counting",level="ad",what="read"} 14',
    'adstrata_run_rows_total{job="counting",level="ad",what="written"} 10',
    'adstrata_errors_total{source="run",error="RangeError"} 1',
  ]);
});
