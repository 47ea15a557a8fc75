/** Many accounts through classification, shared by instances that are processes of their own. */
import { addDays } from "../../core/days.ts";
import { connect, type Sql } from "../../db/connect.ts";
import { print } from "../../jobs/commands/command.ts";
import { classification } from "../../jobs/classification.ts";
import { enterNewestRuns, startWorker } from "../../jobs/worker.ts";
import { type AccountSize, fillAccounts } from "./accounts.ts";
import { type Finding, milliseconds } from "./report.ts";
import { elapsed, inTurns, Timing } from "./timing.ts";

const REPEATS = 2;
const DAYS = 30;
const CONCURRENCY = 2;
const INSTANCES = 3;
/** The day of the first round; each round is a day later, up to the last day of the accounts. */
const FIRST_ROUND = "2025-12-20";

/** Measures accounts of 100 ads on a migrated database without accounts. */
export async function benchJobs(
  { sql, url }: { sql: Sql; url: string },
  accounts: number,
): Promise<Finding[]> {
  const sizes: AccountSize[] = Array.from({ length: accounts }, (_, index) => ({
    configId: index + 1,
    ads: 100,
    days: DAYS,
  }));
  await fillAccounts(sql, sizes);
  let round = 0;
  let wrong = 0;
  const shared = (instances: number, concurrency: number) =>
    new Timing(async () => {
      const day = addDays(FIRST_ROUND, round++);
      const now = new Date(`${day}T12:00:00Z`);
      const job = { task: classification, entityType: "ad", cron: "0 6 * * *" } as const;
      const workers = await Promise.all(
        Array.from({ length: instances }, () => startInstance(url, concurrency)),
      );
      await enterNewestRuns(sql, job, now);
      const time = await elapsed(() => Promise.all(workers.map((work) => work())));
      wrong += await runsNotDoneOnce(sql, accounts, day);
      return time;
    });
  const one = shared(1, INSTANCES * CONCURRENCY);
  const several = shared(INSTANCES, CONCURRENCY);
  await inTurns(REPEATS, one, several);
  return [
    {
      what:
        `${accounts} accounts on ${INSTANCES} instances: throughput, by one that does as many at once`,
      value: one.median / several.median,
      unit: "x",
      asked: { atLeast: 0.85 },
      from: `${milliseconds(several.median)} by ${milliseconds(one.median)}`,
    },
    {
      what: "runs that were not done exactly once",
      value: wrong,
      unit: "",
      asked: { atMost: 0 },
    },
  ];
}

/** How many accounts have other than one run of a day, one try of it, or one tier of each ad. */
async function runsNotDoneOnce(sql: Sql, accounts: number, day: string): Promise<number> {
  const asOf = addDays(day, -1);
  const [row] = await sql<[{ done: number }]>`
    select count(*) as done
    from ads.accounts a
    where (
        select array_agg(status || attempt)
        from ads.job_runs
        where config_id = a.config_id and as_of = ${asOf}
      ) = array['succeeded1']
      and (
        select count(*) = 100 and count(distinct entity_id) = 100
        from ads.ml_classifications
        where config_id = a.config_id and as_of = ${asOf}
      )`;
  return accounts - row.done;
}

/** Starts an instance, whose work begins by a word and ends when nothing is left to do. */
async function startInstance(url: string, concurrency: number): Promise<() => Promise<void>> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.url, url, String(concurrency)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  return async () => {
    await child.stdin.close();
    while (!(await reader.read()).done);
    if (!(await child.status).success) throw new Error("An instance failed");
  };
}

if (import.meta.main) {
  const [url = "", concurrency = ""] = Deno.args;
  const sql = connect(url);
  await sql`select 1`;
  print("ready");
  for await (const _ of Deno.stdin.readable);
  const worker = startWorker(sql, [classification], {
    concurrency: Number(concurrency),
    pollMs: 50,
  });
  const isOpen = async () => {
    const [row] = await sql<[{ open: boolean }]>`
      select exists (select from ads.job_runs where status in ('waiting', 'running')) as open`;
    return row.open;
  };
  while (await isOpen()) await new Promise((resolve) => setTimeout(resolve, 20));
  await worker.stop(1000);
  await sql.end();
}
