import { assertEquals, assertMatch } from "@std/assert";
import { readExport } from "./read_export.ts";

const HEADER = "Day,Campaign name,Ad set name,Ad name,Spend,Impressions,Reach,Clicks,Leads";

/** The reason why the one row is bad. */
function reasonFor(row: string, header = HEADER): string | undefined {
  return readExport(`${header}\n${row}\n`, { conventions: { decimal: "point", dates: "iso" } })
    .bad[0]?.[1];
}

Deno.test("RowReader reads a row and takes empty counts for nothing", () => {
  const { insights, bad } = readExport(`${HEADER}\n2024-06-01,C,S,A,1.5,100,,3,\n`);
  assertEquals(bad, []);
  const [{ path: _, ...row } = { path: null }] = insights;
  assertEquals(row, {
    day: "2024-06-01",
    spend: 1.5,
    impressions: 100,
    reach: null,
    clicks: 3,
    linkClicks: null,
    leads: 0,
    conversions: 0,
  });
});

Deno.test("RowReader drops summary rows and skips blank ones", () => {
  const text = `${HEADER}\n,,,,99.5,1000,900,50,7\n\n,,,,,,,,\n2024-06-01,C,S,A,1.5,100,90,3,1\n`;
  const { insights, summaryRows, bad } = readExport(text);
  assertEquals([insights.length, summaryRows, bad], [1, 1, []]);
});

Deno.test("RowReader gives the reason when a row is bad", () => {
  const cases: [row: string, reason: RegExp][] = [
    ["2024-06-01,C,S,A,1.5,100,90,3", /^8 cells instead of 9$/],
    ["2024-06-01,C,S,A,1.5,100,90,3,1,9", /^10 cells instead of 9$/],
    ["2024-06-31,C,S,A,1.5,100,90,3,1", /^"2024-06-31" is not a day \(YYYY-MM-DD\)$/],
    ["1999-06-01,C,S,A,1.5,100,90,3,1", /before Meta's first ad/],
    ["2199-06-01,C,S,A,1.5,100,90,3,1", /in the future/],
    [",C,S,A,1.5,100,90,3,1", /^no day$/],
    ["2024-06-01,C,S,,1.5,100,90,3,1", /^no ad name$/],
    ["2024-06-01,C,S,A,-1.5,100,90,3,1", /^negative amount spent: -1.5$/],
    ["2024-06-01,C,S,A,1.5,-100,90,3,1", /^negative impressions/],
    ["2024-06-01,C,S,A,1.5,100.5,90,3,1", /not a whole number/],
    ["2024-06-01,C,S,A,M,100,90,3,1", /^amount spent of "M", not a number$/],
    ["2024-06-01,C,S,A,1.5,100,90,200,1", /^200 clicks on 100 impressions$/],
    ["2024-06-01,C,S,A,1.5,100,300,3,1", /^a reach of 300 with 100 impressions$/],
    ["2024-06-01,C,S,A,1.5,9000000000,90,3,1", /9000000000 impressions on one day/],
  ];
  for (const [row, reason] of cases) assertMatch(reasonFor(row) ?? "no reason", reason, row);
});

Deno.test("RowReader accepts what Meta itself reports when counts differ a little", () => {
  assertEquals(reasonFor("2024-06-01,C,S,A,1.5,3,3,4,1"), undefined);
  assertEquals(reasonFor("2024-06-01,C,S,A,1.5,1000,1000,1040,1"), undefined);
  assertEquals(reasonFor("2024-06-01,C,S,A,1.5,100,90,3,1,,"), undefined);
});

Deno.test("RowReader refuses identifiers that a spreadsheet rounded or that are no numbers", () => {
  const header = "Day,Campaign ID,Ad set ID,Ad ID,Spend,Impressions,Clicks,Leads";
  assertMatch(reasonFor("2024-06-01,1.20253E+17,2,3,1.5,9,1,1", header) ?? "", /lost its digits/);
  assertMatch(reasonFor("2024-06-01,45-49,2,3,1.5,9,1,1", header) ?? "", /campaign ID "45-49"/);
  assertMatch(reasonFor("2024-06-01,1,2,,1.5,9,1,1", header) ?? "", /^no ad ID$/);
  assertEquals(reasonFor("2024-06-01,1,2,120210000000002417,1.5,9,1,1", header), undefined);
});

Deno.test("RowReader refuses a total over a period", () => {
  const header =
    "Reporting starts,Reporting ends,Campaign name,Ad set name,Spend,Impressions,Leads";
  assertEquals(
    reasonFor("2024-06-01,2024-06-30,C,S,1.5,9,1", header),
    "a total from 2024-06-01 to 2024-06-30, not one day",
  );
  assertEquals(reasonFor("2024-06-01,2024-06-01,C,S,1.5,9,1", header), undefined);
});

Deno.test("RowReader refuses numbers that contradict the ratios beside them", () => {
  const header = `${HEADER},CTR (all),CPC (all),Frequency`;
  const row = "2024-06-01,C,S,A,10,1000,500,20,1";
  assertEquals(reasonFor(`${row},2.0,0.5,2.0`, header), undefined);
  assertEquals(reasonFor(`${row},0.02,,`, header), undefined);
  assertEquals(
    reasonFor(`${row},9.1,,`, header),
    "a CTR (all) of 9.1 where the other columns give 2.00",
  );
  assertMatch(reasonFor(`${row},,7.5,`, header) ?? "", /CPC/);
  assertMatch(reasonFor(`${row},,,8`, header) ?? "", /frequency of 8/);
});

Deno.test("RowReader refuses a row when its account or currency is another one", () => {
  const header = `${HEADER},Account ID,Currency`;
  const rows = "2024-06-01,C,S,A,1,9,9,1,1,act_12,USD\n2024-06-01,C,S,B,1,9,9,1,1,13,USD";
  const { bad } = readExport(`${header.replace("Spend", "Amount spent (USD)")}\n${rows}\n`);
  assertEquals(bad, [[3, "account 13, while the rows before are of account 12"]]);
  assertMatch(reasonFor("2024-06-01,C,S,A,1,9,9,1,1,12,EUR", header) ?? "", /an amount in EUR/);
});

Deno.test("RowReader counts a result as a lead only when its indicator says so", () => {
  const header = "Day,Campaign name,Ad set name,Spend,Impressions,Results,Result indicator";
  const { insights } = readExport(
    `${header}\n2024-06-01,C,S,1.5,99,3,actions:lead\n2024-06-02,C,S,1,9,4,actions:link_click\n`,
  );
  assertEquals(insights.map(({ leads, conversions }) => [leads, conversions]), [[3, 3], [0, 4]]);
});

Deno.test("RowReader takes link clicks for clicks when the file has no others", () => {
  const header = "Day,Campaign name,Ad set name,Spend,Impressions,Link clicks,Leads";
  const [row] = readExport(`${header}\n2024-06-01,C,S,1.5,99,3,1\n`).insights;
  assertEquals([row?.clicks, row?.linkClicks], [3, 3]);
});
