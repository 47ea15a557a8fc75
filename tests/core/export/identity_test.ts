import { assertEquals, assertNotEquals } from "@std/assert";
import { findColumns } from "../../../core/export/columns.ts";
import { Paths } from "../../../core/export/identity.ts";
import { readExport } from "./read_export.ts";

const NAMED = "Day,Campaign name,Ad set name,Ad name,Spend,Impressions,Leads";

const idsOf = (text: string) =>
  readExport(text).entities.map((entity) => [entity.entityType, entity.entityId]).sort();

Deno.test("Paths makes two ads when the same name stands in two ad sets", () => {
  const ids = idsOf(`${NAMED}\n2024-06-01,C,S1,A,1.5,9,1\n2024-06-01,C,S2,A,1.5,9,1\n`);
  assertEquals(ids.map(([level]) => level), ["ad", "ad", "adset", "adset", "campaign"]);
  assertEquals(new Set(ids.map(([, id]) => id)).size, 5);
});

Deno.test("Paths gives a path of names the same identifier for ever", () => {
  assertEquals(idsOf(`${NAMED}\n2024-06-01,Café,S,A,1.5,9,1\n`), [
    ["ad", "name:f0cd72598bb06436"],
    ["adset", "name:b1254c21b4f5b098"],
    ["campaign", "name:73473dcc12b76308"],
  ]);
});

Deno.test("Paths ignores how an accent is encoded and blanks around a name", () => {
  const composed = idsOf(`${NAMED}\n2024-06-01,Caf\u00e9,S,A,1.5,9,1\n`);
  assertEquals(idsOf(`${NAMED}\n2024-06-01, Cafe\u0301 ,S,A,1.5,9,1\n`), composed);
  assertNotEquals(idsOf(`${NAMED}\n2024-06-01,Cafe,S,A,1.5,9,1\n`), composed);
});

Deno.test("Paths does not mix up names when they hold each other's separators", () => {
  const one = idsOf(`${NAMED}\n2024-06-01,a / b,c,A,1.5,9,1\n`);
  const other = idsOf(`${NAMED}\n2024-06-01,a,b / c,A,1.5,9,1\n`);
  assertNotEquals(one, other);
});

Deno.test("Paths takes the identifiers of the file where it has them", () => {
  const { entities } = readExport(
    "Day,Campaign ID,Ad set ID,Ad set name,Ad ID,Spend,Impressions,Leads\n" +
      "2024-06-01,11,22,Broad,33,1.5,9,1\n2024-06-03,11,22,Wide,33,1.5,9,1\n",
  );
  const ads = entities.filter(({ entityType }) => entityType === "ad");
  assertEquals(
    ads.map(({ entityId, adsetId, campaignId, key }) => [entityId, adsetId, campaignId, key]),
    [
      ["33", "22", "11", "33"],
      ["33", "22", "11", "33"],
    ],
  );
  const adsets = entities.filter(({ entityType }) => entityType === "adset");
  assertEquals(adsets.map(({ name, latest }) => [name, latest]), [
    ["Broad", "2024-06-01"],
    ["Wide", "2024-06-03"],
  ]);
  assertEquals(entities.find(({ entityType }) => entityType === "campaign")?.name, null);
});

Deno.test("Paths describes whole ad sets when the file names no ads", () => {
  const { entities } = readExport(
    "Day,Campaign name,Ad set name,Spend,Impressions,Leads\n2024-06-01,C,S,1.5,9,1\n",
  );
  assertEquals(entities.map(({ entityType, key }) => [entityType, key !== null]), [
    ["adset", true],
    ["campaign", false],
  ]);
});

Deno.test("Paths knows nothing of entities when all their rows are bad", () => {
  assertEquals(readExport(`${NAMED}\n2024-06-01,C,S,A,-1.5,9,1\n`).entities, []);
});

Deno.test("Paths grows with different descriptions only, and can be emptied in between", () => {
  const { columns } = findColumns(["Campaign name", "Ad set name", "Ad name"], {});
  const paths = new Paths(columns, "point");
  const see = (name: string, day: string) => {
    const path = paths.find(["C", "S", name]);
    path.latest = day;
    return path.key;
  };
  const first = see("A", "2024-06-01");
  const { size } = paths;
  see("A", "2024-06-02");
  assertEquals(paths.size, size);
  see("B", "2024-06-01");
  assertEquals(paths.size > size && paths.size < 2 * size, true);
  const latest = () =>
    [...paths.drain()].map((entity) => [entity.entityType, entity.name, entity.latest]);
  assertEquals(latest(), [
    ["ad", "A", "2024-06-02"],
    ["ad", "B", "2024-06-01"],
    ["adset", "S", "2024-06-02"],
    ["campaign", "C", "2024-06-02"],
  ]);
  assertEquals([paths.size, latest()], [0, []]);
  assertEquals(see("A", "2024-06-03"), first);
});
