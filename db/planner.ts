/** Keeping the planner from what it takes for quick where it knows little about the tables. */
import type { Sql, Transaction } from "./connect.ts";

/** What a plan may do. */
export type PlannerSetting = "enable_hashagg" | "enable_material" | "enable_nestloop";

/** Runs a query without plans that its sizes make wrong. */
export async function without<Result>(
  sql: Transaction,
  settings: readonly PlannerSetting[],
  run: () => PromiseLike<Result>,
): Promise<Result> {
  for (const setting of settings) await sql`select set_config(${setting}, 'off', true)`;
  const result = await run();
  for (const setting of settings) await sql`select set_config(${setting}, 'on', true)`;
  return result;
}

/**
 * Lets the planner know of new campaigns, ad sets and ads. Until then it expects none of an account
 * that it has not seen, and compares all of them with all. Where that is not allowed, the server looks
 * by itself within minutes.
 */
export async function analyzeEntities(sql: Sql): Promise<void> {
  await sql`analyze ads.campaigns, ads.adsets, ads.ads`;
}
