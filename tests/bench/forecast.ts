/** Forecasts of many methods in the same run, scored on simulated accounts or on a file of series. */
// @ts-types="@types/papaparse"
import Papa from "papaparse";
import { sum } from "simple-statistics";
import { addDays } from "../../core/days.ts";
import type { ForecastMethod, Forecasts } from "../../core/forecast/series.ts";
import { forecastAll } from "../../core/forecast/forecast.ts";
import { Refusal } from "../../core/refusal.ts";
import { print } from "../../jobs/commands/command.ts";
import {
  ASKED_OF_FORECASTS,
  type ForecastAccuracy,
  largestGap,
  levelsOf,
  poolScores,
  rollingOrigins,
  scoreOrigin,
  seriesAt,
  type SeriesScore,
  type SeriesSet,
} from "../forecast_accuracy.ts";
import { BASELINES } from "../forecast_baselines.ts";
import { readSeriesFile } from "../forecast_file.ts";
import { FORECAST_SCENARIOS, METRICS, simulateAccount } from "../forecast_simulation.ts";
import { printTable, verdict } from "./report.ts";

/** What is asked for on the command line. */
export type ForecastBenchOptions = {
  /** A CSV file of daily series; simulated accounts without one. */
  file?: string;
  /** Where the forecasts of the first method go. */
  out?: string;
  origins: number;
  horizon: number;
  /** Simulated accounts of each kind. */
  seeds: number;
};

type Method = readonly [name: string, method: ForecastMethod];

/** The first one is this program's own; `--out` writes its forecasts. */
const METHODS: readonly Method[] = [["adstrata", forecastAll], ...BASELINES];

/** So much more doubt is as good as no trust at all. */
const NO_TRUST = 1e9;

/** Other ways to make the same forecasts add up. */
const OTHER_WAYS: readonly Method[] = [
  [
    "bottom-up",
    (all, options) =>
      forecastAll(
        all,
        options,
        ({ children }, variance) => children.length > 0 ? NO_TRUST * variance : variance,
      ),
  ],
  [
    "the top trusted",
    (all, options) =>
      forecastAll(all, options, ({ depth }, variance) => NO_TRUST ** depth * variance),
  ],
];

/** Nothing is developed with these seeds: they belong to the proof. */
const FIRST_SEED = 1000;

/** Series that are forecast together, and the table they belong to. */
type Part = { table: string; kind: string | null; set: SeriesSet };

/** What one method made of one part at one origin. */
type Run = {
  method: string;
  table: string;
  kind: string | null;
  scores: SeriesScore[];
  series: number;
  milliseconds: number;
  gap: number;
};

/** A row of the file that `--out` writes; the origin is the last day that was known. */
type OutRow = {
  series_id: string;
  origin: string;
  h: number;
  mean: number;
  lo80: number;
  hi80: number;
  lo95: number;
  hi95: number;
};

/** Measures and prints all methods. */
export async function benchForecast(title: string, options: ForecastBenchOptions): Promise<void> {
  const { file, out } = options;
  const parts = file === undefined ? simulatedParts(options.seeds) : [await readPart(file)];
  const runs: Run[] = [];
  const rows: OutRow[] = [];
  for (const part of parts) {
    const levels = levelsOf(part.set.series);
    for (const origin of originsOf(part.set, options)) {
      [...METHODS, ...OTHER_WAYS].forEach((method, index) => {
        const { run, forecasts } = runMethod(method, part, origin, options.horizon, levels);
        runs.push(run);
        if (index === 0 && out !== undefined) rows.push(...outRows(part.set, origin, forecasts));
      });
    }
  }
  printRuns(title, runs, options);
  if (out !== undefined) {
    await Deno.writeTextFile(out, Papa.unparse(rows, { newline: "\n" }) + "\n");
    print(`\nWrote ${rows.length} forecasts of "${METHODS[0]?.[0]}" to ${out}`);
  }
}

function simulatedParts(seeds: number): Part[] {
  return FORECAST_SCENARIOS.flatMap((scenario, index) =>
    Array.from({ length: seeds }, (_, seed) => FIRST_SEED + index * seeds + seed).flatMap(
      (seed) => {
        const account = simulateAccount(scenario, seed);
        return METRICS.map((metric) => ({
          table: metric,
          kind: scenario.name,
          set: account[metric],
        }));
      },
    )
  );
}

