/** What people say about a tier: corrections of classifications. */
import type { Level } from "../core/level.ts";
import type { Tier } from "../core/tiers.ts";
import type { Queries } from "./connect.ts";

/** A correction, or the confirmation of a tier, by a person. */
export type Feedback = {
  id: number;
  config_id: number;
  classification_id: number;
  entity_type: Level;
  entity_id: string;
  original_tier: Tier;
  correct_tier: Tier;
};

/**
 * Stores what a person says about a classification.
 *
 * Clients know a classification by its id alone. Its account is part of the key, so each account
 * is asked for the id, one index probe each, instead of searching all history.
 *
 * @returns Nothing where there is no such classification.
 */
export async function insertFeedback(
  sql: Queries,
  { classificationId, correctTier, reason, userId }: {
    classificationId: number;
    correctTier: Tier;
    reason: string | null;
    userId: number;
  },
): Promise<Feedback | undefined> {
  const [feedback] = await sql<Feedback[]>`
    insert into ads.ml_classification_feedback (
      config_id, classification_id, entity_type, entity_id, original_tier, correct_tier, reason,
      user_id
    )
    select
      c.config_id, c.id, c.entity_type, c.entity_id, c.tier, ${correctTier}, ${reason}, ${userId}
    from ads.accounts a
    cross join lateral (
      select m.config_id, m.id, m.entity_type, m.entity_id, m.tier
      from ads.ml_classifications m
      where m.config_id = a.config_id and m.id = ${classificationId}
      limit 1
    ) c
    returning
      id, config_id, classification_id, entity_type, entity_id, original_tier, correct_tier`;
  return feedback;
}

/** How often people gave a tier for another one. */
export type FeedbackCount = { original_tier: Tier; correct_tier: Tier; count: number };

/** Counts the feedback of an account by what was said for what. */
export function countFeedback(sql: Queries, configId: number): Promise<FeedbackCount[]> {
  return sql<FeedbackCount[]>`
    select original_tier, correct_tier, count(*) as count
    from ads.ml_classification_feedback
    where config_id = ${configId}
    group by original_tier, correct_tier`;
}
