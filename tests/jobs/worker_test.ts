import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Sql } from "../../db/connect.ts";
import {
  claimRun,
  endAbandonedRuns,
  PATIENCE_HOURS,
  renewLease,
  succeedRun,
  TRIES,
} from "../../db/job_runs.ts";
import { claimFrom, doRun, LEASE_MS } from "../../jobs/runs.ts";
import type { Task, TaskRequest } from "../../jobs/task.ts";
import { enterNewestRuns, startWorker } from "../../jobs/worker.ts";
import { testDatabase } from "../database.ts";
import { startProgram } from "../program.ts";

const DUE = new Date("2026-03-10T05:00:00Z");
const later = (ms: number, from = DUE) => new Date(from.getTime() + ms);

/** A task that is done by a function. */
function taskOf(
  run: (request: TaskRequest) => Promise<void> | void,
  { name = "classification", waitsFor = [] }: { name?: string; waitsFor?: string[] } = {},
): Task {
  return {
    name,
    version: "test-1",
    waitsFor,
    recomputes: true,
    schedule: { ad: "0 5 * * *" },
    run: async (_, request) => {
      await run(request);
      return { read: 1 };
    },
  };
}

async function accounts(sql: Sql, count: number): Promise<void> {
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone)
    select n, 'Account', 'EUR', 'UTC'
    from generate_series(1, ${count}::integer) n`;
}

/** Gives an account so many ads. */
async function ads(sql: Sql, configId: number, count: number): Promise<void> {
  await sql`insert into ads.campaigns (config_id, campaign_id, name) values (${configId}, 'c', 'c')`;
  await sql`
    insert into ads.adsets (config_id, adset_id, campaign_id, name)
    values (${configId}, 's', 'c', 's')`;
  await sql`
    insert into ads.ads (config_id, ad_id, adset_id, campaign_id, name)
    select ${configId}, 'a' || n, 's', 'c', 'a'
    from generate_series(1, ${count}::integer) n`;
}

const enter = (sql: Sql, task: Task, at = DUE) =>
  enterNewestRuns(sql, { task, entityType: "ad", cron: "0 5 * * *" }, at);

async function runs(sql: Sql) {
  return [
    ...await sql<
      {
        config_id: number;
        as_of: string;
        status: string;
        attempt: number;
        error: string | null;
      }[]
    >`
      select config_id, as_of, status, attempt, error
      from ads.job_runs
      order by scheduled_at, config_id, as_of`,
  ];
}

/** Works until nothing is due any more. */
async function workOff(sql: Sql, task: Task, at = DUE, concurrency = 2): Promise<void> {
  const name = crypto.randomUUID();
  const worker = startWorker(sql, [task], { concurrency, worker: name, now: () => at, pollMs: 20 });
  const isDue = async () => {
    const [row] = await sql<[{ due: boolean }]>`
      select exists (
        select
        from ads.job_runs
        where case status
          when 'waiting' then claimable_at <= ${at}
          when 'running' then worker = ${name} or lease_until < ${at}
        end
      ) as due`;
    return row.due;
  };
  while (await isDue()) await new Promise((resolve) => setTimeout(resolve, 10));
  await worker.stop(1000);
}

Deno.test("enterNewestRuns() enters each active account once, to the last day of its own zone", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone, is_active)
    values
      (1, 'west', 'EUR', 'Pacific/Honolulu', true),
      (2, 'east', 'EUR', 'Pacific/Auckland', true),
      (3, 'disconnected', 'EUR', 'UTC', false),
      (4, 'broken', 'EUR', 'Nowhere/At_All', true)`;
  const task = taskOf(() => {});
  // Two instances, whose clocks ring at different moments.
  await Promise.all([enter(sql, task), enter(sql, task, later(20_000))]);
  assertEquals(await runs(sql), [
    { config_id: 1, as_of: "2026-03-08", status: "waiting", attempt: 0, error: null },
    { config_id: 2, as_of: "2026-03-09", status: "waiting", attempt: 0, error: null },
    {
      config_id: 4,
      as_of: "2026-03-09",
      status: "failed",
      attempt: 0,
      error: 'There is no time zone "Nowhere/At_All"',
    },
  ]);
});

