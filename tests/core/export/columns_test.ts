import { assertEquals, assertThrows } from "@std/assert";
import { findColumns, parseHeaderMap, requireColumns } from "../../../core/export/columns.ts";
import { recognizeHeader } from "../../../core/export/fields.ts";
import { Refusal } from "../../../core/refusal.ts";

Deno.test("recognizeHeader() knows headers in five languages whatever their case and accents", () => {
  const spend = [
    "Amount spent (USD)",
    "VALOR USADO (BRL)",
    "Importe gastado (EUR)",
    "Ausgegebener Betrag (CHF)",
    "Montant depense (EUR)",
    "spend",
  ];
  for (const header of spend) assertEquals(recognizeHeader(header).field, "spend", header);
  assertEquals(recognizeHeader("Montant dépensé (EUR)").currency, "EUR");
  assertEquals(recognizeHeader("Nom de l’ensemble de publicités").field, "adset_name");
  assertEquals(recognizeHeader("adset_name").field, "adset_name");
  assertEquals(recognizeHeader("Link-Klicks").field, "link_clicks");
  assertEquals(recognizeHeader("Cost per lead (USD)").field, null);
});

Deno.test("recognizeHeader() takes (ALL) for all clicks, not for a currency", () => {
  assertEquals(recognizeHeader("CLICKS (ALL)"), { field: "clicks", currency: null });
});

Deno.test("findColumns() lets a mapped header win over the known ones", () => {
  const map = parseHeaderMap(["adset_id=fb_campaign_id", "day = reporting_start"]);
  const { columns } = findColumns(
    ["reporting_start", "Campaign ID", "FB_Campaign_ID", "Ad set ID"],
    map,
  );
  assertEquals(columns, { day: 0, campaign_id: 1, adset_id: 2 });
});

Deno.test("findColumns() refuses two columns for one field, but only drops a doubtful cross-check", () => {
  assertThrows(
    () => findColumns(["Day", "Date"], {}),
    Refusal,
    '"Day" and "Date" both stand for "Day"',
  );
  assertEquals(findColumns(["CTR", "CTR (all)"], {}).columns, {});
  assertEquals(findColumns(["Day", "Date"], { day: "Date" }).columns, { day: 1 });
});

Deno.test("findColumns() refuses a mapped header when the file does not have it", () => {
  assertThrows(
    () => findColumns(["Day"], { spend: "Cost" }),
    Refusal,
    'The file has no column "Cost"',
  );
});

Deno.test("findColumns() refuses amounts in several currencies", () => {
  const header = ["Amount spent (USD)", "Campaign budget (EUR)"];
  assertThrows(() => findColumns(header, {}), Refusal, "USD, EUR");
});

Deno.test("requireColumns() names what is missing and what the file has instead", () => {
  const header = findColumns(["ad_id", "date", "impressions", "spend"], {});
  assertThrows(
    () => requireColumns(header),
    Refusal,
    '"Campaign name", "Ad set name" among "ad_id"',
  );
});

Deno.test("requireColumns() takes Reporting starts for the day only beside Reporting ends", () => {
  const rest = ["Campaign name", "Ad set name", "Spend", "Impressions"];
  requireColumns(findColumns(["Reporting starts", "Reporting ends", ...rest], {}));
  assertThrows(
    () => requireColumns(findColumns(["Reporting starts", ...rest], {})),
    Refusal,
    '"Day"',
  );
});

Deno.test("parseHeaderMap() refuses unknown fields and other forms", () => {
  assertThrows(() => parseHeaderMap(["cost=Spend"]), Refusal, 'the unknown field "cost"');
  assertThrows(() => parseHeaderMap(["spend"]), Refusal, "field=header");
  assertThrows(() => parseHeaderMap(["toString=x"]), Refusal, "unknown field");
});
