/** Who a row is about: the campaign, ad set and ad that its cells name. */
import { createHash } from "node:crypto";
import { type Level, LEVEL_FACTS, LEVELS } from "../level.ts";
import { BadRow } from "./bad_row.ts";
import { type Budget, readBudget } from "./budgets.ts";
import type { Columns } from "./columns.ts";
import type { Field } from "./fields.ts";
import type { DecimalSign } from "./numbers.ts";
import { readStatus } from "./statuses.ts";

/** What a file says about one campaign, ad set or ad. */
export type Entity = {
  entityType: Level;
  entityId: string;
  campaignId: string;
  /** Null for a campaign. */
  adsetId: string | null;
  /** Null where the file has only the id. */
  name: string | null;
  objective: string | null;
  status: string | null;
  effectiveStatus: string | null;
  budget: Budget;
  /** The number that stands for it in staged insights; null for what has no insights of its own. */
  key: string | null;
};

/** What rows with the same entity cells share. */
export type Path = {
  /** The number of the ad, or of the ad set in a file without ads. It fits a `bigint`. */
  key: string;
  /** The newest day on which a good row describes the entities like this; empty before the first. */
  latest: string;
};

const SEPARATOR = "\u001f";

/** The cells that say who a row is about, by level. */
const CELLS = {
  campaign: {
    id: "campaign_id",
    name: "campaign_name",
    delivery: "campaign_delivery",
    status: "campaign_status",
    budget: "campaign_budget",
    budgetType: "campaign_budget_type",
    objective: "objective",
  },
  adset: {
    id: "adset_id",
    name: "adset_name",
    delivery: "adset_delivery",
    status: "adset_status",
    budget: "adset_budget",
    budgetType: "adset_budget_type",
    objective: null,
  },
  ad: {
    id: "ad_id",
    name: "ad_name",
    delivery: "ad_delivery",
    status: "ad_status",
    budget: null,
    budgetType: null,
    objective: null,
  },
} as const satisfies Record<Level, Record<string, Field | null>>;

/** The levels that a file tells apart: without an ad column it describes whole ad sets. */
export function levelsOf(columns: Columns): Level[] {
  return LEVELS.filter((level) => level !== "ad" || hasLevel(columns, "ad"));
}

/** Whether a level is identified by Meta's ids in this file, or by its path of names. */
export function hasIds(columns: Columns, level: Level): boolean {
  return columns[CELLS[level].id] !== undefined;
}

function hasLevel(columns: Columns, level: Level): boolean {
  return hasIds(columns, level) || columns[CELLS[level].name] !== undefined;
}

/** Positions of the cells that identify entities; where all are empty, the row is about none. */
export function identifyingColumns(columns: Columns): number[] {
  return LEVELS.flatMap((level) => [columns[CELLS[level].id], columns[CELLS[level].name]])
    .filter((index) => index !== undefined);
}

/**
 * The paths of entities seen so far. Its size grows with the account, not with the file; the caller
 * empties it by `drain` when it gets large and may then see the same path again.
 */
export class Paths {
  readonly #levels: Level[];
  readonly #decimal: DecimalSign;
  readonly #fields: Field[];
  readonly #indexes: number[];
  readonly #known = new Map<string, Path>();
  #longIds = 0;
  #roundedIds = 0;

  constructor(columns: Columns, decimal: DecimalSign) {
    this.#levels = levelsOf(columns);
    this.#decimal = decimal;
    this.#fields = [];
    this.#indexes = [];
    for (const level of this.#levels) {
      for (const field of Object.values(CELLS[level])) {
        const index = field === null ? undefined : columns[field];
        if (field === null || index === undefined) continue;
        this.#fields.push(field);
        this.#indexes.push(index);
      }
    }
  }

  /** How many paths are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /**
   * Whether the ids went through a spreadsheet, which keeps 15 digits of a number and fills up with
   * zeros: different ads then share an id.
   */
  get areRounded(): boolean {
    return this.#longIds >= 3 && this.#roundedIds === this.#longIds;
  }

