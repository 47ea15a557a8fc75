/** One story out of alarms of several levels and days, told where its cause sits. */
import { daysBetween } from "../days.ts";
import { SEVERITIES, type Severity } from "./anomaly.ts";
import { type AnomalyTest, compareWindow, pausesOften } from "./detect.ts";
import { windowOf } from "./history.ts";
import type { Alarm } from "./select.ts";
import { sentenceOf, type Story } from "./sentence.ts";
import {
  alarmOf,
  type Branch,
  deviationOf,
  type Place,
  type PlacedAlarm,
  shareOf,
} from "./tree.ts";

/** An alarm of an incident. */
export type Member = PlacedAlarm & {
  /**
   * Its entity's share of the deviation of what the incident is told about, or the share of its
   * entity's deviation that the cause explains where it lies above; null where that says nothing.
   */
  contribution: number | null;
};

/** Alarms of one day that are one story. */
export type Incident = {
  /** Where the cause sits. */
  place: Place;
  entityId: string;
  date: string;
  /** What is told of it. */
  alarm: Alarm;
  severity: Severity;
  members: Member[];
  sentence: string;
};

/** An incident that was told before. */
export type OpenIncident = {
  id: number;
  place: Place;
  entityId: string;
  lastDate: string;
  /** The entities of its members, as `keyOf()` has them. */
  entities: readonly string[];
};

/** A story recovers after so many days without an alarm: one quiet day may be luck. */
const QUIET_DAYS = 2;

/** How an entity is called among those of all levels, which may share ids. */
export function keyOf(place: Place, entityId: string): string {
  return `${place} ${entityId}`;
}

/**
 * Finds the stories in the alarms of one day.
 *
 * @param account The tree. Branches without an alarm in them may be left out below the campaigns.
 * @param currency In which the sentence gives money.
 */
export function findIncidents(
  alarms: PlacedAlarm[],
  account: Branch,
  currency: string,
): Incident[] {
  const paths = new Map<string, Branch[]>();
  walk(account, [], paths);
  let open = alarms
    .filter((placed) => {
      const branch = pathOf(paths, placed).at(-1);
      return branch !== undefined && !isMadeByPeople(branch, placed.alarm);
    })
    .toSorted((a, b) => a.alarm.p - b.alarm.p || -Math.abs(b.alarm.deviation));
  const incidents: Incident[] = [];
  while (open.length > 0) {
    const [lead] = open;
    if (lead === undefined) break;
    const path = pathOf(paths, lead);
    const cause = findCause(path, commonDepth(path, lead, open, paths), lead.alarm);
    const line = paths.get(keyOf(cause.place, cause.history.entityId)) ?? [cause];
    const isInLine = (other: PlacedAlarm) => {
      const path = pathOf(paths, other);
      return path.includes(cause) || line.includes(path.at(-1) ?? cause);
    };
    const own = open.filter((other) => other === lead || isInLine(other));
    open = open.filter((other) => !own.includes(other));
    incidents.push(tell(lead, cause, line, own, paths, currency));
  }
  return incidents;
}

/**
 * Which stories of before go on, and which are over.
 *
 * @param date The day of the incidents found.
 */
export function continueIncidents(
  open: OpenIncident[],
  found: Incident[],
  date: string,
): { continued: Map<Incident, OpenIncident>; recovered: OpenIncident[] } {
  const recent = open.filter(({ lastDate }) => daysBetween(lastDate, date) <= QUIET_DAYS);
  const continued = new Map<Incident, OpenIncident>();
  const taken = new Set<OpenIncident>();
  const match = (isSame: (before: OpenIncident, incident: Incident) => boolean) => {
    for (const incident of found) {
      if (continued.has(incident)) continue;
      const before = recent.find((each) => !taken.has(each) && isSame(each, incident));
      if (before === undefined) continue;
      continued.set(incident, before);
      taken.add(before);
    }
  };
  match((before, { place, entityId }) => before.place === place && before.entityId === entityId);
  // With another day of data the cause may turn out to sit one level higher or lower.
  match((before, { place, entityId, members }) =>
    before.entities.includes(keyOf(place, entityId)) ||
    members.some(({ place, alarm }) =>
      keyOf(place, alarm.entityId) === keyOf(before.place, before.entityId)
    )
  );
  return { continued, recovered: open.filter((each) => !recent.includes(each)) };
}

