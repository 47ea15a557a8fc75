/** The table of all tasks: what is here is scheduled, claimed, recorded and measured. */
import { anomalies } from "./anomalies.ts";
import { classification } from "./classification.ts";
import { impact } from "./impact.ts";
import { recommendations } from "./recommendations.ts";
import { forecasts, validation } from "./forecasts.ts";
import type { Task } from "./task.ts";

/** All tasks. */
export const TASKS: readonly Task[] = [
  forecasts,
  classification,
  recommendations,
  anomalies,
  validation,
  impact,
];
