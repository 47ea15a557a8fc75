/** The features of an account against the least that reading its days takes. */
import { median } from "simple-statistics";
import { addDays } from "../../core/days.ts";
import { type Level, LEVEL_FACTS, LEVELS } from "../../core/level.ts";
import type { Sql } from "../../db/connect.ts";
import { type AccountSize, AS_OF } from "./accounts.ts";
import type { Finding } from "./report.ts";
import { elapsed, inTurns, serverTime, Timing } from "./timing.ts";

const REPEATS = 3;
/**
 * The days whose features are read. What the 30 days before cost by themselves depends on how they lie
 * in the months: one whole partition is read in one go, parts of two are looked up by their days.
 */
const DAYS = [AS_OF, addDays(AS_OF, -10), addDays(AS_OF, -20)];
const ENTITIES = 50;

/** Measures `ads.entity_features` on accounts that are filled. */
export async function benchViews(sql: Sql, sizes: AccountSize[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const size of sizes) {
    const account = `${size.ads.toLocaleString("en")} ads, ${size.days} days`;
    for (const level of LEVELS) findings.push(await wholeLevel(sql, size, level, account));
    for (const level of LEVELS) {
      findings.push(...await oneEntity(sql, size, level, account));
    }
  }
  return findings;
}

/** The query that others are measured by: the same 30 days, grouped by ad. */
export function bareSelect(sql: Sql, { configId }: AccountSize, asOf = AS_OF) {
  return sql`
    select ad_id, count(*), sum(spend), sum(leads)
    from ads.insights
    where config_id = ${configId} and date between ${asOf}::date - 29 and ${asOf}
    group by ad_id`;
}

async function wholeLevel(
  sql: Sql,
  size: AccountSize,
  level: Level,
  account: string,
): Promise<Finding> {
  const ratios: number[] = [];
  for (const day of DAYS) {
    const features = new Timing(() =>
      serverTime(
        sql,
        sql`
          select *
          from ads.entity_features
          where config_id = ${size.configId} and entity_type = ${level} and as_of = ${day}`,
      )
    );
    const bare = new Timing(() => serverTime(sql, bareSelect(sql, size, day)));
    await inTurns(REPEATS, features, bare);
    ratios.push(features.median / bare.median);
  }
  return {
    what: `${account}: all ${LEVEL_FACTS[level].many}`,
    value: median(ratios),
    unit: "x",
    asked: { atMost: 4 },
    from: `by day ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")}`,
  };
}

/**
 * One entity by id, as whoever asks often has it, with the level in the text of the statement and the
 * plan kept by the server, and as the first one to ask has it.
 */
async function oneEntity(
  sql: Sql,
  { configId }: AccountSize,
  level: Level,
  account: string,
): Promise<Finding[]> {
  const ids = await sql<{ entity_id: string }[]>`
    select entity_id
    from ads.entities
    where config_id = ${configId} and entity_type = ${level}
    order by hashtext(entity_id)
    limit ${ENTITIES}`;
  const ways = { "": sql`${sql.unsafe(`'${level}'`)}`, ", planned anew": sql`${level}` };
  const findings: Finding[] = [];
  for (const [way, type] of Object.entries(ways)) {
    const next = ids.values();
    const lookup = new Timing(() => {
      const id = next.next().value?.entity_id ?? "";
      return elapsed(() =>
        sql`
          select *
          from ads.entity_features
          where config_id = ${configId}
            and entity_type = ${type}
            and as_of = ${AS_OF}
            and entity_id = ${id}`
      );
    });
    await inTurns(ids.length - 1, lookup);
    findings.push({
      what: `${account}: one ${LEVEL_FACTS[level].one}${way}`,
      value: lookup.median,
      unit: "ms",
      asked: { atMost: 5 },
    });
  }
  return findings;
}
