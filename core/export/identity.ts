/** Who a row is about: the campaign, ad set and ad that its cells name. */
import { hash } from "node:crypto";
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

/** What a file says about one entity, in its place below its parent. Only a leaf has no children. */
type Description = Path & { children: Descriptions | null };

/** Descriptions by the text of their cells. */
type Descriptions = Map<string, Description>;

/** Where a file tells about a level: its fields and their positions. */
type LevelCells = { level: Level; isLeaf: boolean; fields: Field[]; indexes: number[] };

const SEPARATOR = "\u001f";

/** About what a description takes beside its text, in bytes. */
const OVERHEAD = 200;

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
 * The paths of entities seen so far, as a tree, so that a campaign's cells are kept once and not with
 * each of its ads. Its size grows with the account, not with the file; the caller empties it by
 * `drain` when it gets large and may then see the same path again.
 */
export class Paths {
  readonly #levels: LevelCells[];
  readonly #decimal: DecimalSign;
  #known: Descriptions = new Map();
  #size = 0;
  #longIds = 0;
  #roundedIds = 0;

  constructor(columns: Columns, decimal: DecimalSign) {
    this.#decimal = decimal;
    this.#levels = levelsOf(columns).map((level, index, { length }) => {
      const fields: Field[] = [];
      const indexes: number[] = [];
      for (const field of Object.values(CELLS[level])) {
        const index = field === null ? undefined : columns[field];
        if (field === null || index === undefined) continue;
        fields.push(field);
        indexes.push(index);
      }
      return { level, isLeaf: index === length - 1, fields, indexes };
    });
  }

  /** How much is remembered, in bytes. */
  get size(): number {
    return this.#size;
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
    let found: Description | undefined;
    let siblings: Descriptions | null = this.#known;
    for (const { indexes } of this.#levels) {
      found = siblings?.get(textOf(cells, indexes));
      if (!found) break;
      siblings = found.children;
    }
    return found ?? this.#remember(cells);
  }

  /** Forgets all paths and hands out their entities, each different description once. */
  *drain(): Generator<Entity & { latest: string }> {
    const known = this.#known;
    this.#known = new Map();
    this.#size = 0;
    yield* this.#describe(known, []);
  }

  #remember(cells: readonly string[]): Path {
    const steps: string[] = [];
    let path: Description = { key: "", latest: "", children: this.#known };
    for (const level of this.#levels) {
      const text = textOf(cells, level.indexes);
      const { id, name } = this.#read(level, text);
      steps.push(id ?? name ?? "");
      let child = path.children?.get(text);
      if (!child) {
        // Once per description: a hash costs native memory that lies around for long.
        const key = id ?? keyOf(steps);
        child = { key, latest: "", children: level.isLeaf ? null : new Map() };
        path.children?.set(text, child);
        this.#size += bytesOf(text) + OVERHEAD;
        if (id !== null) this.#noteDigits(id);
      }
      path = child;
    }
    return path;
  }

  /** @returns The newest day of all of them. */
  *#describe(
    siblings: Descriptions,
    above: readonly string[],
  ): Generator<Entity & { latest: string }, string> {
    let newest = "";
    const level = this.#levels[above.length];
    if (!level) return newest;
    for (const [text, { key, latest: own, children }] of siblings) {
      const { id, ...told } = this.#read(level, text);
      const entityId = id ?? nameId(key);
      const ids = [...above, entityId];
      const latest = children === null ? own : yield* this.#describe(children, ids);
      // What only bad rows say counts for nothing.
      if (latest === "") continue;
      yield {
        entityType: level.level,
        entityId,
        campaignId: ids[0] ?? entityId,
        adsetId: ids[1] ?? null,
        ...told,
        key: children === null ? key : null,
        latest,
      };
      if (latest > newest) newest = latest;
    }
    return newest;
  }

  #noteDigits(id: string): void {
    if (!/^\d{16,}$/.test(id)) return;
    this.#longIds++;
    if (/^0+$/.test(id.slice(15))) this.#roundedIds++;
  }

  /** What the text of a level's cells says; throws a `BadRow` where it identifies nothing. */
  #read({ level, fields }: LevelCells, text: string) {
    // Cut from the remembered text, not from the row: a cell would keep its whole piece of the file
    // in memory.
    const values = text.split(SEPARATOR);
    const cell = (field: Field | null) => {
      const position = field === null ? -1 : fields.indexOf(field);
      return values[position]?.trim() ?? "";
    };
    const cells = CELLS[level];
    const name = cell(cells.name).normalize("NFC") || null;
    const id = fields.includes(cells.id) ? readId(cell(cells.id), level) : null;
    if (id === null && name === null) throw new BadRow(`no ${LEVEL_FACTS[level].one} name`);
    const budget = readBudget(cell(cells.budget), cell(cells.budgetType), this.#decimal);
    if (budget === null) {
      throw new BadRow(
        `the ${LEVEL_FACTS[level].one} budget "${cell(cells.budget)}" is not an amount`,
      );
    }
    return {
      id,
      name,
      objective: cell(cells.objective) || null,
      status: readStatus(cell(cells.status)),
      effectiveStatus: readStatus(cell(cells.delivery)),
      budget,
    };
  }
}

function textOf(cells: readonly string[], indexes: readonly number[]): string {
  let text = "";
  for (const index of indexes) text += cells[index] + SEPARATOR;
  return text;
}

/** V8 keeps a text in one byte per character as long as all of them are Latin-1. */
function bytesOf(text: string): number {
  return /[^\0-\xff]/.test(text) ? 2 * text.length : text.length;
}

/** 64 bits fill a `bigint`: one clash among 100 million ads is 1 in 3,700. */
function keyOf(steps: readonly string[]): string {
  const digits = hash("sha256", steps.join(SEPARATOR), "hex").slice(0, 16);
  return BigInt.asIntN(64, BigInt(`0x${digits}`)).toString();
}

function nameId(key: string): string {
  return `name:${BigInt.asUintN(64, BigInt(key)).toString(16).padStart(16, "0")}`;
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
