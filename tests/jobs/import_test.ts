import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { parseHeaderMap } from "../../core/export/columns.ts";
import { Refusal } from "../../core/refusal.ts";
import { classify } from "../../jobs/classification.ts";
import { importFiles, type ImportOptions } from "../../jobs/import.ts";
import { type TestDatabase, testDatabase } from "../database.ts";

let database: TestDatabase;
let nextConfigId = 1;

Deno.test.beforeAll(async () => {
  database = await testDatabase();
});

Deno.test.afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** An account of its own for each test, so that they share a database and nothing else. */
function newAccount() {
  const configId = nextConfigId++;
  const { sql } = database;
  const importAll = (files: string[], options: Partial<ImportOptions> = {}) =>
    importFiles(sql, { configId, files, account: { currency: "EUR" }, ...options });
  return {
    configId,
    sql,
    importAll,
    /** Imports text instead of a file, and returns what it brought. */
    async importText(text: string | Uint8Array, options: Partial<ImportOptions> = {}) {
      const file = await Deno.makeTempFile({ suffix: ".csv" });
      try {
        await Deno.writeFile(
          file,
          typeof text === "string" ? new TextEncoder().encode(text) : text,
        );
        const { files: [report] } = await importAll([file], options);
        if (!report) throw new Error("No report about the file");
        return report;
      } finally {
        await Deno.remove(file);
      }
    },
    insights: () =>
      sql`
        select i.*, coalesce(a.name, s.name) as name, s.name as adset
        from ads.insights i
        join ads.adsets s on s.config_id = i.config_id and s.adset_id = i.adset_id
        left join ads.ads a on a.config_id = i.config_id and a.ad_id = i.ad_id
        where i.config_id = ${configId}
        order by i.date, s.name, name`,
    entities: () =>
      sql`
        select entity_type, name, status, effective_status, objective, daily_budget, lifetime_budget,
          budget_holder
        from ads.entities
        where config_id = ${configId}
        order by array_position(array['campaign', 'adset', 'ad'], entity_type), name`,
    /** Every stored row with the transaction that wrote it. */
    versions: () =>
      sql`
        select 'insights' as of, xmin::text, ad_id, date::text from ads.insights where config_id = ${configId}
        union all
        select 'ads', xmin::text, ad_id, null from ads.ads where config_id = ${configId}
        union all
        select 'adsets', xmin::text, adset_id, null from ads.adsets where config_id = ${configId}
        union all
        select 'campaigns', xmin::text, campaign_id, null from ads.campaigns where config_id = ${configId}
        order by 1, 3, 4`,
  };
}

const ADS =
  "Day,Campaign name,Ad set name,Ad name,Amount spent (EUR),Impressions,Reach,Clicks (all),Leads";

Deno.test("importFiles() stores the same from exports in five languages and notations", async () => {
  const stored = [];
  for (const language of ["en", "pt", "es", "de", "fr"]) {
    const account = newAccount();
    const { files, isNewAccount } = await account.importAll([fixture(`export_${language}.csv`)]);
    assertEquals([isNewAccount, files[0]?.added, files[0]?.days], [true, 12, 3], language);
    const insights = await account.insights();
    stored.push({
      insights: insights.map(({ config_id: _, ...row }) => row),
      entities: [...await account.entities()],
    });
  }
  for (const other of stored) assertEquals(other, stored[0]);
  const [first] = stored[0]?.insights ?? [];
  assertEquals([first?.spend, first?.impressions, first?.link_clicks, first?.leads], [
    10.61,
    2433,
    30,
    2,
  ]);
});

Deno.test("importFiles() changes nothing when the same file comes again", async () => {
  const account = newAccount();
  await account.importAll([fixture("export_en.csv")]);
  const before = await account.versions();
  const { files: [report], isNewAccount } = await account.importAll([fixture("export_en.csv")]);
  assertEquals([isNewAccount, report?.added, report?.changed, report?.unchanged], [
    false,
    0,
    0,
    12,
  ]);
  assertEquals(await account.versions(), before);
});

