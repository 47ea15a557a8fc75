/** Daily series of entities, and what is forecast of them. */

/** The days of one series up to its origin, the oldest first. */
export type Series = {
  id: string;
  /** The series that it adds up to, null at the top. */
  parentId: string | null;
  /** One per day. Null where it is unknown, which is not 0. */
  values: readonly (number | null)[];
};

/** What one day ahead will be: the mean, and the ranges that hold it with 80 and 95 %. */
export type DayForecast = {
  mean: number;
  low80: number;
  high80: number;
  low95: number;
  high95: number;
};

/** How series are forecast. */
export type ForecastOptions = {
  /** How many days ahead. */
  horizon: number;
};

/** Forecasts by the ids of their series, from one day ahead to the horizon. */
export type Forecasts = Pick<ReadonlyMap<string, DayForecast[]>, "get" | "keys">;

/** A method: the forecasts of all series together. */
export type ForecastMethod = (all: readonly Series[], options: ForecastOptions) => Forecasts;