async function readPart(file: string): Promise<Part> {
  const text = await Deno.readTextFile(file).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Refusal("not_found", `There is no file "${file}"`);
  });
  const { missingParents, ...set } = readSeriesFile(text);
  const [first] = missingParents;
  if (first !== undefined) {
    print(
      `${missingParents.length} parents have no rows, such as "${first}": ` +
        "their children are taken to stand at the top",
    );
  }
  return { table: file, kind: null, set };
}

function originsOf(
  { series }: SeriesSet,
  { origins, horizon }: ForecastBenchOptions,
): number[] {
  const days = series[0]?.values.length ?? 0;
  const found = rollingOrigins(days, origins, horizon);
  if (found.length > 0) return found;
  throw new Refusal(
    "invalid_parameter",
    `${days} days are too few to forecast ${horizon} of them`,
    "At least 14 more are needed to learn from",
  );
}

function runMethod(
  [name, method]: Method,
  { table, kind, set }: Part,
  origin: number,
  horizon: number,
  levels: ReadonlyMap<string, string>,
): { run: Run; forecasts: Forecasts } {
  const known = seriesAt(set.series, origin);
  const start = performance.now();
  const forecasts = method(known, { horizon });
  const milliseconds = performance.now() - start;
  const wrong = known.find(({ id }) => forecasts.get(id)?.length !== horizon);
  if (wrong) throw new Error(`"${name}" has not ${horizon} days of "${wrong.id}"`);
  const scores = scoreOrigin(set.series, origin, forecasts, levels);
  const gap = largestGap(known, forecasts);
  return {
    run: { method: name, table, kind, scores, series: known.length, milliseconds, gap },
    forecasts,
  };
}

function outRows(
  { firstDay }: SeriesSet,
  origin: number,
  forecasts: Forecasts,
): OutRow[] {
  const lastKnown = addDays(firstDay, origin - 1);
  return [...forecasts.keys()].flatMap((series_id) =>
    (forecasts.get(series_id) ?? []).map(({ mean, low80, high80, low95, high95 }, index) => ({
      series_id,
      origin: lastKnown,
      h: index + 1,
      mean,
      lo80: low80,
      hi80: high80,
      lo95: low95,
      hi95: high95,
    }))
  );
}

const SCORES = [
  "MASE",
  "to naive",
  "RMSSE",
  "MSIS 80",
  "MSIS 95",
  "in 80 %",
  "in 95 %",
  "bias",
  "series",
  "forecasts",
  "left out",
  "",
];

function printRuns(title: string, runs: Run[], options: ForecastBenchOptions): void {
  const { origins, horizon, file, seeds } = options;
  const what = file ?? `${seeds} simulated accounts of each kind`;
  for (const [table, ofTable] of Map.groupBy(runs, ({ table }) => table)) {
    const levels = new Set(ofTable.flatMap(({ scores }) => scores.map(({ level }) => level)));
    printTable(
      `${title}: ${what}${file ? "" : `, ${table}`}; ${horizon} days ahead from each of up to ` +
        `${origins} origins.\n  Left out: forecasts of series without errors of the seasonal naive ` +
        "forecast before the origin, or with fewer than 7.",
      ["", "", ...SCORES],
      [
        askedRow(),
        ...scoreRows("all levels", ofTable),
        ...[...levels].toSorted(byDepth).flatMap((level) => scoreRows(level, ofTable, level)),
      ],
    );
    const kinds = new Set(ofTable.flatMap(({ kind }) => kind ?? []));
    if (kinds.size === 0) continue;
    printTable(
      `${title}: all levels by kind of account, ${table}.`,
      ["", "", ...SCORES],
      [
        askedRow(),
        ...[...kinds].flatMap((kind) =>
          scoreRows(kind, ofTable.filter((run) => run.kind === kind))
        ),
      ],
    );
  }
  printTable(
    `${title}: ways to make the forecasts add up, MASE by that of the seasonal naive forecast.`,
    ["", ...new Set(runs.map(({ table }) => table))],
    ["adstrata", ...OTHER_WAYS.map(([way]) => way)].map((way) => [
      way === "adstrata" ? "least squares" : way,
      ...Map.groupBy(runs, ({ table }) => table).values().map((ofTable) =>
        (maseOf(ofTable, way) / maseOf(ofTable, "seasonal naive")).toFixed(3)
      ),
    ]),
  );
  printTable(
    `${title}: time of the methods, and by how much a parent differs from the sum of its children.`,
    ["", "series forecast", "seconds", "ms a series", "differs by at most"],
    METHODS.map(([method]) => {
      const own = runs.filter((run) => run.method === method);
      const series = sum(own.map((run) => run.series));
      const milliseconds = sum(own.map((run) => run.milliseconds));
      const gap = own.reduce((most, run) => Math.max(most, run.gap), 0);
      return [
        method,
        String(series),
        (milliseconds / 1000).toFixed(2),
        (milliseconds / series).toFixed(3),
        gap.toExponential(1),
      ];
    }),
  );
}

