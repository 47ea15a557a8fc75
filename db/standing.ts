/** Reading how an account stands. */
import type { Level } from "../core/level.ts";
import { BEST_TIERS, type Standing, WORST_TIERS } from "../core/standing.ts";
import { type Tier, TIERS } from "../core/tiers.ts";
import type { Queries } from "./connect.ts";

/**
 * How the active entities of a level stand by their newest tiers. The best and the worst come by
 * tier, the surest first. What spent nothing in its seven days is counted but not among them: it is
 * neither news nor a decision to take.
 *
 * @param limit How many of the best and of the worst are named.
 */
export async function levelStanding(
  sql: Queries,
  configId: number,
  entityType: Level,
  limit: number,
): Promise<Standing> {
  const outstanding = (tiers: Tier[]) =>
    sql`
      array_to_json(array(
        select v
        from verdicts v
        where v.tier = any(${tiers}) and v.spend_7d > 0
        order by array_position(${tiers}, v.tier), v.confidence_score desc, v.entity_id
        limit ${limit}
      ))`;
  // `limit 1` makes it one look-up per entity, however long the history is, and also where the
  // planner has no statistics on what was written a moment ago and would compare all with all.
  const [standing] = await sql<[Standing]>`
    with verdicts as materialized (
      select
        e.entity_id,
        e.name,
        e.campaign_name,
        c.tier,
        c.confidence_score,
        (c.metrics_snapshot ->> 'cpl_7d')::double precision as cpl_7d,
        (c.metrics_snapshot ->> 'spend_7d')::double precision as spend_7d
      from ads.entities e
      cross join lateral (
        select tier, confidence_score, metrics_snapshot
        from ads.latest_classifications
        where config_id = ${configId} and entity_type = ${entityType} and entity_id = e.entity_id
        limit 1
      ) c
      where e.config_id = ${configId} and e.entity_type = ${entityType} and e.is_active
    ),
    counts as (
      select t.tier, count(v.tier) as count
      from unnest(${[...TIERS]}::text[]) t (tier)
      left join verdicts v on v.tier = t.tier
      group by t.tier
    )
    select
      (select json_object_agg(tier, count) from counts) as counts,
      ${outstanding(BEST_TIERS)} as best,
      ${outstanding(WORST_TIERS)} as worst`;
  return standing;
}
