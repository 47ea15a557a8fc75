import { assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../../core/refusal.ts";
import { readSeriesFile } from "../../forecast_file.ts";

const HEADER = "series_id,parent_id,date,y";

function read(...rows: string[]) {
  return readSeriesFile([HEADER, ...rows].join("\n") + "\n");
}

function assertRefused(rows: string[], message: string): void {
  assertThrows(() => read(...rows), Refusal, message);
}

Deno.test("readSeriesFile() puts rows in any order on the days they are of", () => {
  assertEquals(read("a,top,2026-01-03,1.5", "top,,2026-01-01,4", "a,top,2026-01-01,"), {
    firstDay: "2026-01-01",
    series: [
      { id: "a", parentId: "top", values: [null, null, 1.5] },
      { id: "top", parentId: null, values: [4, null, null] },
    ],
    missingParents: [],
  });
});

Deno.test("readSeriesFile() reads columns in any order, quotes, a BOM and Windows line breaks", () => {
  const text = '\uFEFFdate,Y,series_id,parent_id,more\r\n2026-01-01,1e2,"a, b",,x\r\n\r\n';
  assertEquals(readSeriesFile(text).series, [{ id: "a, b", parentId: null, values: [100] }]);
});

Deno.test("readSeriesFile() puts children of a parent without rows at the top", () => {
  const { series, missingParents } = read("a,top,2026-01-01,1");
  assertEquals(series, [{ id: "a", parentId: null, values: [1] }]);
  assertEquals(missingParents, ["top"]);
});

Deno.test("readSeriesFile() says which row is wrong, and how", () => {
  const good = "a,,2026-01-01,1";
  assertThrows(
    () => readSeriesFile("series_id,date,y\n"),
    Refusal,
    'Row 1 has no column "parent_id"',
  );
  assertRefused([], "The file has no rows of series");
  assertRefused([good, ",,2026-01-02,1"], "Row 3 has no series_id");
  assertRefused([good, "a,,2026-02-30,1"], 'Row 3 has the date "2026-02-30"');
  assertRefused([good, "a,,2026-01-02,many"], 'Row 3 has the y "many", which is no number');
  assertRefused([good, "a,,2026-01-02,NaN"], 'Row 3 has the y "NaN", which is no number');
  assertRefused([good, "a,,2026-01-02,1,5"], "Row 3 has 5 cells, the first row has 4");
  assertRefused([good, good], 'Row 3 tells of "a" on 2026-01-01 once more');
  assertRefused([good, "a,b,2026-01-02,1"], 'Row 3 puts "a" below "b", row 2 at the top');
  assertRefused(
    ["a,b,2026-01-01,1", "b,a,2026-01-01,1"],
    'Row 2 puts "a" below itself, through its parents',
  );
  assertRefused([good, 'a,,2026-01-02,"1'], "Row 3 opens a quote that is never closed");
});