Deno.test("startWorker() does each run exactly once when several workers share them", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 30);
  const done: number[] = [];
  const task = taskOf(async ({ configId }) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    done.push(configId);
  });
  await enter(sql, task);
  await Promise.all([1, 2, 3].map(() => workOff(sql, task)));
  assertEquals(done.sort((a, b) => a - b), Array.from({ length: 30 }, (_, index) => index + 1));
  for (const run of await runs(sql)) assertEquals([run.status, run.attempt], ["succeeded", 1]);
});

Deno.test("startWorker() takes the largest first and keeps a place for small ones", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 4);
  for (const [configId, count] of [[1, 1], [2, 40], [3, 20], [4, 2]] as const) {
    await ads(sql, configId, count);
  }
  const order: number[] = [];
  const task = taskOf(({ configId }) => void order.push(configId));
  await enter(sql, task);
  await workOff(sql, task, DUE, 1);
  assertEquals(order, [2, 1, 3, 4]);
});

Deno.test("startWorker() tries a failing account again, later, and stops no other", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 2);
  const task = taskOf(({ configId }) => {
    if (configId === 1) throw new Error("no luck");
  });
  await enter(sql, task);
  const started = new Date();
  await workOff(sql, task);
  assertEquals(
    (await runs(sql)).map(({ status, attempt }) => [status, attempt]),
    [["waiting", 1], ["succeeded", 1]],
  );
  const [{ claimable_at }] = await sql<[{ claimable_at: Date }]>`
    select claimable_at from ads.job_runs where config_id = 1`;
  assert(claimable_at.getTime() - started.getTime() >= 59_000);
  for (let attempt = 2; attempt <= TRIES; attempt++) {
    await workOff(sql, task, new Date(Date.now() + 3_600_000));
  }
  const [failed] = await runs(sql);
  assertEquals([failed?.status, failed?.attempt, failed?.error], [
    "failed",
    TRIES,
    "Error: no luck",
  ]);
});

Deno.test("claimRun() takes over a run whose lease is over, and only one worker gets it", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 1);
  const task = taskOf(() => {});
  await enter(sql, task);
  const claim = (worker: string, at: Date) =>
    claimRun(sql, claimFrom(at, worker), [task.name], false);
  const first = await claim("first", DUE);
  if (!first) throw new Error("There is nothing to claim");
  assertEquals(await claim("second", later(LEASE_MS)), null);
  assert(await renewLease(sql, first, later(2 * LEASE_MS)));
  assertEquals(await claim("second", later(LEASE_MS + 1)), null);
  const claims = await Promise.all(
    ["second", "third", "fourth"].map((worker) => claim(worker, later(2 * LEASE_MS + 1))),
  );
  const [taken, ...others] = claims.filter((run) => run !== null);
  assertEquals([taken?.attempt, others.length], [2, 0]);
  // The first one comes back to life: it neither renews nor stores anything.
  assertEquals(await renewLease(sql, first, later(9 * LEASE_MS)), false);
  const stored = sql.begin(async (transaction) => {
    await transaction`update ads.accounts set name = 'by the first'`;
    const isStored = await succeedRun(transaction, first, { counts: {}, versions: {}, at: DUE });
    assertEquals(isStored, false);
    throw new Error("rolled back");
  });
  await assertRejects(() => stored, Error, "rolled back");
});

