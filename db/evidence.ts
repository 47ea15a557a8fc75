/** What is known about the rates of entities, as jobs read it. */
import type { Level } from "../core/level.ts";
import type { Evidence } from "../core/rules/beliefs.ts";
import type { Transaction } from "./connect.ts";
import { type EntityKey, readAhead } from "./read_ahead.ts";

/** What is known about an entity's CPL: a row of `ads.entity_evidence`. */
export type EvidenceRow = EntityKey & Evidence & { prior_alpha: number; prior_beta: number };

/** Begins to read what is known about the CPL of all entities of a level, sorted as `pairUp` needs it. */
export function readEvidence(
  sql: Transaction,
  { configId, entityType, asOf }: { configId: number; entityType: Level; asOf: string },
  batch: number,
): AsyncGenerator<EvidenceRow[]> {
  const query = sql`
    select entity_id, parent_id, events, exposure, prior_alpha, prior_beta, alpha, beta
    from ads.entity_evidence
    where config_id = ${configId}
      and entity_type = ${entityType}
      and as_of = ${asOf}
      and metric = 'cpl'
    order by parent_id collate "C", entity_id collate "C"`;
  return readAhead<EvidenceRow>(sql, query, batch);
}