Deno.test("importFiles() lets the planner know of the account", async () => {
  const { configId, sql, importText } = newAccount();
  await importText(
    "Day,Ad name,Ad set name,Campaign name,Amount spent (EUR),Impressions,Leads\n" +
      Array.from({ length: 50 }, (_, ad) => `2026-03-01,Ad ${ad},Set,Campaign,5,100,1\n`).join(""),
  );
  const accounts = await sql<{ known: string }[]>`
    select unnest(most_common_vals::text::text[]) as known
    from pg_catalog.pg_stats
    where schemaname = 'ads' and tablename = 'ads' and attname = 'config_id'`;
  assert(accounts.some(({ known }) => Number(known) === configId));
});

Deno.test("importFiles() overwrites the days of a newer file and leaves the others alone", async () => {
  const account = newAccount();
  await account.importText(
    `${ADS},Ad delivery\n2024-06-01,C,S,A,1.50,100,90,3,1,active\n2024-06-02,C,S,A,2.50,200,190,6,2,active\n`,
  );
  const { added, changed, unchanged } = await account.importText(
    `${ADS},Ad delivery\n2024-06-02,C,S,A,2.75,210,200,7,0,inactive\n2024-06-03,C,S,A,3.50,300,290,9,3,inactive\n`,
  );
  assertEquals([added, changed, unchanged], [1, 1, 0]);
  const rows = await account.insights();
  assertEquals(rows.map(({ spend, leads }) => [spend, leads]), [[1.5, 1], [2.75, 0], [3.5, 3]]);
  assertEquals((await account.entities()).at(-1)?.effective_status, "INACTIVE");
});

Deno.test("importFiles() makes stale what was computed from the days that it changes", async () => {
  const account = newAccount();
  const { configId, sql, importText } = account;
  const day = (number: number, leads: number) =>
    `2024-06-0${number},C,S,A,1.50,100,90,3,${leads}\n`;
  const first = `${ADS}\n${day(1, 1)}${day(2, 1)}${day(3, 1)}`;
  const staleDays = async () => {
    const rows = await sql<{ as_of: string }[]>`
      select as_of from ads.stale_runs where config_id = ${configId} order by as_of`;
    return rows.map(({ as_of }) => as_of);
  };
  await importText(first);
  for (const asOf of ["2024-06-01", "2024-06-03"]) {
    await classify(sql, { configId, entityType: "ad", asOf });
  }
  assertEquals(await staleDays(), []);
  await importText(first);
  assertEquals(await staleDays(), []);
  await importText(`${ADS}\n${day(2, 2)}${day(3, 1)}`);
  // The first day ended before the one that changed.
  assertEquals(await staleDays(), ["2024-06-03"]);
  await classify(sql, { configId, entityType: "ad", asOf: "2024-06-03", force: true });
  assertEquals(await staleDays(), []);
  // An earlier day that was missing so far.
  await importText(`${ADS}\n2024-05-31,C,S,A,1.50,100,90,3,1\n`);
  assertEquals(await staleDays(), ["2024-06-01", "2024-06-03"]);
});

Deno.test("importFiles() keeps what a later file does not tell", async () => {
  const account = newAccount();
  await account.importText(`${ADS},Ad delivery\n2024-06-01,C,S,A,1.50,100,90,3,1,active\n`);
  await account.importText(
    "Day,Campaign name,Ad set name,Ad name,Spend,Impressions,Leads\n2024-06-01,C,S,A,1.75,100,1\n",
  );
  const [row] = await account.insights();
  assertEquals([row?.spend, row?.reach, row?.clicks], [1.75, 90, 3]);
  assertEquals((await account.entities()).at(-1)?.effective_status, "ACTIVE");
});

