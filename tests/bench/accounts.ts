/** Accounts of known size, made inside the server. */
import { addDays } from "../../core/days.ts";
import type { Sql, Transaction } from "../../db/connect.ts";
import { printError } from "../../jobs/commands/command.ts";

/** The last day of all accounts. */
export const AS_OF = "2025-12-30";

/** An account in which every ad delivers on every day. */
export type AccountSize = { configId: number; ads: number; days: number };

/** The accounts of the benchmarks of views and of the classification. */
export const accountSizes = (isQuick: boolean) => ({
  long: { configId: 1, ads: isQuick ? 200 : 2000, days: 730 },
  middle: { configId: 2, ads: isQuick ? 1000 : 10_000, days: 60 },
  large: { configId: 3, ads: isQuick ? 10_000 : 100_000, days: 60 },
});

/** Fills accounts, with the same rows each time. */
export async function fillAccounts(sql: Sql, sizes: AccountSize[]): Promise<void> {
  for (const { configId, ads, days } of sizes) {
    printError(`Filling an account: ${ads} ads, ${days} days`);
    const firstDay = addDays(AS_OF, 1 - days);
    await sql.begin(async (tx) => {
      await tx`select setseed(0.42)`;
      await tx`select ads.create_insight_partitions(${firstDay}, ${AS_OF})`;
      await fillEntities(tx, configId, ads);
      await tx`
        insert into ads.insights (
          config_id, date, campaign_id, adset_id, ad_id, spend, impressions, reach, clicks,
          link_clicks, leads, conversions
        )
        select
          ${configId},
          ${firstDay}::date + day,
          120000000000000000 + g / 20,
          130000000000000000 + g / 5,
          140000000000000000 + g,
          round((5 + 20 * random())::numeric, 2),
          500 + 1000 * random(),
          400 + 100 * random(),
          5 + 30 * random(),
          3 + 2 * random(),
          floor(-0.8 * ln(1 - random())),
          1
        from generate_series(0, ${days}::integer - 1) day
        cross join generate_series(0, ${ads}::integer - 1) g`;
      // As whoever writes insights has to.
      await tx`
        select ads.store_account_days(
          ${configId},
          array(select ${firstDay}::date + day from generate_series(0, ${days}::integer - 1) day),
          ${AS_OF}::date + time '23:00'
        )`;
    });
  }
  await sql`vacuum analyze`;
}

/** Makes an account with ads and what they belong to: 5 per ad set, 4 ad sets per campaign. */
export async function fillEntities(
  sql: Sql | Transaction,
  configId: number,
  ads: number,
): Promise<void> {
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone)
    values (${configId}, ${`${ads} ads`}, 'USD', 'UTC')`;
  await sql`
    insert into ads.campaigns (config_id, campaign_id, name, daily_budget)
    select ${configId}, 120000000000000000 + g, 'Campaign ' || g, case g % 2 when 0 then 100 end
    from generate_series(0, (${ads}::integer - 1) / 20) g`;
  await sql`
    insert into ads.adsets (config_id, adset_id, campaign_id, name, daily_budget)
    select
      ${configId}, 130000000000000000 + g, 120000000000000000 + g / 4, 'Ad set ' || g,
      case g / 4 % 2 when 1 then 20 end
    from generate_series(0, (${ads}::integer - 1) / 5) g`;
  await sql`
    insert into ads.ads (config_id, ad_id, adset_id, campaign_id, name)
    select
      ${configId}, 140000000000000000 + g, 130000000000000000 + g / 5,
      120000000000000000 + g / 20, 'Ad ' || g
    from generate_series(0, ${ads}::integer - 1) g`;
}