Deno.test("startWorker() takes over when a process was killed in the middle, which leaves nothing", async () => {
  await using database = await testDatabase();
  const { sql, url } = database;
  await accounts(sql, 1);
  const names: string[] = [];
  const task: Task = {
    ...taskOf(() => {}),
    run: async (transaction) => {
      const [account] = await transaction`select name from ads.accounts`;
      names.push(account?.name);
      return {};
    },
  };
  await enter(sql, task);
  const killed = startProgram("tests/jobs/hanging_worker.ts", [url], {});
  await killed.printed(/half done/);
  await killed.stop("SIGKILL");
  await workOff(sql, task, new Date(Date.now() + LEASE_MS - 10_000));
  assertEquals((await runs(sql)).map(({ status, attempt }) => [status, attempt]), [["running", 1]]);
  await workOff(sql, task, new Date(Date.now() + LEASE_MS + 1000));
  assertEquals((await runs(sql)).map(({ status, attempt }) => [status, attempt]), [
    ["succeeded", 2],
  ]);
  assertEquals(names, ["Account"]);
});

Deno.test("doRun() rolls back what it did when its claim was lost meanwhile", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 1);
  const quiet = taskOf(() => {});
  await enter(sql, quiet);
  const run = await claimRun(sql, claimFrom(DUE, "first"), [quiet.name], false);
  if (!run) throw new Error("There is nothing to claim");
  await sql`update ads.job_runs set lease_until = ${DUE}, worker = 'second', attempt = 2`;
  const task: Task = {
    ...quiet,
    run: async (transaction) => {
      await transaction`update ads.accounts set name = 'half done'`;
      return {};
    },
  };
  const { signal } = new AbortController();
  await assertRejects(
    () => doRun(sql, task, run, { ...run, now: DUE, signal }, true),
    Error,
    "taken",
  );
  const [account] = await sql`select name from ads.accounts`;
  assertEquals(account?.name, "Account");
  const [row] = await sql`select status, worker from ads.job_runs`;
  assertEquals({ ...row }, { status: "running", worker: "second" });
});

Deno.test("endAbandonedRuns() fails what lost its worker too often or was only asked for", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await sql`
    insert into ads.job_runs (
      config_id, job, entity_type, as_of, status, is_scheduled, attempt, lease_until
    )
    values
      (1, 'a', 'ad', '2026-03-09', 'running', true, ${TRIES}, ${DUE}),
      (2, 'a', 'ad', '2026-03-09', 'running', true, 1, ${DUE}),
      (3, 'a', 'ad', '2026-03-09', 'running', false, 1, ${DUE}),
      (4, 'a', 'ad', '2026-03-09', 'running', false, 1, ${later(1000)})`;
  await endAbandonedRuns(sql, later(1));
  const rows = await sql`select status from ads.job_runs order by config_id`;
  assertEquals(rows.map(({ status }) => status), ["failed", "running", "failed", "running"]);
});

Deno.test("claimRun() waits for the jobs before it, and endAbandonedRuns() says when they never came", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 2);
  const first = taskOf(() => {});
  const second = taskOf(() => {}, { name: "recommendations", waitsFor: [first.name] });
  await enter(sql, second);
  const claim = (at: Date) => claimRun(sql, claimFrom(at, "w"), [second.name], false);
  assertEquals(await claim(DUE), null);
  await sql`
    insert into ads.job_runs (config_id, job, entity_type, as_of, status)
    values
      (1, 'classification', 'ad', '2026-03-09', 'succeeded'),
      (2, 'classification', 'ad', '2026-03-08', 'succeeded'),
      (2, 'classification', 'adset', '2026-03-09', 'succeeded'),
      (2, 'classification', 'ad', '2026-03-09', 'failed')`;
  assertEquals((await claim(DUE))?.configId, 1);
  assertEquals(await claim(DUE), null);
  await endAbandonedRuns(sql, later(PATIENCE_HOURS * 3_600_000 + 1));
  const [row] = await sql`
    select status, error from ads.job_runs where config_id = 2 and job = 'recommendations'`;
  assertEquals({ ...row }, { status: "skipped", error: "Waited in vain for: classification" });
});