Deno.test("importFiles() takes identifiers, statuses, budgets and objectives, and drops the summary", async () => {
  const account = newAccount();
  const { files: [report] } = await account.importAll([fixture("export_with_ids.csv")], {
    account: {},
  });
  assertEquals([report?.summaryRows, report?.added, report?.leadSource], [1, 2, "lead_results"]);
  assertEquals([...await account.entities()], [
    {
      entity_type: "campaign",
      name: "Spring",
      status: null,
      effective_status: "ACTIVE",
      objective: "OUTCOME_LEADS",
      daily_budget: null,
      lifetime_budget: null,
      budget_holder: null,
    },
    {
      entity_type: "adset",
      name: "Broad",
      status: null,
      effective_status: null,
      objective: "OUTCOME_LEADS",
      daily_budget: 25,
      lifetime_budget: null,
      budget_holder: "adset",
    },
    ...["Image B", "Video A, long"].map((name) => ({
      entity_type: "ad",
      name,
      status: null,
      effective_status: null,
      objective: "OUTCOME_LEADS",
      daily_budget: null,
      lifetime_budget: null,
      budget_holder: "adset",
    })),
  ]);
  const rows = await account.insights();
  assertEquals(
    rows.map(({ ad_id, campaign_id, spend, leads, conversions, clicks }) => [
      ad_id,
      campaign_id,
      spend,
      leads,
      conversions,
      clicks,
    ]),
    [
      ["120210000000003417", "120210000000000417", 1200, 0, 7, 200],
      ["120210000000002417", "120210000000000417", 24.5, 2, 2, 101],
    ],
  );
  const [stored] = await account.sql`
    select account_id, name, currency, time_zone from ads.accounts where config_id = ${account.configId}`;
  assertEquals(stored, {
    account_id: "1234567890123456",
    name: "Acme",
    currency: "USD",
    time_zone: "UTC",
  });
});

Deno.test("importFiles() moves a budget when a later file says that the campaign pays", async () => {
  const account = newAccount();
  const header =
    "Day,Campaign name,Campaign budget,Ad set name,Ad set budget,Ad set budget type,Spend,Impressions,Leads";
  await account.importText(`${header}\n2024-06-01,C,Using ad set budget,S,20.50,Daily,1.5,9,1\n`);
  const { notes } = await account.importText(
    `${header}\n2024-06-02,C,30.50,S,Using campaign budget,,1.5,9,1\n`,
  );
  assertEquals(
    (await account.entities()).map((
      { daily_budget, budget_holder },
    ) => [daily_budget, budget_holder]),
    [[30.5, "campaign"], [null, "campaign"]],
  );
  assert(notes.some((note) => note.includes("count as daily")));
});

Deno.test("importFiles() adds up breakdowns and leaves reach open where it cannot", async () => {
  const account = newAccount();
  const { files: [report] } = await account.importAll([fixture("export_breakdown.csv")]);
  assertEquals([report?.rows, report?.added, report?.addedUp], [3, 2, 1]);
  assert(report?.notes.some((note) => note.startsWith("Reach does not add up")));
  assertEquals(
    (await account.insights()).map(({ spend, impressions, reach, clicks, leads, conversions }) => [
      spend,
      impressions,
      reach,
      clicks,
      leads,
      conversions,
    ]),
    [[15, 1500, null, 25, 4, 5], [1.5, 100, 90, 2, 0, 0]],
  );
});

Deno.test("importFiles() stores whole ad sets when the file names no ads", async () => {
  const account = newAccount();
  const { files: [report] } = await account.importAll([fixture("export_adsets.csv")]);
  assertEquals(report?.entities, { campaign: 2, adset: 3, ad: 0 });
  const levels = await account.sql`
    select entity_type, count(*) as rows, sum(leads) as leads
    from ads.entity_daily
    where config_id = ${account.configId}
    group by entity_type
    order by entity_type`;
  assertEquals([...levels], [
    { entity_type: "adset", rows: 4, leads: 6 },
    { entity_type: "campaign", rows: 3, leads: 6 },
  ]);
});

Deno.test("importFiles() counts nothing twice when an ad set comes by ad and as a whole", async () => {
  const account = newAccount();
  const whole = "Day,Campaign name,Ad set name,Spend,Impressions,Leads";
  await account.importText(`${whole}\n2024-06-01,C,S,5,100,2\n2024-06-02,C,S,6,100,2\n`);
  const byAd = await account.importText(
    `${ADS}\n2024-06-01,C,S,A,2.50,50,9,1,1\n2024-06-01,C,S,B,2.50,50,9,1,1\n`,
  );
  assertEquals([byAd.added, byAd.replaced], [2, 1]);
  const asWhole = await account.importText(`${whole}\n2024-06-01,C,S,5,100,2\n`);
  assertEquals([asWhole.added, asWhole.replaced], [1, 2]);
  assertEquals((await account.insights()).map(({ spend }) => spend), [5, 6]);
});