  /** The path that a row's cells describe; throws a `BadRow` where they identify nothing. */
  find(cells: readonly string[]): Path {
    let text = "";
    for (const index of this.#indexes) text += cells[index] + SEPARATOR;
    const known = this.#known.get(text);
    if (known) return known;
    const entities = this.#entities(text);
    for (const { entityId } of entities) this.#noteDigits(entityId);
    const leaf = entities.at(-1);
    const path = { key: leaf?.key ?? "", latest: "" };
    this.#known.set(text, path);
    return path;
  }

  /** Forgets all paths and hands out their entities, each different description once. */
  *drain(): Generator<Entity & { latest: string }> {
    const parents = new Map<string, Entity & { latest: string }>();
    for (const [text, { latest }] of this.#known) {
      if (latest === "") continue;
      const entities = this.#entities(text);
      const leaf = entities.pop();
      for (const entity of entities) {
        // The same campaign comes with each of its ads.
        const description = JSON.stringify(entity);
        const seen = parents.get(description);
        if (!seen) parents.set(description, { ...entity, latest });
        else if (latest > seen.latest) seen.latest = latest;
      }
      if (leaf) yield { ...leaf, latest };
    }
    this.#known.clear();
    yield* parents.values();
  }

  #noteDigits(id: string): void {
    if (!/^\d{16,}$/.test(id)) return;
    this.#longIds++;
    if (/^0+$/.test(id.slice(15))) this.#roundedIds++;
  }

  /** Campaign, ad set and ad of a path, the last one with its key. */
  #entities(text: string): Entity[] {
    // Cut from the remembered text, not from the row: a cell would keep its whole piece of the file
    // in memory.
    const values = text.split(SEPARATOR);
    const cell = (field: Field | null) => {
      const position = field === null ? -1 : this.#fields.indexOf(field);
      return values[position]?.trim() ?? "";
    };
    const steps: string[] = [];
    const ids: string[] = [];
    const entities: Entity[] = [];
    for (const level of this.#levels) {
      const cells = CELLS[level];
      const name = cell(cells.name).normalize("NFC") || null;
      const isById = this.#fields.includes(cells.id);
      const id = isById ? readId(cell(cells.id), level) : null;
      if (id === null && name === null) throw new BadRow(`no ${LEVEL_FACTS[level].one} name`);
      steps.push(id ?? name ?? "");
      const hash = id === null ? hashOf(steps) : "";
      const entityId = id ?? `name:${hash}`;
      ids.push(entityId);
      const budget = readBudget(cell(cells.budget), cell(cells.budgetType), this.#decimal);
      if (budget === null) {
        throw new BadRow(
          `the ${LEVEL_FACTS[level].one} budget "${cell(cells.budget)}" is not an amount`,
        );
      }
      const isLeaf = level === this.#levels.at(-1);
      entities.push({
        entityType: level,
        entityId,
        campaignId: ids[0] ?? entityId,
        adsetId: ids[1] ?? null,
        name,
        objective: cell(cells.objective) || null,
        status: readStatus(cell(cells.status)),
        effectiveStatus: readStatus(cell(cells.delivery)),
        budget,
        key: isLeaf ? id ?? BigInt.asIntN(64, BigInt(`0x${hash}`)).toString() : null,
      });
    }
    return entities;
  }
}

/** 16 hexadecimal digits fill a `bigint`: one clash among 100 million ads is 1 in 3,700. */
function hashOf(steps: readonly string[]): string {
  return createHash("sha256").update(steps.join(SEPARATOR)).digest("hex").slice(0, 16);
}

function readId(cell: string, level: Level): string {
  if (/^[1-9]\d{0,17}$/.test(cell)) return cell;
  const name = LEVEL_FACTS[level].one;
  if (cell === "") throw new BadRow(`no ${name} ID`);
  if (/^\d+(?:[.,]\d+)?e\+?\d+$/i.test(cell)) {
    throw new BadRow(`the ${name} ID "${cell}" lost its digits to a spreadsheet's notation`);
  }
  throw new BadRow(`the ${name} ID "${cell}" is not a number of up to 18 digits`);
}