function maseOf(runs: readonly Run[], method: string): number {
  return poolScores(
    runs.filter((run) => run.method === method).flatMap(({ scores }) => scores),
  ).mase;
}

const LEVEL_ORDER = ["account", "campaign", "adset", "ad"];

function byDepth(a: string, b: string): number {
  return LEVEL_ORDER.indexOf(a) - LEVEL_ORDER.indexOf(b) ||
    a.localeCompare(b, "en", { numeric: true });
}

function askedRow(): string[] {
  const { toSeasonalNaive, coverage80, coverage95 } = ASKED_OF_FORECASTS;
  const range = ({ low, high }: { low: number; high: number }) =>
    `${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)} %`;
  return [
    "asked",
    "",
    "the best",
    toSeasonalNaive.toFixed(2),
    "",
    "",
    "",
    range(coverage80),
    range(coverage95),
    "",
    "",
    "",
    "",
    "",
  ];
}

/** A row per method of what they make of some series: all, or those of a level. */
function scoreRows(label: string, runs: readonly Run[], level: string | null = null): string[][] {
  const measured = METHODS.map(([method]) => ({
    method,
    accuracy: poolScores(
      runs.filter((run) => run.method === method).flatMap(({ scores }) =>
        scores.filter((score) => level === null || score.level === level)
      ),
    ),
  }));
  const naive = measured.find(({ method }) => method === "seasonal naive")?.accuracy.mase ?? NaN;
  return measured.map(({ method, accuracy }) => {
    const others = measured.filter((other) => other.method !== method)
      .map((other) => other.accuracy.mase);
    // A level is compared with the best method, a whole set with the seasonal naive one as well.
    const most = level !== null ? Infinity : ASKED_OF_FORECASTS.toSeasonalNaive * naive;
    return [label, method, ...scoreCells(accuracy, naive), verdictOf(accuracy, most, others)];
  });
}

function scoreCells(accuracy: ForecastAccuracy, naive: number): string[] {
  const { mase, rmsse, msis80, msis95, coverage80, coverage95, bias } = accuracy;
  return [
    mase.toFixed(3),
    (mase / naive).toFixed(3),
    rmsse.toFixed(3),
    msis80.toFixed(2),
    msis95.toFixed(2),
    `${(100 * coverage80).toFixed(1)} %`,
    `${(100 * coverage95).toFixed(1)} %`,
    bias.toFixed(3),
    String(accuracy.series),
    String(accuracy.forecasts),
    String(accuracy.leftOut),
  ];
}

function verdictOf(
  { series, mase, coverage80, coverage95 }: ForecastAccuracy,
  most: number,
  others: number[],
): string {
  const asked = ASKED_OF_FORECASTS;
  const isIn = (share: number, { low, high }: { low: number; high: number }) =>
    low <= share && share <= high;
  const isAccurate = mase <= most &&
    (series < asked.leastSeries || mase < Math.min(...others));
  return verdict(
    isAccurate && isIn(coverage80, asked.coverage80) && isIn(coverage95, asked.coverage95),
  );
}