Deno.test("importFiles() refuses bad rows by number, shows 20, counts all and stores nothing", async () => {
  const account = newAccount();
  const good = "2024-06-01,C,S,A,1.50,100,90,3,1";
  const rows = Array.from({ length: 25 }, (_, index) => `2024-06-02,C,S,A${index},-1,100,90,3,1`);
  const text = [ADS, good, ...rows, good].join("\n");
  const refusal = await assertRejects(() => account.importText(text), Refusal, "25 of the 27 rows");
  assertStringIncludes(refusal.message, "row 3: negative amount spent: -1");
  assertStringIncludes(refusal.message, "row 22: ");
  assert(!refusal.message.includes("row 23: "));
  assertStringIncludes(refusal.message, "and 5 more");
  const [stored] = await account
    .sql`select 1 from ads.accounts where config_id = ${account.configId}`;
  assertEquals(stored, undefined);
});

Deno.test("importFiles() imports the rest when it may skip bad rows, and lists those", async () => {
  const account = newAccount();
  const text = `${ADS}\n2024-06-01,C,S,A,1.50,100,90,3,1\n2024-06-31,C2,S2,A,1,100,90,3,1\n`;
  const report = await account.importText(text, { skipBadRows: true });
  assertEquals([report.added, report.badRows, report.badRowList], [1, 1, [
    { row: 3, reason: '"2024-06-31" is not a day (YYYY-MM-DD)' },
  ]]);
  assertEquals((await account.entities()).length, 3);
});

Deno.test("importFiles() says how to export when a file holds only period totals", async () => {
  const text =
    "Reporting starts,Reporting ends,Campaign name,Ad set name,Spend,Impressions,Leads\n" +
    "2024-06-01,2024-06-30,C,S,1.5,9,1\n";
  const refusal = await assertRejects(() => newAccount().importText(text), Refusal);
  assertStringIncludes(refusal.message, "holds totals over a period");
  assertStringIncludes(refusal.hint ?? "", "breakdown by day");
});

Deno.test("importFiles() stores all of several files or nothing", async () => {
  const account = newAccount();
  const bad = await Deno.makeTempFile();
  await Deno.writeTextFile(bad, `${ADS}\n2024-06-01,C,S,A,1.50,100,90,300,1\n`);
  await assertRejects(
    () => account.importAll([fixture("export_en.csv"), bad]),
    Refusal,
    "300 clicks",
  );
  assertEquals((await account.insights()).length, 0);
  const { files } = await account.importAll([fixture("export_en.csv"), fixture("export_de.csv")]);
  assertEquals(files.map(({ added, unchanged }) => [added, unchanged]), [[12, 0], [0, 12]]);
  await Deno.remove(bad);
});

