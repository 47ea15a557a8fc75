/** Which of an account's many tests are alarms, and how grave each is. */
import { SEVERITIES, type Severity } from "./anomaly.ts";
import { ALARM_P, type AnomalyTest } from "./detect.ts";

/** A test that became an alarm, with the entity it is about. */
export type Alarm = AnomalyTest & {
  entityId: string;
  parentId: string | null;
  q: number;
  severity: Severity;
};

/** The share of false alarms among all that is allowed on average. */
export const FALSE_DISCOVERY_RATE = 0.05;

/** Collects the tests of one account and level. */
export type Selection = {
  add(entity: { entityId: string; parentId: string | null }, tests: AnomalyTest[]): void;
  /** How many entities were tested on a day, and by how many tests. */
  tested(date: string): { entities: number; tests: number };
  /** @param dailySpend What the account usually spends a day. */
  finish(dailySpend: number): Alarm[];
};

type Candidate = AnomalyTest & { entityId: string; parentId: string | null };

/**
 * Starts to collect. Of tests that no false discovery control could let pass only the number is kept,
 * so that memory grows with what is unusual, not with the account.
 */
export function startSelection(): Selection {
  const days = new Map<string, { entities: number; tests: number; candidates: Candidate[] }>();
  return {
    add({ entityId, parentId }, tests) {
      tests.forEach((test, index) => {
        let day = days.get(test.date);
        if (day === undefined) days.set(test.date, day = { entities: 0, tests: 0, candidates: [] });
        day.tests++;
        // An entity's tests of a day come one after the other.
        if (test.date !== tests[index - 1]?.date) day.entities++;
        if (test.p <= FALSE_DISCOVERY_RATE) day.candidates.push({ ...test, entityId, parentId });
      });
    },
    tested(date) {
      const { entities = 0, tests = 0 } = days.get(date) ?? {};
      return { entities, tests };
    },
    finish: (dailySpend) =>
      [...days.values()].flatMap(({ tests, candidates }) => {
        const q = adjust(candidates.map(({ p }) => p), tests);
        const alarms = candidates
          .map((candidate, index) => ({ ...candidate, q: q[index] ?? 1 }))
          .filter(({ p, q }) => p <= ALARM_P && q <= FALSE_DISCOVERY_RATE);
        const stopped = new Set(
          alarms.filter(({ leadsStopped }) => leadsStopped).map(({ entityId }) => entityId),
        );
        return alarms.map((alarm): Alarm => ({
          ...alarm,
          type: alarm.leadsStopped && stopped.size > 1 ? "tracking_break" : alarm.type,
          severity: severityOf(alarm, dailySpend),
        }));
      }),
  };
}

/**
 * The q values of Benjamini and Hochberg (1995), in the order of the p values given.
 *
 * @param tested The number of tests of which these are the smallest p values.
 */
export function adjust(ps: number[], tested: number): number[] {
  const order = ps.map((p, index) => ({ p, index })).sort((a, b) => b.p - a.p);
  const q: number[] = new Array(ps.length).fill(1);
  let least = 1;
  order.forEach(({ p, index }, fromTop) => {
    least = Math.min(least, p * tested / (ps.length - fromTop));
    q[index] = least;
  });
  return q;
}

/** Types that cost nobody anything. */
const GOOD_NEWS = new Set(["cpl_drop", "ctr_spike", "performance_spike"]);

/** Shares of the account's daily spend at stake from which on an alarm is graver by one. */
const STAKES = [0.02, 0.1, 0.3];

/**
 * By the money at stake as a share of what the account spends a day, and one up where the effect is
 * at least threefold or everything stopped. Good news is `LOW`.
 */
function severityOf(
  { type, observed, expected, stake }: AnomalyTest,
  dailySpend: number,
): Severity {
  if (GOOD_NEWS.has(type)) return "LOW";
  const share = stake / Math.max(dailySpend, 1e-9);
  const ratio = observed === null || expected === 0 ? Infinity : observed / expected;
  const isLarge = ratio >= 3 || ratio <= 1 / 3;
  const grade = STAKES.filter((limit) => share >= limit).length + (isLarge ? 1 : 0);
  return SEVERITIES[Math.min(grade, SEVERITIES.length - 1)] ?? "CRITICAL";
}
