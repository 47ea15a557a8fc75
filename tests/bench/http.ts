/** The API on a long history: how quick one request is, and how many there are under load. */
import { Hono } from "hono";
import { max, median, quantile } from "simple-statistics";
import { connect, type Sql } from "../../db/connect.ts";
import { print } from "../../jobs/commands/command.ts";
import { createApp } from "../../routes/app.ts";
import { fillEntities } from "./accounts.ts";
import { type Finding, milliseconds } from "./report.ts";
import { elapsed, inTurns, Timing } from "./timing.ts";

const REPEATS = 300;
const REPEATS_OF_COUNTS = 7;
const ADS = 2740;
const PATH = "/api/v1/classifications?config_id=1&entity_type=ad";
const SUMMARY = "/api/v1/classifications/summary?config_id=2&entity_type=ad&date_from=2023-01-01";
const SUMMARY_ADS = 1000;
const CLIENTS = 50;
const LOAD_MS = 3000;
const LOAD_REPEATS = 3;

/** Measures on a migrated database without accounts. */
export async function benchHttp(
  { sql, url }: { sql: Sql; url: string },
  rows: number,
): Promise<Finding[]> {
  await fillHistory(sql, 1, ADS, rows);
  await fillHistory(sql, 2, SUMMARY_ADS, SUMMARY_ADS);
  await sql`vacuum analyze`;
  return [...await benchOneRequest(sql), ...await benchLoad(url)];
}

async function benchOneRequest(sql: Sql): Promise<Finding[]> {
  const app = createApp({ sql, version: "bench" });
  app.get("/select-1", async (c) => c.json(await sql`select 1 as one`));
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.fetch);
  let requests = 0;
  const request = (path: string) =>
    new Timing(() =>
      elapsed(async () => {
        // A URL of its own, because the same one would share an answer as long as nothing changes.
        const url = `http://127.0.0.1:${server.addr.port}${path}&request=${requests++}`;
        const response = await fetch(url);
        await response.text();
        if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
      })
    );

  const [page, selectOne] = [request(`${PATH}&count=false`), request("/select-1?")];
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

/** What many clients at once get, from a server in a process of its own. */
async function benchLoad(url: string): Promise<Finding[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", import.meta.url, url],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const address = (await reader.read()).value?.trim() ?? "";
    const paths = { page: `${PATH}&limit=50&count=false`, summary: SUMMARY, bare: "/select-1" };
    const loads = { page: new Load(), summary: new Load(), bare: new Load() };
    for (let turn = 0; turn <= LOAD_REPEATS; turn++) {
      for (const name of ["page", "summary", "bare"] as const) {
        await loads[name].add(address + paths[name], turn > 0);
      }
    }
    const { page, summary, bare } = loads;
    return [
      {
        what: `${CLIENTS} clients: pages of 50 a second, by a bare route with \`select 1\``,
        value: page.perSecond / bare.perSecond,
        unit: "x",
        asked: { atLeast: 0.35 },
        from: `${page.perSecond.toFixed(0)} by ${bare.perSecond.toFixed(0)} a second`,
      },
      {
        what: `${CLIENTS} clients: summaries of ${SUMMARY_ADS} ads a second, by the same`,
        value: summary.perSecond / bare.perSecond,
        unit: "x",
        asked: { atLeast: 0.35 },
        from: `${summary.perSecond.toFixed(0)} by ${bare.perSecond.toFixed(0)} a second`,
      },
      {
        what: `${CLIENTS} clients: 99th percentile of pages and summaries, by their median`,
        value: max([page.tail, summary.tail]),
        unit: "x",
        asked: { atMost: 10 },
      },
    ];
  } finally {
    child.kill("SIGKILL");
  }
}

/** Clients that ask one thing again and again, for some seconds at a time. */
class Load {
  #times: number[] = [];
  #perSecond: number[] = [];

  async add(address: string, counts: boolean): Promise<void> {
    const times: number[] = [];
    const end = performance.now() + LOAD_MS;
    await Promise.all(Array.from({ length: CLIENTS }, async () => {
      while (performance.now() < end) {
        times.push(
          await elapsed(async () => {
            const response = await fetch(address);
            await response.arrayBuffer();
            if (!response.ok) throw new Error(`${address} answered ${response.status}`);
          }),
        );
      }
    }));
    if (!counts) return;
    this.#times.push(...times);
    this.#perSecond.push(1000 * times.length / LOAD_MS);
  }

  get perSecond(): number {
    return median(this.#perSecond);
  }

  get tail(): number {
    return quantile(this.#times, 0.99) / median(this.#times);
  }
}

/** One classification per ad and day. */
async function fillHistory(
  sql: Sql,
  configId: number,
  ads: number,
  rows: number,
): Promise<void> {
  await fillEntities(sql, configId, ads);
  await sql`
    insert into ads.ml_classifications (
      config_id, entity_type, entity_id, parent_id, tier, confidence_score, tier_probabilities,
      metrics_snapshot, feature_importances, as_of, model_version, classified_at, valid_until
    )
    select
      ${configId}, 'ad', 140000000000000000 + ad, 130000000000000000 + ad / 5,
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
      select n / ${ads}::integer as day, n % ${ads}::integer as ad
      from generate_series(0, ${rows}::integer - 1) n
    ) x`;
}

if (import.meta.main) {
  const sql = connect(Deno.args[0] ?? "");
  const app = new Hono();
  app.get("/select-1", async (c) => c.json(await sql`select 1 as one`));
  app.route("/", createApp({ sql, version: "bench" }));
  Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: ({ port }) => print(`http://127.0.0.1:${port}`),
  }, app.fetch);
}