Deno.test("importFiles() names the file that it refuses when there are several", async () => {
  const account = newAccount();
  const bad = await Deno.makeTempFile();
  const row = "2024-06-01,C,S,A,1.50,100,90,3,1";
  const refusal = (files: string[]) =>
    assertRejects(() => account.importAll(files, { account: {} }), Refusal);
  const texts: [problem: string, text: string][] = [
    ["This is not a daily Ads Manager export", "Day,Spend\n2024-06-01,1.5\n"],
    ["The columns", `${ADS},Lead\n${row},1\n`],
    ["No column tells which results", ADS.replace("Leads", "Results") + `\n${row}\n`],
    ["The file holds amounts in several currencies", `${ADS},CPC (USD)\n${row},1\n`],
    ["Whether the day or the month", `${ADS}\n01/06/2024${row.slice(10)}\n`],
    ['Whether "1.500"', `${ADS}\n2024-06-01,C,S,A,1.500,100,90,3,1\n`],
    ["Row 2 opens a quote", `${ADS}\n2024-06-01,"C\n`],
    ['The ad set "2" stands in', idRows("1,2,3", "4,2,5")],
    ["The import mixes Meta's accounts", `${ADS},Account ID\n${row},8\n`],
  ];
  const good = await Deno.makeTempFile();
  await Deno.writeTextFile(good, `${ADS},Account ID\n${row},7\n`);
  for (const [problem, text] of texts) {
    await Deno.writeTextFile(bad, text);
    const { message } = await refusal([good, bad]);
    assertStringIncludes(message, `"${bad}": ${problem}`);
    assertEquals(message.split(bad).length, 2);
  }
  await Deno.writeTextFile(bad, `${ADS}\n2024-06-01,C,S,A,-1,100,90,3,1\n`);
  const { message } = await refusal([good, bad]);
  assertStringIncludes(message, `1 of the 1 rows of "${bad}" cannot be imported`);
  assertEquals(message.split(bad).length, 2);
  await Deno.writeTextFile(bad, `${ADS.replace("EUR", "USD")}\n${row}\n`);
  assertStringIncludes(
    (await refusal([good, bad])).message,
    `The currencies differ: EUR in "${good}", USD in "${bad}"`,
  );
  await Deno.remove(bad);
  await Deno.remove(good);
});

Deno.test("importFiles() names no file when there is only one", async () => {
  const dates = `${ADS}\n01/06/2024,C,S,A,1.50,100,90,3,1\n`;
  await assertRejects(
    () => newAccount().importText(dates),
    Refusal,
    'Whether the day or the month comes first in "01/06/2024" cannot be told from this file',
  );
});

Deno.test("importFiles() says what to do when an ad set known by its name was renamed", async () => {
  const account = newAccount();
  const text = (...names: string[]) =>
    "Day,Campaign name,Ad set name,Ad ID,Amount spent (EUR),Impressions,Leads\n" +
    names.map((name, index) => `2024-06-0${index + 1},C,${name},33,1.5,9,1\n`).join("");
  const refusal = async (file: string) =>
    await assertRejects(() => account.importText(file), Refusal);
  const within = await refusal(text("Broad", "Wide"));
  assertStringIncludes(within.message, 'The ad "33" stands in more than one place');
  assertStringIncludes(within.hint ?? "", "export the IDs of campaigns and ad sets too");
  await account.importText(text("Broad"));
  assertEquals((await refusal(text("Wide"))).message, within.message);
  assertEquals((await account.insights()).length, 1);
});

/** Rows of an export by id, one for each `campaign,adset,ad`. */
function idRows(...paths: string[]): string {
  const rows = paths.map((path) => `2024-06-01,${path},1.50,100,1\n`);
  return "Day,Campaign ID,Ad set ID,Ad ID,Amount spent (EUR),Impressions,Leads\n" + rows.join("");
}

Deno.test("importFiles() reads gzip, UTF-16 and old line ends", async () => {
  const text = `${ADS}\r2024-06-01,C,S,Ä,1.50,100,90,3,1\r`;
  const utf16 = new Uint8Array([
    0xff,
    0xfe,
    ...new Uint8Array(Uint16Array.from(text, (sign) => sign.charCodeAt(0)).buffer),
  ]);
  const gzip = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  for (const bytes of [utf16, new Uint8Array(await new Response(gzip).arrayBuffer())]) {
    const account = newAccount();
    assertEquals((await account.importText(bytes)).added, 1);
    assertEquals((await account.insights())[0]?.name, "Ä");
  }
});

Deno.test("importFiles() refuses a file that is no text, no CSV or empty", async () => {
  const account = newAccount();
  const latin1 = Uint8Array.from(
    `${ADS}\n2024-06-01,C,S,\xc4,1.5,1,1,0,0\n`,
    (sign) => sign.charCodeAt(0),
  );
  await assertRejects(() => account.importText(latin1), Refusal, "not text in UTF-8");
  await assertRejects(() => account.importText("PK\x03\x04"), Refusal, "a spreadsheet or a zip");
  await assertRejects(
    () => account.importText(new Uint8Array([0x1f, 0x8b, 8, 0])),
    Refusal,
    "damaged",
  );
  await assertRejects(() => account.importText(""), Refusal, "is empty");
  await assertRejects(() => account.importText(`${ADS}\n`), Refusal, "has no daily rows");
  await assertRejects(() => account.importAll(["/no/such/file"]), Refusal, "There is no such file");
});

