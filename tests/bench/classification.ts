/** Classifying all ads of an account, from its rows to stored tiers, in a process of its own. */
import { median } from "simple-statistics";
import { addDays } from "../../core/days.ts";
import { connect, type Sql } from "../../db/connect.ts";
import { classify } from "../../jobs/classification.ts";
import { type AccountSize, AS_OF } from "./accounts.ts";
import { type Finding, milliseconds } from "./report.ts";
import { elapsed, inTurns, measureInChild, reportToParent, serverTime, Timing } from "./timing.ts";
import { bareSelect } from "./views.ts";

const REPEATS = 3;
/** As many days one after the other, as a schedule runs them. */
const DAYS = 3;

/** Measures accounts that are filled, from the smallest to the largest. */
export async function benchClassification(
  { sql, url }: { sql: Sql; url: string },
  sizes: [AccountSize, AccountSize],
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const times: number[] = [];
  for (const size of sizes) {
    const bare = new Timing(() => serverTime(sql, bareSelect(sql, size)));
    await inTurns(REPEATS, bare);
    const run = await measureInChild(import.meta.url, [url, String(size.configId)]);
    const time = median(run.times);
    times.push(time);
    const account = `${size.ads.toLocaleString("en")} ads`;
    findings.push(
      {
        what: `${account}: time`,
        value: time / bare.median,
        unit: "x",
        asked: { atMost: 15 },
        from: `${milliseconds(time)} by ${milliseconds(bare.median)}`,
      },
      {
        what: `${account}: memory of the process`,
        value: run.peakMegabytes,
        unit: "MB",
        asked: { atMost: 400 },
      },
    );
  }
  const [small, large] = sizes;
  const [smallTime = NaN, largeTime = NaN] = times;
  findings.push({
    what: `${large.ads / small.ads} times the ads: time`,
    value: largeTime / smallTime,
    unit: "x",
    asked: { atMost: 12 },
    from: `${milliseconds(largeTime)} by ${milliseconds(smallTime)}`,
  });
  return findings;
}

if (import.meta.main) {
  const [url = "", configId = ""] = Deno.args;
  const sql = connect(url);
  const times: number[] = [];
  for (let day = 1 - DAYS; day <= 0; day++) {
    const asOf = addDays(AS_OF, day);
    times.push(
      await elapsed(() => classify(sql, { configId: Number(configId), entityType: "ad", asOf })),
    );
  }
  await sql.end();
  await reportToParent(times);
}
