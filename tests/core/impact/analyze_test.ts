import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { analyzeChange, type Impact, type Question } from "../../../core/impact/analyze.ts";
import { CHANGE_DAY, KNOWN, LAST_DAY, member, USUAL } from "./members.ts";

function ask(question: Partial<Question>) {
  return analyzeChange({
    members: [member("1"), member("2"), member("3"), member("4")],
    changeDay: CHANGE_DAY,
    lastDay: LAST_DAY,
    windowBefore: 7,
    known: KNOWN,
    smallPercent: 10,
    ...question,
  });
}

function analyze(question: Partial<Question>): Impact {
  const impact = ask(question);
  if ("missing" in impact) throw new Error(JSON.stringify(impact));
  return impact;
}

const siblings = ["2", "3", "4"].map((id) => member(id));
const after = (leads: number, spend = 100) => (day: number) =>
  day > CHANGE_DAY ? { ...USUAL, leads, spend } : USUAL;

Deno.test("analyzeChange() finds a CPL that fell, against siblings that stayed", () => {
  const { verdict, metrics, control } = analyze({ members: [member("1", after(16)), ...siblings] });
  assertEquals(verdict, "positive");
  const [cpl, leads] = metrics;
  assertEquals([cpl?.metric, cpl?.before, cpl?.after], ["cpl", 10, 6.25]);
  assertAlmostEquals(cpl?.pct_change ?? 0, -37.5, 1.5);
  assertAlmostEquals(leads?.pct_change ?? 0, 60, 3);
  assert((cpl?.interval.high ?? 0) < 0 && (cpl?.p_value ?? 1) < 0.01);
  assert((cpl?.effect_size ?? 0) < 0);
  assertEquals([control.kind, control.siblings, control.others], ["siblings", 3, 0]);
});

Deno.test("analyzeChange() finds a CPL that rose", () => {
  const { verdict, metrics } = analyze({ members: [member("1", after(4)), ...siblings] });
  assertEquals(verdict, "negative");
  assertAlmostEquals(metrics[0]?.pct_change ?? 0, 150, 15);
});

Deno.test("analyzeChange() does not take for an effect what all siblings did", () => {
  const members = ["1", "2", "3", "4"].map((id) => member(id, after(6)));
  const { verdict, metrics, control } = analyze({ members });
  assertEquals(verdict, "inconclusive");
  assertAlmostEquals(metrics[0]?.pct_change ?? 99, 0, 12);
  assertAlmostEquals(control.pct_change, 100 * (10 / 6 - 1), 25);
});

Deno.test("analyzeChange() leaves the day of the change out", () => {
  const dayOf = (day: number) => day === CHANGE_DAY ? { ...USUAL, leads: 1000 } : USUAL;
  const { metrics } = analyze({ members: [member("1", dayOf), ...siblings] });
  assertAlmostEquals(metrics[0]?.pct_change ?? 99, 0, 1);
});

Deno.test("analyzeChange() calls a change neutral that is shown to be small", () => {
  const many = { ...USUAL, leads: 4000 };
  const members = ["1", "2", "3", "4"].map((id) => member(id, () => many));
  const { verdict, metrics } = analyze({ members });
  assertEquals(verdict, "neutral");
  assert((metrics[0]?.interval.low ?? -99) > -10 && (metrics[0]?.interval.high ?? 99) < 10);
});

Deno.test("analyzeChange() says that there is no control, and is less sure", () => {
  const width = ({ metrics: [cpl] }: Impact) =>
    (cpl?.interval.high ?? NaN) - (cpl?.interval.low ?? NaN);
  const compared = analyze({});
  const alone = analyze({
    members: [member("1"), ...["2", "3"].map((id) => member(id, () => USUAL, { isChanged: true }))],
  });
  assertEquals(alone.control.kind, "none");
  assert(width(alone) > 1.1 * width(compared));
  assert(alone.control.interval.high > compared.control.interval.high);
});

Deno.test("analyzeChange() compares with the account where no sibling is left", () => {
  const others = ["2", "3", "4"].map((id) => member(id, after(6), { parentId: "q" }));
  const { control, verdict } = analyze({ members: [member("1", after(6)), ...others] });
  assertEquals([control.kind, control.others, verdict], ["account", 3, "inconclusive"]);
  assert(control.pct_change > 20);
});

Deno.test("analyzeChange() takes nobody for a control who was changed or delivers on one side only", () => {
  const members = [
    member("1"),
    member("2", after(1), { isChanged: true }),
    member("3", (day) => day < CHANGE_DAY ? USUAL : null),
    member("4"),
  ];
  const { control } = analyze({ members });
  assertEquals(control.siblings, 1);
});

