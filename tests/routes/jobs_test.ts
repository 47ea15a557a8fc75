import { assertEquals } from "@std/assert";
import { z } from "zod";
import { enterNewestRuns } from "../../jobs/worker.ts";
import { readSchedule } from "../../jobs/schedule.ts";
import { TASKS } from "../../jobs/tasks.ts";
import { Run, RunStarted } from "../../routes/jobs.ts";
import { NOW, openService } from "./service.ts";

const Jobs = z.looseObject({
  total: z.int(),
  jobs: z.array(z.looseObject({
    job: z.string(),
    entity_type: z.string(),
    next_run_at: z.string().nullable(),
    last_run_at: z.string().nullable(),
    last_runs: z.record(z.string(), z.int()).nullable(),
  })),
});
const Runs = z.looseObject({ next_after: z.int().nullable(), runs: z.array(Run) });

Deno.test("GET /jobs lists the schedule with its last and next run", async () => {
  await using service = await openService();
  const [job] = readSchedule(TASKS, {});
  if (job) await enterNewestRuns(service.sql, job, NOW);
  const { total, jobs } = (await service.get("/api/v1/jobs")).read(Jobs);
  assertEquals(total, readSchedule(TASKS, {}).length);
  const [campaigns, adsets] = jobs;
  assertEquals([campaigns?.entity_type, campaigns?.last_run_at, campaigns?.next_run_at], [
    "campaign",
    "2026-03-11T04:00:00.000Z",
    "2026-03-12T04:00:00.000Z",
  ]);
  assertEquals(campaigns?.last_runs, {
    waiting: 2,
    running: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
  });
  assertEquals([adsets?.last_run_at, adsets?.last_runs], [null, null]);
});

Deno.test("GET /jobs/runs lists the runs of an account, newest first, by pages", async () => {
  await using service = await openService();
  for (const entity_type of ["campaign", "adset", "ad"]) {
    await service.post("/api/v1/classifications/classify", { config_id: 1, entity_type });
  }
  await service.post("/api/v1/classifications/classify", { config_id: 2 });
  const first = (await service.get("/api/v1/jobs/runs?config_id=1&limit=2")).read(Runs);
  assertEquals(first.runs.map((run) => run.entity_type), ["ad", "adset"]);
  const second = await service.get(
    `/api/v1/jobs/runs?config_id=1&limit=2&after=${first.next_after}`,
  );
  const { runs: [oldest, ...others], next_after } = second.read(Runs);
  assertEquals([oldest?.entity_type, others, next_after], ["campaign", [], null]);
  const filtered = await service.get(
    "/api/v1/jobs/runs?config_id=1&entity_type=adset&status=failed",
  );
  assertEquals(filtered.read(Runs).runs, []);
});

Deno.test("GET /jobs/runs/{id} tells what a run did", async () => {
  await using service = await openService();
  await service.post("/api/v1/classifications/classify", { config_id: 1, entity_type: "ad" });
  const { runs: [newest] } = (await service.get("/api/v1/jobs/runs?config_id=1")).read(Runs);
  const run = (await service.get(`/api/v1/jobs/runs/${newest?.id}`)).read(Run);
  assertEquals([run.job, run.status, run.attempt, run.as_of], [
    "classification",
    "succeeded",
    1,
    "2026-03-10",
  ]);
  assertEquals(run.counts.classified, 3);
  assertEquals(Object.keys(run.versions), ["program", "classification"]);
  assertEquals((await service.get("/api/v1/jobs/runs/999999")).status, 404);
});

Deno.test("POST /classifications/classify answers 202 with the run when it takes too long", async () => {
  await using service = await openService({ runPatienceMs: 0 });
  const body = { config_id: 1, entity_type: "ad" };
  const answer = await service.post("/api/v1/classifications/classify", body);
  assertEquals(answer.status, 202);
  const { run_id, status } = answer.read(RunStarted);
  assertEquals(status, "running");
  const look = async () => (await service.get(`/api/v1/jobs/runs/${run_id}`)).read(Run);
  let run = await look();
  while (run.status === "running") run = await look();
  assertEquals([run.status, run.counts.classified], ["succeeded", 3]);
});
