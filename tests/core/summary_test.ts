import { assertEquals } from "@std/assert";
import { summaryLines, type Verdict } from "../../core/summary.ts";

const CONTEXT = { account: "Example", currency: "EUR", asOf: "2026-03-01", reference: 20 };

function verdict(name: string, values: Partial<Verdict>): Verdict {
  return {
    name,
    campaign: null,
    tier: "MODERATE",
    confidence: 0.5,
    cpl: 18,
    spend: 100,
    ...values,
  };
}

Deno.test("summaryLines() counts tiers per level and names the best and the worst", () => {
  const campaign = [
    verdict("steady", {}),
    verdict("sure loser", { tier: "UNDERPERFORMER", confidence: 0.9, cpl: null }),
    verdict("unsure winner", { tier: "HIGH_PERFORMER", confidence: 0.6, cpl: 10 }),
    verdict("unsure loser", { tier: "UNDERPERFORMER", confidence: 0.6, cpl: 44.4 }),
    verdict("sure winner", { tier: "HIGH_PERFORMER", confidence: 0.998, cpl: 9.5, spend: 1234.5 }),
  ];
  const ad = [verdict("only ad", { campaign: "steady" })];
  assertEquals(summaryLines(CONTEXT, { campaign, adset: [], ad }), [
    "Example, 7 days to 2026-03-01, in EUR. Reference CPL 20.00",
    "",
    "              HIGH_PERFORMER  MODERATE  LOW  UNDERPERFORMER",
    "campaigns                  2         1    0               2",
    "ad sets                    0         0    0               0",
    "ads                        0         1    0               0",
    "",
    "                                                    spend     CPL  tier (confidence)",
    "Best campaigns",
    "  sure winner                                     1234.50    9.50  HIGH_PERFORMER (>99 %)",
    "  unsure winner                                    100.00   10.00  HIGH_PERFORMER (60 %)",
    "Worst campaigns",
    "  sure loser                                       100.00    none  UNDERPERFORMER (90 %)",
    "  unsure loser                                     100.00   44.40  UNDERPERFORMER (60 %)",
    "Best ads",
    "  only ad                                          100.00   18.00  MODERATE (50 %)  in steady",
  ]);
});

Deno.test("summaryLines() says so when there is nothing to compare with", () => {
  const [first] = summaryLines({ ...CONTEXT, reference: null }, {
    campaign: [],
    adset: [],
    ad: [],
  });
  assertEquals(first, "Example, 7 days to 2026-03-01, in EUR. There is no lead to compare with");
});

Deno.test("summaryLines() shortens a long name", () => {
  const name = "x".repeat(80);
  const lines = summaryLines(CONTEXT, { campaign: [verdict(name, {})], adset: [], ad: [] });
  assertEquals(lines.at(-1), `  ${"x".repeat(44)}…    100.00   18.00  MODERATE (50 %)`);
});
