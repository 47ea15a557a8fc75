/** An import against PostgreSQL's own `copy` of the same rows into the same table. */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { connect, type Sql } from "../../db/connect.ts";
import { importFiles } from "../../jobs/import.ts";
import { type Finding, milliseconds } from "./report.ts";
import { elapsed, measureInChild, reportToParent, takeFlagsOf, Timing } from "./timing.ts";

const CONFIG_ID = 1;
const ADS = 20_000;
const TURNS = 2;

/**
 * Measures both on a migrated database without accounts.
 *
 * @param rows How many ad days; 20,000 ads deliver on each day.
 */
export async function benchImport(
  { sql, url }: { sql: Sql; url: string },
  rows: number,
): Promise<Finding[]> {
  const folder = await Deno.makeTempDir({ prefix: "adstrata-bench-" });
  try {
    const [csv, tsv] = [`${folder}/export.csv`, `${folder}/rows.tsv`];
    await writeExport(csv, tsv, rows);
    await sql`select ads.create_insight_partitions(${dayOf(0)}, ${dayOf(Math.ceil(rows / ADS))})`;
    // The memory in question is that of `deno task import`, with its flags.
    takeFlagsOf("import");
    let peakMegabytes = 0;
    const imported = new Timing(async () => {
      await empty(sql);
      const child = await measureInChild(import.meta.url, [url, csv]);
      await checkRows(sql, rows);
      peakMegabytes = Math.max(peakMegabytes, child.peakMegabytes);
      return child.times[0] ?? NaN;
    });
    const copied = new Timing(async () => {
      await empty(sql);
      return await elapsed(() => copyRows(sql, tsv));
    });
    // In turns, so that both meet the same machine; what takes this long needs no warming up.
    for (let turn = 0; turn < TURNS; turn++) {
      await imported.repeat();
      await copied.repeat();
    }
    const perSecond = (1000 * rows / imported.median).toLocaleString("en", {
      maximumFractionDigits: 0,
    });
    return [
      {
        what: `${rows.toLocaleString("en")} rows: speed, by that of copy`,
        value: copied.median / imported.median,
        unit: "x",
        asked: { atLeast: 0.5 },
        from: `${milliseconds(imported.median)} by ${milliseconds(copied.median)}, ` +
          `${perSecond} rows a second`,
      },
      {
        what: `${rows.toLocaleString("en")} rows: memory of the process`,
        value: peakMegabytes,
        unit: "MB",
        asked: { atMost: 300 },
      },
    ];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function empty(sql: Sql): Promise<void> {
  await sql`truncate ads.insights`;
  await sql`delete from ads.accounts`;
}

async function checkRows(sql: Sql, rows: number): Promise<void> {
  const [stored] = await sql<{ count: number }[]>`select count(*) as count from ads.insights`;
  if (stored?.count !== rows) throw new Error(`${stored?.count} of ${rows} rows were imported`);
}

async function copyRows(sql: Sql, tsv: string): Promise<void> {
  await sql.begin(async (tx) => {
    const target = await tx`
      copy ads.insights (
        config_id, date, campaign_id, adset_id, ad_id, spend, impressions, reach, clicks,
        link_clicks, leads, conversions
      ) from stdin`.writable();
    await pipeline(createReadStream(tsv, { highWaterMark: 1 << 20 }), target);
  });
}

const HEADER = "Day,Campaign ID,Campaign name,Ad set ID,Ad set name,Ad ID,Ad name,Ad delivery," +
  "Amount spent (EUR),Impressions,Reach,Frequency,Clicks (all),Link clicks,Leads\n";

/** Writes the export and the rows that it stands for, day by day as Ads Manager sorts them. */
async function writeExport(csv: string, tsv: string, rows: number): Promise<void> {
  using exported = await Deno.open(csv, { write: true, create: true });
  using stored = await Deno.open(tsv, { write: true, create: true });
  const encoder = new TextEncoder();
  let [csvText, tsvText] = [HEADER, ""];
  for (let row = 0; row < rows; row++) {
    const ad = row % ADS;
    const day = dayOf(Math.floor(row / ADS));
    const [campaign, adset] = [Math.floor(ad / 400), Math.floor(ad / 20)];
    const ids = [
      120_200_000_000_000 + campaign,
      120_210_000_000_000 + adset,
      120_220_000_000_000 + ad,
    ]
      .map((id) => `${id}417`);
    const impressions = (row * 7919) % 9973;
    const reach = Math.ceil(impressions / 1.25);
    const clicks = Math.floor(impressions / 40);
    const [linkClicks, leads, spend] = [clicks >> 1, clicks % 5, ((row * 31) % 9000) / 100];
    csvText += `${day},${ids[0]},Campaign ${campaign},${ids[1]},Ad set ${adset},${ids[2]},` +
      `"Ad ${ad}, video",active,${spend},${impressions},${reach},1.25,${clicks},${linkClicks},${leads}\n`;
    tsvText += `${CONFIG_ID}\t${day}\t${ids[0]}\t${ids[1]}\t${ids[2]}\t${spend}\t${impressions}\t` +
      `${reach}\t${clicks}\t${linkClicks}\t${leads}\t${leads}\n`;
    if (row % 10_000 < 9_999 && row < rows - 1) continue;
    await writeAll(exported, encoder.encode(csvText));
    await writeAll(stored, encoder.encode(tsvText));
    [csvText, tsvText] = ["", ""];
  }
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}

function dayOf(index: number): string {
  return new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10);
}

if (import.meta.main) {
  const [url = "", csv = ""] = Deno.args;
  const sql = connect(url);
  const time = await elapsed(() => importFiles(sql, { configId: CONFIG_ID, files: [csv] }));
  await sql.end();
  await reportToParent([time]);
}
