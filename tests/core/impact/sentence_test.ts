import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Impact, MetricChange } from "../../../core/impact/analyze.ts";
import { impactAdvice, impactSentence, missingSentence } from "../../../core/impact/sentence.ts";

const CPL: MetricChange = {
  metric: "cpl",
  before: 10,
  after: 7,
  expected: 10,
  pct_change: -30,
  interval: { low: -44, high: -12.4 },
  p_value: 0.003,
  adjusted_p_value: 0.003,
  is_significant: true,
  confidence: 0.997,
  effect_size: -1,
};

const impact = (changes: Partial<Impact> = {}, cpl: Partial<MetricChange> = {}): Impact => ({
  verdict: "positive",
  metrics: [{ ...CPL, ...cpl }],
  control: {
    kind: "siblings",
    siblings: 3,
    others: 7,
    pct_change: 0,
    interval: { low: -5, high: 5 },
  },
  ...changes,
});

const ADSET = { entityType: "adset", name: "Parents" } as const;
const changed = {
  changed: ADSET,
  measured: ADSET,
  changeType: "budget_change",
  smallPercent: 10,
} as const;

Deno.test("impactSentence() tells effect, interval and control", () => {
  assertEquals(
    impactSentence(impact(), changed),
    "The CPL of ad set “Parents” is 30 % lower than it would have been (95 % sure: 44 % lower to " +
      "12 % lower), compared with 3 ad sets beside it that were not changed.",
  );
});

Deno.test("impactSentence() tells that it cannot tell", () => {
  assertEquals(
    impactSentence(
      impact(
        { verdict: "inconclusive", control: { ...impact().control, kind: "account", others: 1 } },
        { interval: { low: -20, high: 9.96 } },
      ),
      changed,
    ),
    "It cannot be told what became of the CPL of ad set “Parents”: anything from 20 % lower to " +
      "10.0 % higher than it would have been is possible, compared with one ad set of the account " +
      "that was not changed.",
  );
});

Deno.test("impactSentence() tells of a pause what became of what is above it, and of no control", () => {
  assertEquals(
    impactSentence(
      impact({ verdict: "negative", control: { ...impact().control, kind: "none" } }, {
        pct_change: 50,
        interval: { low: 5, high: 1200 },
      }),
      { ...changed, measured: { entityType: "account", name: "" }, changeType: "pause" },
    ),
    "After ad set “Parents” was paused, the CPL of the account is 50 % higher than it would have " +
      "been (95 % sure: 5.0 % higher to more than 1000 % higher), although nothing unchanged could " +
      "be compared with, so that all that weeks usually do is allowed for.",
  );
});

Deno.test("impactSentence() says once what no lead at all says", () => {
  const sentence = impactSentence(
    impact({ verdict: "negative" }, { pct_change: 9000, interval: { low: 1100, high: 1e6 } }),
    changed,
  );
  assertStringIncludes(sentence, "(95 % sure: more than 1000 % higher)");
});

Deno.test("impactAdvice() says from when on more is known", () => {
  assertEquals(
    impactAdvice("inconclusive", "pause", "2026-03-20"),
    "Leave it paused until more is known: after 2026-03-20 a longer window may tell more.",
  );
  assertEquals(impactAdvice("positive", "creative_change", "2026-03-20"), "Keep the change.");
  assertEquals(
    impactAdvice("inconclusive", "budget_change", null),
    "Wait before you judge the change; this account has too few leads, or moves too much, to tell.",
  );
});

Deno.test("missingSentence() says which side has too little", () => {
  assertEquals(
    missingSentence({ what: "days_before", days: 2, of: 7 }, ADSET),
    "Ad set “Parents” delivered on 2 of the 7 days before the change, and an analysis takes 3: " +
      "there is too little data",
  );
  assertEquals(
    missingSentence({ what: "leads", days: 0, of: 0 }, { entityType: "account", name: "" }),
    "There are no leads before the change that the CPL of the account could be compared with",
  );
  assertEquals(
    missingSentence({ what: "spend", days: 0, of: 0 }, ADSET),
    "Ad set “Parents” spent nothing after the change: no lead has a cost then",
  );
});
