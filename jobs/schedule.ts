/** When which task runs on which level. */
import { checkCron } from "../core/cron.ts";
import { type Level, LEVELS } from "../core/level.ts";
import type { Task } from "./task.ts";

/** One task on one level, and when it runs. */
export type ScheduledJob = {
  task: Task;
  entityType: Level;
  /** Five fields, in UTC; null where it is switched off. */
  cron: string | null;
};

/**
 * The schedule of all tasks, as the environment overrides it: `ADSTRATA_CRON_AD_CLASSIFICATION` holds
 * another time, or `off`.
 *
 * @throws {Refusal} with the name of a variable that holds no time.
 */
export function readSchedule(
  tasks: readonly Task[],
  environment: Record<string, string>,
): ScheduledJob[] {
  return tasks.flatMap((task) =>
    LEVELS.flatMap((entityType): ScheduledJob[] => {
      const usual = task.schedule[entityType];
      if (usual === undefined) return [];
      const name = `ADSTRATA_CRON_${entityType}_${task.name}`.toUpperCase();
      const cron = environment[name]?.trim() || usual;
      if (cron.toLowerCase() === "off") return [{ task, entityType, cron: null }];
      checkCron(cron, name);
      return [{ task, entityType, cron }];
    })
  );
}
