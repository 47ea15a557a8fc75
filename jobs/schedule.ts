/** The schedule as data: what runs when, in UTC, for every active account. */
import type { Level } from "../core/level.ts";

/** One task on one level at one time. */
export type ScheduledJob = {
  task: "classification";
  entityType: Level;
  /** Minute, hour, day, month, weekday. */
  cron: string;
};

/** A level follows the one above it, because it starts from what is known there. */
export const SCHEDULE: ScheduledJob[] = [
  { task: "classification", entityType: "campaign", cron: "0 5 * * *" },
  { task: "classification", entityType: "adset", cron: "30 5 * * *" },
  { task: "classification", entityType: "ad", cron: "0 6 * * *" },
];
