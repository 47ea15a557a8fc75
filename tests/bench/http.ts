/** `GET /api/v1/classifications` on a long history. */
import type { Sql } from "../../db/connect.ts";
import { createApp } from "../../routes/app.ts";
import { fillEntities } from "./accounts.ts";
import { type Finding, milliseconds } from "./report.ts";
import { elapsed, inTurns, Timing } from "./timing.ts";

const REPEATS = 300;
const REPEATS_OF_COUNTS = 7;
const ADS = 2740;
const PATH = "/api/v1/classifications?config_id=1&entity_type=ad";

/** Measures on a migrated database without accounts. */
export async function benchHttp(sql: Sql, rows: number): Promise<Finding[]> {
  await fillHistory(sql, rows);
  const app = createApp({ sql, version: "bench" });
  app.get("/select-1", async (c) => c.json(await sql`select 1 as one`));
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  const request = (path: string) =>
    new Timing(() =>
      elapsed(async () => {
        const response = await fetch(`http://127.0.0.1:${server.addr.port}${path}`);
        await response.text();
        if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
      })
    );

  const [page, selectOne] = [request(`${PATH}&count=false`), request("/select-1")];
  await inTurns(REPEATS, page, selectOne);
  const quick = request(`${PATH}&count=false`);
  const counted = request(PATH);
  const bare = new Timing(() =>
    elapsed(() =>
      sql`
        select tier, count(*)
        from ads.ml_classifications
        where config_id = 1
        group by tier`
    )
  );
  await inTurns(REPEATS_OF_COUNTS, quick, counted, bare);
  const beyond = counted.median - quick.median;
  return [
    {
      what: "a page without counts, by a route with one `select 1`",
      value: page.median / selectOne.median,
      unit: "x",
      asked: { atMost: 4 },
      from: `${milliseconds(page.median)} by ${milliseconds(selectOne.median)}`,
    },
    {
      what: "what the counts add to it, by a bare count of tiers",
      value: beyond / bare.median,
      unit: "x",
      asked: { atMost: 1.3 },
      from: `${milliseconds(beyond)} by ${milliseconds(bare.median)}`,
    },
  ];
}

/** One classification per ad and day. */
async function fillHistory(sql: Sql, rows: number): Promise<void> {
  await fillEntities(sql, 1, ADS);
  await sql`
    insert into ads.ml_classifications (
      config_id, entity_type, entity_id, parent_id, tier, confidence_score, tier_probabilities,
      metrics_snapshot, feature_importances, as_of, model_version, classified_at, valid_until
    )
    select
      1, 'ad', 140000000000000000 + ad, 130000000000000000 + ad / 5,
      (array['HIGH_PERFORMER', 'MODERATE', 'LOW', 'UNDERPERFORMER'])[1 + (7 * ad + day) % 4],
      0.7,
      '{"HIGH_PERFORMER": 0.1, "MODERATE": 0.7, "LOW": 0.15, "UNDERPERFORMER": 0.05}',
      '{"spend_7d": 30, "leads_7d": 3, "cpl_7d": 10, "ctr_7d": 1, "cpl_trend": 1,
        "avg_cpl_reference": 12, "cpl_estimate": 11, "cpl_low_80": 8, "cpl_high_80": 15}',
      '{"own results, recent days weighing more": 0.5,
        "results of its siblings and of what it belongs to": 0.5}',
      date '2023-01-01' + day,
      'evidence-1',
      timestamptz '2023-01-02 06:00Z' + day * interval '1 day',
      timestamptz '2023-01-03 06:00Z' + day * interval '1 day'
    from (
      select n / ${ADS}::integer as day, n % ${ADS}::integer as ad
      from generate_series(0, ${rows}::integer - 1) n
    ) x`;
  await sql`vacuum analyze`;
}