Deno.test("importFiles() stores nothing when a file breaks off while its rows are on their way", async () => {
  const account = newAccount();
  const row = (index: number) => `2024-06-01,C,S,${crypto.randomUUID()},${index}.50,100,90,3,1`;
  const text = [ADS, ...Array.from({ length: 5_000 }, (_, index) => row(index))].join("\n");
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  const half = bytes.slice(0, bytes.length / 2);
  await assertRejects(() => account.importText(half), Refusal, "is damaged");
  await assertRejects(
    () => account.importText(`${text}\n2024-06-01,"C`),
    Refusal,
    "Row 5002 opens a quote",
  );
  assertEquals((await account.importText(bytes)).added, 5_000);
});

Deno.test("importFiles() refuses a file whose dates or amounts stay ambiguous until told", async () => {
  const account = newAccount();
  const dates = `${ADS}\n01/06/2024,C,S,A,1.50,100,90,3,1\n`;
  await assertRejects(() => account.importText(dates), Refusal, '"01/06/2024"');
  await account.importText(dates, { conventions: { dates: "dmy" } });
  const amounts = `${ADS}\n2024-06-02,C,S,A,1.500,100,90,3,1\n`;
  await assertRejects(() => account.importText(amounts), Refusal, '"1.500"');
  await account.importText(amounts, { conventions: { decimal: "comma" } });
  assertEquals((await account.insights()).map(({ date, spend }) => [date, spend]), [
    ["2024-06-01", 1.5],
    ["2024-06-02", 1500],
  ]);
});