function walk(branch: Branch, above: Branch[], paths: Map<string, Branch[]>): void {
  const path = [...above, branch];
  paths.set(keyOf(branch.place, branch.history.entityId), path);
  for (const child of branch.children) walk(child, path, paths);
}

function pathOf(paths: Map<string, Branch[]>, { place, alarm }: PlacedAlarm): Branch[] {
  return paths.get(keyOf(place, alarm.entityId)) ?? [];
}

/**
 * Whether a parent only shows that what is below it is other than before: some of it is new, was
 * paused, or got another share. Of the effect less than half is left then where each of those that
 * were there before is compared with what was to be expected of it.
 */
function isMadeByPeople(parent: Branch, alarm: Alarm): boolean {
  const { place, history, profile, children } = parent;
  const isStop = alarm.type === "zero_spend" || alarm.type === "zero_impressions";
  if (children.length === 0 || isStop || alarm.metric === "frequency") return false;
  const isAccountWide = place === "account";
  const whole = compareWindow(history, profile, alarm, isAccountWide);
  if (whole === null) return false;
  const { start } = windowOf(history, profile.options.asOf, alarm);
  const settled = leavesOf(parent).flatMap(({ history, profile }) => {
    const comparison = compareWindow(history, profile, alarm, isAccountWide);
    if (comparison === null) return [];
    const isPaused = alarm.metric === "spend" &&
      (!history.isActive || comparison.observed === 0 && pausesOften(history, start, profile));
    return isPaused ? [] : [comparison];
  });
  const effect = effectOf(
    sum(settled.map(({ observed }) => observed)),
    sum(settled.map(({ expected }) => expected)),
  );
  return effect / effectOf(whole.observed, whole.expected) < 0.5;
}

function leavesOf(branch: Branch): Branch[] {
  return branch.children.length === 0 ? [branch] : branch.children.flatMap(leavesOf);
}

/** The logarithm of what was observed by what was expected, of which there may be nothing. */
function effectOf(observed: number, expected: number): number {
  return Math.log((observed + 0.5) / (expected + 0.5));
}

/** Whether two alarms say the same: the same metric, the same way. */
function isAlike(alarm: Alarm, other: Alarm): boolean {
  return alarm.metric === other.metric && alarm.deviation * other.deviation > 0;
}

/**
 * How far down the path of an alarm the entity lies that it has in common with all alarms that say
 * the same: those of one campaign, or of all where the account itself has one.
 */
function commonDepth(
  path: Branch[],
  lead: PlacedAlarm,
  open: PlacedAlarm[],
  paths: Map<string, Branch[]>,
): number {
  const alike = open.filter((other) => isAlike(other.alarm, lead.alarm));
  if (alike.some(({ place }) => place === "account")) return 0;
  const shared = alike.map((other) => {
    const otherPath = pathOf(paths, other);
    const fork = path.findIndex((branch, depth) => branch !== otherPath[depth]);
    return (fork === -1 ? path.length : fork) - 1;
  });
  return Math.min(...shared.filter((depth) => depth > 0), path.length - 1);
}

/**
 * Goes down from a branch for as long as one child explains what is seen better than all children
 * together do, on the way to the entity of the alarm and beyond it.
 */
function findCause(path: Branch[], start: number, alarm: Alarm): Branch {
  let cause = path[start];
  while (cause !== undefined) {
    const fork = throughOnlyChildren(cause);
    const onTheWay = path[path.indexOf(fork) + 1];
    const isOnPath = path.includes(fork);
    const child = childThatExplains(fork, alarm);
    if (child === null || (isOnPath && onTheWay !== undefined && child !== onTheWay)) {
      // An only child is the same as its parent, which is where people look first; but an account of
      // one campaign is that campaign.
      const [only] = cause.children;
      return cause.place === "account" && fork !== cause && only !== undefined ? only : cause;
    }
    cause = child;
  }
  throw new RangeError("A path has at least one branch");
}

/** Down to where a branch divides. */
function throughOnlyChildren(branch: Branch): Branch {
  const [only, ...others] = branch.children;
  return only !== undefined && others.length === 0 ? throughOnlyChildren(only) : branch;
}

/**
 * The child that alone is the cause, null where the parent is.
 *
 * Two stories are compared by how unlikely they leave the children's days: one child has a ratio of
 * its own and all others are as usual, or all children share one ratio. Both have one free number, so
 * the likelihoods, of distances that are normal by their scale, are compared as they are.
 */
