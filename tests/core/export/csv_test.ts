import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { detectFormat, RowCutter } from "../../../core/export/csv.ts";
import { Refusal } from "../../../core/refusal.ts";

type Row = { cells: string[]; row: number; isBroken: boolean };

function cut(text: string, pieceLength = text.length || 1): Row[] {
  const rows: Row[] = [];
  const cutter = new RowCutter(
    detectFormat(text, {}),
    (cells, row, isBroken) => rows.push({ cells, row, isBroken }),
  );
  for (let start = 0; start < text.length; start += pieceLength) {
    cutter.push(text.slice(start, start + pieceLength));
  }
  cutter.end();
  return rows;
}

const rowsOf = (text: string, pieceLength?: number) =>
  cut(text, pieceLength).map(({ cells }) => cells);

Deno.test("detectFormat() finds the delimiter under which headers are known", () => {
  assertEquals(detectFormat("Day,Campaign name\n", {}), { delimiter: ",", newline: "\n" });
  assertEquals(detectFormat("Tag;Kampagnenname\r\n", {}), { delimiter: ";", newline: "\r\n" });
  assertEquals(detectFormat("Jour\tImpressions\r", {}), { delimiter: "\t", newline: "\r" });
  assertEquals(detectFormat("Day;a,b,c,d;Spend", {}).delimiter, ";");
  assertEquals(detectFormat("x;a,b,c;y", { day: "x", spend: "y" }).delimiter, ";");
});

Deno.test("RowCutter keeps quotes, delimiters and line breaks when they are inside quotes", () => {
  const text = 'Day,Ad name\n1,"a, ""b"""\n2,"two\nlines"\n';
  assertEquals(rowsOf(text), [["Day", "Ad name"], ["1", 'a, "b"'], ["2", "two\nlines"]]);
});

Deno.test("RowCutter leaves short and long rows as they are", () => {
  assertEquals(rowsOf("Day,Spend,Reach\n1,2\n\n1,2,3,4"), [
    ["Day", "Spend", "Reach"],
    ["1", "2"],
    [""],
    ["1", "2", "3", "4"],
  ]);
});

Deno.test("RowCutter numbers rows and reports text behind a closing quote", () => {
  const rows = cut('Day,Ad\n1,2\n"a"b",3\n4,5\n', 7);
  assertEquals(rows.map(({ row, isBroken }) => [row, isBroken]), [
    [1, false],
    [2, false],
    [3, true],
    [4, false],
  ]);
});

Deno.test("RowCutter refuses a file when a quote is never closed", () => {
  assertThrows(() => cut('Day,Ad\n1,"open\n2,3\n'), Refusal, "Row 2 opens a quote");
});

Deno.test("RowCutter cuts the same rows wherever the pieces end", () => {
  const cell = fc.stringMatching(/^[a-c ";,\n]{0,6}$/);
  const table = fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(table, fc.integer({ min: 1, max: 9 }), (rows, pieceLength) => {
    const quoted = rows.map((row) =>
      row.map((text) => `"${text.replaceAll('"', '""')}"`).join(",")
    );
    const text = ["Day,Ad name", ...quoted].join("\n") + "\n";
    assertEquals(rowsOf(text, pieceLength).slice(1), rows);
  }));
});