Deno.test("importFiles() corrects the currency of an account when nothing was imported yet", async () => {
  const { sql, configId, importAll } = newAccount();
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone)
    values (${configId}, 'Adopted', 'USD', 'UTC')`;
  const file = [fixture("export_adsets.csv")];
  await importAll(file, { account: { currency: "EUR" } });
  const [stored] = await sql`select currency from ads.accounts where config_id = ${configId}`;
  assertEquals(stored, { currency: "EUR" });
  await assertRejects(
    () => importAll(file, { account: { currency: "USD" } }),
    Refusal,
    "is in EUR, the import in USD",
  );
});

Deno.test("importFiles() needs a currency for a new account and keeps it", async () => {
  const account = newAccount();
  const file = [fixture("export_adsets.csv")];
  await assertRejects(
    () => account.importAll(file, { account: {} }),
    Refusal,
    "does not say its currency",
  );
  await account.importAll(file, {
    account: { currency: "BRL", timeZone: "America/Sao_Paulo", targetCpl: 12.5 },
  });
  await assertRejects(
    () => account.importAll([fixture("export_en.csv")], { account: {} }),
    Refusal,
    "in BRL",
  );
  await account.importAll(file, { account: {} });
  const [stored] = await account.sql`
    select currency, time_zone, target_cpl from ads.accounts where config_id = ${account.configId}`;
  assertEquals(stored, { currency: "BRL", time_zone: "America/Sao_Paulo", target_cpl: 12.5 });
});

Deno.test("importFiles() refuses a file of another Meta account", async () => {
  const [one, other] = [newAccount(), newAccount()];
  const file = [fixture("export_breakdown.csv")];
  const account = { currency: "EUR", accountId: "77" };
  await assertRejects(
    () => one.importAll(file, { account }),
    Refusal,
    "mixes Meta's accounts 77 and",
  );
  await one.importText(`${ADS}\n2024-06-01,C,S,A,1.50,100,90,3,1\n`, { account });
  await assertRejects(() => one.importAll(file), Refusal, `account ${one.configId} is 77`);
  const text = `${ADS},Account ID\n2024-06-01,C,S,A,1.50,100,90,3,1,77\n`;
  await assertRejects(() => other.importText(text), Refusal, `is account ${one.configId} here`);
});

Deno.test("importFiles() refuses ids where it knows names, and the other way round", async () => {
  const [named, numbered] = [newAccount(), newAccount()];
  const names = `${ADS}\n2024-06-01,C,S,A,1.50,100,90,3,1\n`;
  const ids = "Day,Campaign ID,Ad set ID,Ad ID,Spend,Impressions,Leads\n2024-06-01,1,2,3,1.5,9,1\n";
  await named.importText(names);
  await numbered.importText(ids);
  await assertRejects(() => named.importText(ids), Refusal, "by name, the file by ID");
  await assertRejects(() => numbered.importText(names), Refusal, "by ID, the file by name");
  assertEquals((await named.insights()).length, 1);
});

Deno.test("importFiles() shows an id for a name until a file has the name, and never again", async () => {
  const account = newAccount();
  const bare =
    "Day,Campaign ID,Ad set ID,Ad ID,Spend,Impressions,Leads\n2024-06-01,1,2,3,1.5,9,1\n";
  const names = async () => (await account.entities()).map(({ name }) => name);
  await account.importText(bare);
  assertEquals(await names(), ["1", "2", "3"]);
  await account.importText(
    "Day,Campaign ID,Campaign name,Ad set ID,Ad set name,Ad ID,Ad name,Spend,Impressions,Leads\n" +
      "2024-06-01,1,C,2,S,3,A,1.5,9,1\n",
  );
  await account.importText(bare);
  assertEquals(await names(), ["C", "S", "A"]);
});

Deno.test("importFiles() refuses ids that a spreadsheet rounded", async () => {
  const header = "Day,Campaign ID,Ad set ID,Ad ID,Spend,Impressions,Leads";
  const rounded = "120210000000000000,120211000000000000,120212000000000000";
  const text = `${header}\n2024-06-01,${rounded},1.5,9,1\n`;
  await assertRejects(
    () => newAccount().importText(text),
    Refusal,
    "A spreadsheet rounded the IDs",
  );
  await newAccount().importText(text.replace("2000000000000,", "2000000000417,"));
});

Deno.test("importFiles() refuses an ad that stands in two ad sets", async () => {
  const text = "Day,Campaign ID,Ad set ID,Ad ID,Spend,Impressions,Leads\n" +
    "2024-06-01,1,2,3,1.5,9,1\n2024-06-02,1,4,3,1.5,9,1\n";
  await assertRejects(
    () => newAccount().importText(text),
    Refusal,
    'The ad "3" stands in more than one',
  );
});

Deno.test("importFiles() refuses an ad when an earlier import had it in another ad set", async () => {
  const header = "Day,Campaign ID,Ad set ID,Ad ID,Spend,Impressions,Leads";
  const account = newAccount();
  await account.importText(`${header}\n2024-06-01,1,2,3,1.5,9,1\n`);
  await assertRejects(
    () => account.importText(`${header}\n2024-06-02,1,4,3,1.5,9,1\n`),
    Refusal,
    'The ad "3" stands in more than one',
  );
});

const REAL = fileURLToPath(new URL("../../../shared/data/real", import.meta.url));
const hasReal = await Deno.stat(REAL).then(() => true, () => false);
const MAP_2017 = parseHeaderMap([
  "day=reporting_start",
  "adset_id=fb_campaign_id",
  "leads=approved_conversion",
  "results=total_conversion",
]);

Deno.test("importFiles() remembers how many leads a day had so many days after it", async () => {
  const { configId, sql, importText } = newAccount();
  const file = (leads: number[]) =>
    `${ADS}\n` +
    leads.map((count, day) => `2024-06-0${day + 1},C,S,A,1.50,100,90,3,${count}\n`).join("");
  const at = (day: string) => ({ now: new Date(`2024-${day}T05:00:00Z`) });
  await importText(file([1, 3]), at("06-03"));
  await importText(file([2, 3, 4]), at("06-04"));
  // The same morning once more, with another number; and the first day is older than 28 days.
  await importText(file([2, 3, 5]), at("06-04"));
  await importText(file([2, 4]), at("06-30"));
  assertEquals(
    [
      ...await sql`
        select date, age, leads from ads.leads_seen where config_id = ${configId} order by 1, 2`,
    ].map(({ date, age, leads }) => [date, age, leads]),
    [
      ["2024-06-01", 1, 1],
      ["2024-06-01", 2, 2],
      ["2024-06-02", 0, 3],
      ["2024-06-02", 1, 3],
      ["2024-06-02", 27, 4],
      ["2024-06-03", 0, 5],
    ],
  );
});

Deno.test("importFiles() keeps the totals of the days of every account, whatever it did to them", async () => {
  const { sql } = database;
  const different = await sql`
    select config_id, date, k.spend, k.leads, i.spend as sum_of_spend, i.leads as sum_of_leads
    from ads.account_days k
    full join (
      select
        config_id,
        date,
        sum(spend) as spend,
        sum(impressions) as impressions,
        sum(clicks) as clicks,
        sum(leads) as leads
      from ads.insights
      group by config_id, date
    ) i using (config_id, date)
    where (k.spend, k.impressions, k.clicks, k.leads)
      is distinct from (i.spend, i.impressions, i.clicks, i.leads)`;
  assertEquals([...different], []);
  const [{ days } = { days: 0 }] = await sql<{ days: number }[]>`
    select count(*) as days from ads.account_days`;
  assert(days > 30);
});

Deno.test({
  name: "importFiles() imports real ad sets by day with names in Cyrillic",
  ignore: !hasReal,
  async fn() {
    const account = newAccount();
    const { files: [report] } = await account.importAll([`${REAL}/leads_2024_adset_daily.csv`]);
    assertEquals([report?.rows, report?.days, report?.entities], [273, 79, {
      campaign: 7,
      adset: 19,
      ad: 0,
    }]);
    const [sums] = await account.sql`
      select count(*) as rows, sum(leads) as leads from ads.insights where config_id = ${account.configId}`;
    assertEquals(sums, { rows: 273, leads: 503 });
  },
});

Deno.test({
  name: "importFiles() imports a real file with headers of its own through a map",
  ignore: !hasReal,
  async fn() {
    const account = newAccount();
    const { files: [report] } = await account.importAll([`${REAL}/facebook_2017_repaired.csv`], {
      map: MAP_2017,
    });
    assertEquals([report?.added, report?.entities], [1143, { campaign: 3, adset: 691, ad: 1143 }]);
  },
});

Deno.test({
  name: "importFiles() finds every shifted row of a real file",
  ignore: !hasReal,
  async fn() {
    const account = newAccount();
    const files = [`${REAL}/facebook_2017_as_published.csv`];
    await assertRejects(
      () => account.importAll(files, { map: MAP_2017 }),
      Refusal,
      "382 of the 1143 rows",
    );
    const { files: [report] } = await account.importAll(files, {
      map: MAP_2017,
      skipBadRows: true,
    });
    assertEquals([report?.added, report?.badRowList.map(({ row }) => row)], [
      761,
      Array.from({ length: 382 }, (_, index) => 763 + index),
    ]);
  },
});

Deno.test({
  name: "importFiles() adds up a real breakdown by age and gender from the API",
  ignore: !hasReal,
  async fn() {
    const account = newAccount();
    const { files: [report] } = await account.importAll([`${REAL}/meta_api_2024_age_gender.csv`]);
    assertEquals([report?.rows, report?.added, report?.leadSource], [123, 9, "actions"]);
    const [sums] = await account.sql`
      select sum(impressions) as impressions, count(reach) as reach
      from ads.insights
      where config_id = ${account.configId}`;
    assertEquals(sums, { impressions: 27615, reach: 0 });
  },
});

Deno.test({
  name: "importFiles() refuses the tables of a real warehouse",
  ignore: !hasReal,
  async fn() {
    for await (const { name } of Deno.readDir(`${REAL}/warehouse_fivetran`)) {
      await assertRejects(
        () => newAccount().importAll([`${REAL}/warehouse_fivetran/${name}`]),
        Refusal,
        "This is not a daily Ads Manager export",
      );
    }
  },
});