function childThatExplains({ place, children }: Branch, alarm: AnomalyTest): Branch | null {
  const compared = children.flatMap((child) => {
    const comparison = compareWindow(child.history, child.profile, alarm, place === "account");
    return comparison === null || comparison.expected === 0 ? [] : [{ child, comparison }];
  });
  if (compared.length === 0) return null;
  const unusual = compared.map(({ comparison }) => comparison.distanceAt(1) ** 2);
  const most = unusual.indexOf(Math.max(...unusual));
  const alone = sum(unusual) - (unusual[most] ?? 0);
  const all = compared.map(({ comparison }) => comparison);
  const ratio = Math.max(
    sum(all.map(({ observed }) => observed)) / sum(all.map(({ expected }) => expected)),
    LEAST_RATIO,
  );
  const together = sum(all.map(({ distanceAt }) => distanceAt(ratio) ** 2));
  const chosen = compared[most];
  if (chosen === undefined || compared.length === 1 || alone >= together) return null;
  const share = deviationOf(chosen.comparison) / sum(all.map(deviationOf));
  return share >= LEAST_SHARE ? chosen.child : null;
}

/** A child that explains less than half of the deviation is not its cause. */
const LEAST_SHARE = 0.5;

/** Of nothing at all no logarithm can be taken. */
const LEAST_RATIO = 0.001;

/** A part that is less than this of what people see is no cause of it. */
const LEAST_PART = 0.01;

function tell(
  lead: PlacedAlarm,
  cause: Branch,
  line: Branch[],
  own: PlacedAlarm[],
  paths: Map<string, Branch[]>,
  currency: string,
): Incident {
  const alarmsAt = ({ place, history }: Branch) =>
    own.filter((each) => each.place === place && each.alarm.entityId === history.entityId)
      .map(({ alarm }) => alarm);
  const atCause = alarmsAt(cause);
  // One alone may have no leads; where several have none, or all of an account, none is counted.
  const isBroken = cause.place === "account" ||
    own.some(({ alarm }) => alarm.type === "tracking_break");
  const alarm = toldOf(atCause, isBroken) ?? alarmOf(cause, lead.alarm) ?? lead.alarm;
  const members = own.map((member): Member => {
    const branch = pathOf(paths, member).at(-1) ?? cause;
    const [part, whole] = line.includes(branch) ? [cause, branch] : [branch, cause];
    return { ...member, contribution: shareOf(part, whole, member.alarm) };
  });
  const severity = SEVERITIES[
    Math.max(...own.map(({ alarm }) => SEVERITIES.indexOf(alarm.severity)))
  ] ?? "LOW";
  // Where nothing can be compared at the cause, the sentence is about the entity of the alarm.
  const toldLine = alarm === lead.alarm ? pathOf(paths, lead) : line;
  const story = {
    cause: toldLine.at(-1) ?? cause,
    alarm,
    others: atCause.filter((each) => each !== alarm),
    above: alarm.type === "tracking_break" ? null : aboveOf(alarm, toldLine, alarmsAt),
  };
  return {
    place: cause.place,
    entityId: cause.history.entityId,
    date: lead.alarm.date,
    alarm,
    severity,
    members,
    sentence: sentenceOf(story, currency),
  };
}

/**
 * What is told of an entity: that tracking broke, or what is the least likely. A CPL is told in place
 * of the rates that make it, spend in place of the impressions that it buys.
 *
 * @param alarms The least likely first.
 * @param isBroken Whether leads that stop are leads that are not counted.
 */
function toldOf(alarms: Alarm[], isBroken: boolean): Alarm | undefined {
  const [first] = alarms;
  const stopped = alarms.find(({ leadsStopped }) => leadsStopped);
  if (isBroken && stopped) return { ...stopped, type: "tracking_break" };
  const metric = first?.metric === "ctr" || first?.metric === "conversion_rate"
    ? "cpl"
    : first?.metric === "impressions"
    ? "spend"
    : undefined;
  return alarms.find((alarm) => alarm.metric === metric) ?? first;
}

/** The widest entity above the last one of a line that shows the same: what people see first. */
function aboveOf(
  alarm: Alarm,
  line: Branch[],
  alarmsAt: (branch: Branch) => Alarm[],
): Story["above"] {
  const last = line.at(-1);
  for (const branch of line.slice(0, -1)) {
    const seen = alarmsAt(branch).find((each) => isAlike(each, alarm));
    const share = last && seen ? shareOf(last, branch, seen) : null;
    if (seen && share !== null && share >= LEAST_PART) return { branch, alarm: seen, share };
  }
  return null;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