Deno.test("analyzeChange() allows for leads that come late", () => {
  const share = (day: number) => day >= LAST_DAY - 1 ? 0.5 : 1;
  const dayOf = (day: number) => ({ ...USUAL, leads: 10 * share(day) });
  const members = ["1", "2", "3"].map((id) => member(id, dayOf));
  const { metrics } = analyze({ members, known: { share, atWorst: share } });
  assertAlmostEquals(metrics[0]?.pct_change ?? 99, 0, 1);
  assertAlmostEquals(metrics[0]?.after ?? 0, 10, 0.01);
});

Deno.test("analyzeChange() is less sure where nobody knows how many leads come late", () => {
  const low = (known: Question["known"]) =>
    analyze({ members: [member("1")], known }).metrics[0]?.interval.low ?? 0;
  const atWorst = (day: number) => day >= LAST_DAY - 2 ? 0.5 : 1;
  assert(low({ share: () => 1, atWorst }) < low(KNOWN));
});

Deno.test("analyzeChange() counts a day of whose leads none are known by now on no side", () => {
  const share = (day: number) => day === LAST_DAY ? 0 : 1;
  const dayOf = (day: number) => ({ ...USUAL, leads: day === LAST_DAY ? 0 : 10 });
  const members = ["1", "2", "3"].map((id) => member(id, dayOf));
  const { verdict, metrics } = analyze({ members, known: { share, atWorst: share } });
  assertAlmostEquals(metrics[0]?.pct_change ?? 99, 0, 1);
  assert(verdict === "inconclusive" || verdict === "neutral", verdict);
});

Deno.test("analyzeChange() compares the weekdays of short windows with the same ones", () => {
  // On days 5 and 6 of a week, counted from the first day, half as many leads come.
  const dayOf = (day: number) => ({ ...USUAL, leads: day % 7 >= 5 ? 5 : 10 });
  const members = ["1", "2", "3", "4"].map((id) => member(id, dayOf));
  // The change is on a day 0; of the three days after it none is slow, of the week before two are.
  const { metrics } = analyze({ members, lastDay: CHANGE_DAY + 3 });
  const [cpl] = metrics;
  assertAlmostEquals(cpl?.pct_change ?? 99, 0, 2);
  assertEquals([cpl?.before, cpl?.after], [10, 10]);
});

Deno.test("analyzeChange() says which side has too few days", () => {
  const missing = (members: Question["members"], lastDay = LAST_DAY) => {
    const impact = ask({ members, lastDay });
    return "missing" in impact ? impact.missing : null;
  };
  const onlyAfter = member("1", (day) => day > CHANGE_DAY - 3 ? USUAL : null);
  assertEquals(missing([onlyAfter]), { what: "days_before", days: 2, of: 7 });
  const onlyBefore = member("1", (day) => day < CHANGE_DAY + 2 ? USUAL : null);
  assertEquals(missing([onlyBefore]), { what: "days_after", days: 1, of: 7 });
  assertEquals(missing([member("1")], CHANGE_DAY + 2), { what: "days_after", days: 2, of: 2 });
  const noLeads = member("1", () => ({ ...USUAL, leads: 0 }));
  assertEquals(missing([noLeads]), { what: "leads", days: 0, of: 0 });
  const noSpend = member("1", (day) => day > CHANGE_DAY ? { ...USUAL, spend: 0 } : USUAL);
  assertEquals(missing([noSpend]), { what: "spend", days: 0, of: 0 });
});

Deno.test("analyzeChange() corrects the p values of all metrics but the CPL and spend", () => {
  const { metrics } = analyze({ members: [member("1", after(10, 150)), ...siblings] });
  const named = metrics.map(({ metric }) => metric);
  assertEquals(named, ["cpl", "leads", "ctr", "conversion_rate", "spend"]);
  const [cpl, leads, ctr, rate, spend] = metrics;
  for (const alone of [cpl, spend]) assertEquals(alone?.adjusted_p_value, alone?.p_value);
  const [least, ...more] = [leads, ctr, rate]
    .map((each) => ({ p: each?.p_value ?? NaN, adjusted: each?.adjusted_p_value ?? NaN }))
    .sort((a, b) => a.p - b.p);
  assertAlmostEquals(least?.adjusted ?? 0, Math.min(3 * (least?.p ?? 0), 1), 1e-12);
  assert(more.every(({ p, adjusted }) => adjusted >= p && adjusted >= (least?.adjusted ?? 1)));
});
