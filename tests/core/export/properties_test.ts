import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { allFields, englishHeader } from "../../../core/export/fields.ts";
import { Refusal } from "../../../core/refusal.ts";
import { readExport } from "./read_export.ts";

const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
const toCsv = (rows: string[][]) => rows.map((row) => row.map(quote).join(",")).join("\n") + "\n";

const header = fc.oneof(
  fc.constantFrom(...allFields().map(englishHeader), "Amount spent (USD)", "Age"),
  fc.string({ maxLength: 10 }),
);
const cell = fc.oneof(
  fc.constantFrom(
    "2024-06-01",
    "17/08/2017",
    "1.234",
    "1,5",
    "-",
    "-3",
    "1.2E+17",
    "45-49",
    "",
    "[]",
  ),
  fc.nat().map(String),
  fc.string({ unit: "grapheme", maxLength: 12 }),
);

Deno.test("reading an export throws nothing but a Refusal when the file is anything at all", () => {
  const table = fc.integer({ min: 1, max: 12 }).chain((width) =>
    fc.tuple(
      fc.array(header, { minLength: width, maxLength: width }),
      fc.array(fc.array(cell, { minLength: width - 1, maxLength: width }), { maxLength: 6 }),
    )
  );
  const file = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    table.map(([head, rows]) => toCsv([head, ...rows])),
    table.map(([, rows]) =>
      toCsv([["Day", "Campaign", "Adset", "Spend", "Impressions", "Leads"], ...rows])
    ),
  );
  fc.assert(
    fc.property(file, (text) => {
      try {
        readExport(text, { pieceLength: 17 });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

const HEADERS = [
  "Day",
  "Campaign name",
  "Ad set name",
  "Ad name",
  "Amount spent (USD)",
  "Impressions",
  "Clicks (all)",
  "Leads",
  "Campaign delivery",
];

const row = fc.tuple(
  fc.constantFrom("2024-06-01", "2024-06-02", "2024-06-15"),
  fc.constantFrom("C1", "C2"),
  fc.constantFrom("S1", "S2"),
  fc.constantFrom("A1", "A,2"),
  fc.nat(9_999).map((cents) => (cents / 100).toFixed(2)),
  fc.integer({ min: 50, max: 5000 }).map(String),
  fc.nat(50).map(String),
  fc.constantFrom("", "1", "7"),
  fc.constantFrom("active", "inactive"),
);

Deno.test("reading an export gives the same when its rows and columns are in another order", () => {
  const shuffled = fc.array(row, { minLength: 1, maxLength: 12 }).chain((rows) =>
    fc.record({
      rows: fc.constant(rows),
      rowOrder: fc.shuffledSubarray([...rows.keys()], { minLength: rows.length }),
      columnOrder: fc.shuffledSubarray([...HEADERS.keys()], { minLength: HEADERS.length }),
    })
  );
  fc.assert(fc.property(shuffled, ({ rows, rowOrder, columnOrder }) => {
    const reordered = [HEADERS, ...rowOrder.map((index) => rows[index] ?? [])].map((cells) =>
      columnOrder.map((index) => cells[index] ?? "")
    );
    assertEquals(summary(toCsv(reordered)), summary(toCsv([HEADERS, ...rows])));
  }));
});

/** Everything that reaches the database, in an order of its own. */
function summary(text: string): string[] {
  const { insights, entities, bad } = readExport(text);
  const facts = [
    ...insights.map(({ path, ...insight }) => ({ key: path.key, ...insight })),
    ...entities,
    ...bad,
  ];
  return facts.map((fact) => JSON.stringify(fact)).sort();
}
