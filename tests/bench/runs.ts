/** Runs of jobs on all ads of an account, from its rows to stored results, in a process of their own. */
import { median } from "simple-statistics";
import { addDays } from "../../core/days.ts";
import { connect, type Sql } from "../../db/connect.ts";
import { startRun } from "../../jobs/runs.ts";
import type { Task } from "../../jobs/task.ts";
import { TASKS } from "../../jobs/tasks.ts";
import { type AccountSize, AS_OF } from "./accounts.ts";
import { type Finding, milliseconds } from "./report.ts";
import {
  elapsed,
  inTurns,
  measureInChild,
  reportToParent,
  serverTime,
  takeFlagsOf,
  Timing,
} from "./timing.ts";
import { bareSelect } from "./views.ts";

const REPEATS = 3;
/** As many days one after the other, as a schedule runs them. */
const DAYS = 3;

/**
 * What runs of a task are measured by: how many times as long as a bare query, or how many seconds,
 * they may take, and how much memory. Those that wait for another task are measured after it; on the
 * largest account before that also without it, as by hand.
 */
const MEASURES = {
  classification: { bare: bareSelect, times: 15, megabytes: 400 },
  recommendations: { bare: bareSelect, times: 15, megabytes: 400 },
  anomalies: { bare: bareDays, times: 25, megabytes: 400 },
  // Those of all levels, whichever is asked for.
  forecasts: { bare: bareDays, seconds: 60, megabytes: 700 },
};

/** How many times as long ten times the ads may take. */
const GROWTH = 12;

/** With the tested day as many as the bare query of anomalies reads. */
const HISTORY_DAYS = 59;

/** The days that anomalies are looked for in, as the least that reading them takes. */
function bareDays(sql: Sql, { configId }: AccountSize) {
  return sql`
    select ad_id, date, sum(spend), sum(leads)
    from ads.insights
    where config_id = ${configId} and date between ${AS_OF}::date - 59 and ${AS_OF}
    group by ad_id, date`;
}

function taskOf(name: string | undefined): Task {
  const task = TASKS.find((task) => task.name === name);
  if (!task) throw new Error(`There is no task "${name}"`);
  return task;
}

/** Measures a task on accounts that are filled, from the smallest to the largest. */
export async function benchRuns(
  { sql, url }: { sql: Sql; url: string },
  task: keyof typeof MEASURES,
  sizes: [AccountSize, AccountSize],
): Promise<Finding[]> {
  const { bare: bareQuery, megabytes, ...limit } = MEASURES[task];
  const findings: Finding[] = [];
  const times: number[] = [];
  takeFlagsOf("job");
  const [small, large] = sizes;
  for (const size of sizes) {
    const bare = new Timing(() => serverTime(sql, bareQuery(sql, size)));
    await inTurns(REPEATS, bare);
    const account = `${size.ads.toLocaleString("en")} ads`;
    const timeFinding = (what: string, time: number): Finding =>
      "seconds" in limit
        ? {
          what: `${account}${what}: time`,
          value: time / 1000,
          unit: "s",
          asked: { atMost: limit.seconds },
          from: `the bare query takes ${milliseconds(bare.median)}`,
        }
        : {
          what: `${account}${what}: time`,
          value: time / bare.median,
          unit: "x",
          asked: { atMost: limit.times },
          from: `${milliseconds(time)} by ${milliseconds(bare.median)}`,
        };
    const measure = (...how: string[]) =>
      measureInChild(import.meta.url, [url, String(size.configId), task, ...how]);
    if (size === large && taskOf(task).waitsFor.length > 0) {
      // Of an account that nothing was stored of yet, the first run stores the most.
      const { times: [first = NaN, ...later] } = await measure("alone");
      findings.push(
        timeFinding(", alone, first day", first),
        timeFinding(", alone, later days", median(later)),
      );
    }
    const run = await measure();
    const time = median(run.times);
    times.push(time);
    findings.push(
      timeFinding("", time),
      {
        what: `${account}: memory of the process`,
        value: run.peakMegabytes,
        unit: "MB",
        asked: { atMost: megabytes },
      },
    );
  }
  const [smallTime = NaN, largeTime = NaN] = times;
  findings.push({
    what: `${large.ads / small.ads} times the ads: time`,
    value: largeTime / smallTime,
    unit: "x",
    asked: { atMost: GROWTH },
    from: `${milliseconds(largeTime)} by ${milliseconds(smallTime)}`,
  });
  return findings;
}

if (import.meta.main) {
  const [url = "", configId = "", name, how] = Deno.args;
  const task = taskOf(name);
  const sql = connect(url);
  const times: number[] = [];
  // Alone on days of its own, so that nothing was stored for them.
  const last = how === "alone" ? -DAYS : 0;
  for (let day = last + 1 - DAYS; day <= last; day++) {
    const asOf = addDays(AS_OF, day);
    const run = async (each: Task) => {
      const request = {
        configId: Number(configId),
        entityType: "ad" as const,
        asOf,
        historyDays: HISTORY_DAYS,
        now: new Date(),
      };
      await (await startRun(sql, each, request)).done;
    };
    // As the schedule does: what a task waits for has been done.
    for (const before of how === "alone" ? [] : TASKS) {
      if (task.waitsFor.includes(before.name)) await run(before);
    }
    times.push(await elapsed(() => run(task)));
  }
  await sql.end();
  await reportToParent(times);
}
