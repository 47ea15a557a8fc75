/** `deno task jobs`: lists the schedule with the last and the next run of each job. */
import { nextTime } from "../../core/cron.ts";
import { readSettings } from "../../core/settings.ts";
import { openDatabase } from "../../db/database.ts";
import { type JobState, newestJobStates, RUN_STATUSES } from "../../db/job_runs.ts";
import { readSchedule } from "../schedule.ts";
import { TASKS } from "../tasks.ts";
import { command, printTable } from "./command.ts";

await command(async () => {
  const environment = Deno.env.toObject();
  const schedule = readSchedule(TASKS, environment);
  const database = await openDatabase(readSettings(environment));
  try {
    const states = await newestJobStates(database.sql);
    const rows = schedule.map(({ task, entityType, cron }) => {
      const state = states.find((state) =>
        state.job === task.name && state.entity_type === entityType
      );
      const next = cron === null ? null : nextTime(cron, new Date());
      return [
        `${entityType} ${task.name}`,
        cron ?? "off",
        next ? minute(next) : "-",
        state ? `${minute(state.scheduled_at)} ${outcome(state)}` : "-",
      ];
    });
    printTable([["job", "UTC", "next", "last"], ...rows]);
  } finally {
    await database.close();
  }
});

function minute(time: Date): string {
  return `${time.toISOString().slice(0, 16).replace("T", " ")}Z`;
}

/** How far the runs of a time are: `3 succeeded, 1 failed`. */
function outcome(state: JobState): string {
  return RUN_STATUSES.filter((status) => state[status] > 0)
    .map((status) => `${state[status]} ${status}`)
    .join(", ");
}
