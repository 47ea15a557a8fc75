import { assertEquals } from "@std/assert";
import type { Outstanding, Standing } from "../../core/standing.ts";
import { type SummaryAdvice, summaryLines } from "../../core/summary.ts";

const CONTEXT = { account: "Example", currency: "EUR", asOf: "2026-03-01", reference: 20 };

const ADVICE: SummaryAdvice[] = [
  {
    title: "Pause campaign “sure loser”",
    confidence_score: 0.998,
    entity_type: "campaign",
    campaign_name: "sure loser",
  },
  {
    title: "Test a variant of ad “only ad”",
    confidence_score: 0.58,
    entity_type: "ad",
    campaign_name: "spring",
  },
];

const NOTHING: Standing = {
  counts: { HIGH_PERFORMER: 0, MODERATE: 0, LOW: 0, UNDERPERFORMER: 0 },
  best: [],
  worst: [],
};

function outstanding(values: Partial<Outstanding>): Outstanding {
  return {
    entity_id: "1",
    name: "one",
    campaign_name: "spring",
    tier: "MODERATE",
    confidence_score: 0.5,
    cpl_7d: 18,
    spend_7d: 100,
    ...values,
  };
}

Deno.test("summaryLines() shows the tiers of each level, the best and the worst", () => {
  const campaign = {
    counts: { HIGH_PERFORMER: 2, MODERATE: 1, LOW: 0, UNDERPERFORMER: 12 },
    best: [
      outstanding({
        name: "sure winner",
        tier: "HIGH_PERFORMER",
        confidence_score: 0.998,
        cpl_7d: 9.5,
        spend_7d: 1234.5,
      }),
      outstanding({ name: "unsure winner", tier: "HIGH_PERFORMER", confidence_score: 0.604 }),
    ],
    worst: [
      outstanding({
        name: "sure loser",
        tier: "UNDERPERFORMER",
        confidence_score: 0.9,
        cpl_7d: null,
      }),
    ],
  };
  const ad = {
    counts: { ...NOTHING.counts, MODERATE: 1 },
    best: [outstanding({ name: "only ad" })],
    worst: [],
  };
  assertEquals(summaryLines(CONTEXT, { campaign, adset: NOTHING, ad }, ADVICE), [
    "Example, 7 days to 2026-03-01, in EUR. Reference CPL 20.00",
    "",
    "              HIGH_PERFORMER  MODERATE  LOW  UNDERPERFORMER",
    "campaigns                  2         1    0              12",
    "ad sets                    0         0    0               0",
    "ads                        0         1    0               0",
    "",
    "                                                    spend     CPL  tier (confidence)",
    "Best campaigns",
    "  sure winner                                     1234.50    9.50  HIGH_PERFORMER (>99 %)",
    "  unsure winner                                    100.00   18.00  HIGH_PERFORMER (60 %)",
    "Worst campaigns",
    "  sure loser                                       100.00    none  UNDERPERFORMER (90 %)",
    "Best ads",
    "  only ad                                          100.00   18.00  MODERATE (50 %)  in spring",
    "",
    "What to do first",
    "  Pause campaign “sure loser” (>99 % sure)",
    "  Test a variant of ad “only ad” (58 % sure)  in spring",
  ]);
});

Deno.test("summaryLines() says so when there is nothing to compare with", () => {
  const [first] = summaryLines({ ...CONTEXT, reference: null }, {
    campaign: NOTHING,
    adset: NOTHING,
    ad: NOTHING,
  }, []);
  assertEquals(first, "Example, 7 days to 2026-03-01, in EUR. There is no lead to compare with");
});

Deno.test("summaryLines() shortens a long name", () => {
  const campaign = { ...NOTHING, best: [outstanding({ name: "x".repeat(80) })] };
  const lines = summaryLines(CONTEXT, { campaign, adset: NOTHING, ad: NOTHING }, []);
  assertEquals(lines.at(-1), `  ${"x".repeat(44)}…    100.00   18.00  MODERATE (50 %)`);
});