Deno.test("enterNewestRuns() skips what the run before it still does, and what a newer one replaces", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 2);
  const task = taskOf(() => {});
  await enter(sql, task);
  await claimRun(sql, claimFrom(DUE, "slow"), [task.name], false);
  await enter(sql, task, later(24 * 3_600_000));
  assertEquals((await runs(sql)).map(({ status, error }) => [status, error]), [
    ["running", null],
    ["skipped", "A newer run was due before this one began"],
    ["skipped", "The run before this one had not ended yet"],
    ["waiting", null],
  ]);
});

Deno.test("enterNewestRuns() enters earlier days again when days that they rest on have changed", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 1);
  const asked: [string, boolean | undefined][] = [];
  const task = taskOf(({ asOf, force }) => void asked.push([asOf, force]));
  for (const day of [0, 1, 2]) {
    const at = later(day * 24 * 3_600_000);
    await enter(sql, task, at);
    await workOff(sql, task, at);
  }
  const all = ["2026-03-09", "2026-03-10", "2026-03-11"];
  assertEquals(asked.splice(0), all.map((day): [string, boolean] => [day, false]));
  // Changed after the work of the first two days and before that of the third.
  await sql`select ads.store_account_days(1, '{2026-03-10}', ${later(30 * 3_600_000)})`;
  const fourth = later(3 * 24 * 3_600_000);
  await enter(sql, task, fourth);
  await workOff(sql, task, fourth, 1);
  assertEquals(asked.splice(0).sort(), [["2026-03-10", true], ["2026-03-12", false]]);
  await enter(sql, task, later(4 * 24 * 3_600_000));
  await workOff(sql, task, later(4 * 24 * 3_600_000));
  assertEquals(asked, [["2026-03-13", false]]);
});

Deno.test("enterNewestRuns() enters no earlier day of a task that is about today only", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 1);
  const asked: string[] = [];
  const task = { ...taskOf(({ asOf }) => void asked.push(asOf)), recomputes: false };
  await enter(sql, task);
  await workOff(sql, task, DUE);
  const nextDay = later(24 * 3_600_000);
  await sql`select ads.store_account_days(1, '{2026-03-09}', ${later(3_600_000)})`;
  await enter(sql, task, nextDay);
  await workOff(sql, task, nextDay);
  assertEquals(asked, ["2026-03-09", "2026-03-10"]);
});

Deno.test("endAbandonedRuns() is patient from when a run was entered, however long ago it was due", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 1);
  const task = taskOf(() => {}, { name: "recommendations", waitsFor: ["classification"] });
  const hours = (count: number) => later(count * 3_600_000);
  await enter(sql, task, hours(20));
  await endAbandonedRuns(sql, hours(20 + PATIENCE_HOURS - 1));
  assertEquals((await runs(sql)).map(({ status }) => status), ["waiting"]);
  await endAbandonedRuns(sql, hours(20 + PATIENCE_HOURS + 1));
  assertEquals((await runs(sql)).map(({ status }) => status), ["skipped"]);
});

Deno.test("stop() lets a run finish, and gives back one that does not", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await accounts(sql, 1);
  for (const [ends, status, attempt] of [[true, "succeeded", 1], [false, "waiting", 0]] as const) {
    await sql`delete from ads.job_runs`;
    const started = Promise.withResolvers<void>();
    const task = taskOf(async ({ signal }) => {
      started.resolve();
      await new Promise<void>((resolve, reject) => {
        if (ends) setTimeout(resolve, 50);
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
    });
    await enter(sql, task);
    const worker = startWorker(sql, [task], { concurrency: 1, now: () => DUE, pollMs: 20 });
    await started.promise;
    await worker.stop(ends ? 5000 : 20);
    assertEquals((await runs(sql)).map((run) => [run.status, run.attempt]), [[status, attempt]]);
  }
});
