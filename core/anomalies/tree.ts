/** An account as a tree of what can be told about, and the alarms in it. */
import type { Level } from "../level.ts";
import { type AnomalyTest, compareWindow, type Comparison } from "./detect.ts";
import type { History } from "./history.ts";
import type { Profile } from "./profile.ts";
import type { Alarm } from "./select.ts";

/** Where something is told: at a level, or at the account as a whole. */
export type Place = Level | "account";

/** An entity of the tree, with the profile of its level. */
export type Branch = {
  place: Place;
  name: string;
  history: History;
  profile: Profile;
  children: Branch[];
};

/** An alarm and the entity that it is about. */
export type PlacedAlarm = { place: Place; alarm: Alarm };

/** An alarm as it would read of another branch or window; null where nothing can be compared. */
export function alarmOf({ history, profile }: Branch, alarm: Alarm): Alarm | null {
  // Reach alone has no expectation: it stands still only beside impressions that grow.
  if (alarm.metric === "reach") return null;
  const comparison = compareWindow(history, profile, alarm);
  if (comparison === null) return null;
  const { observed, expected, metricOf } = comparison;
  const usual = metricOf(expected);
  return usual === null ? null : {
    ...alarm,
    entityId: history.entityId,
    parentId: history.parentId,
    observed: metricOf(observed),
    expected: usual,
  };
}

/** A part's share of the deviation of a whole; null where they do not deviate the same way. */
export function shareOf(part: Branch, whole: Branch, alarm: AnomalyTest): number | null {
  if (part === whole) return 1;
  const of = (branch: Branch) => compareWindow(branch.history, branch.profile, alarm);
  const [small, large] = [of(part), of(whole)];
  // How often people see something does not add up over children, nor how many people do.
  const addsUp = alarm.metric !== "frequency" && alarm.metric !== "reach";
  if (small === null || large === null || !addsUp) return null;
  const share = deviationOf(small) / deviationOf(large);
  return share > 0 ? Math.min(share, 1) : null;
}

/** How much more was observed than expected, in what adds up over children. */
export function deviationOf({ observed, expected }: Comparison): number {
  return observed - expected;
}
