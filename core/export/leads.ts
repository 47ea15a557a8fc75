/** Which results are leads. Meta counts the same lead under several names; each must count once. */
import { z } from "zod";

/** `lead` already contains the others; without it the first of them stands for all. */
const LEAD_ACTIONS = [
  "lead",
  "onsite_conversion.lead_grouped",
  "leadgen_grouped",
  "offsite_conversion.fb_pixel_lead",
];

/** The same purchase appears under each of these names. */
const PURCHASE_ACTIONS = [
  "omni_purchase",
  "purchase",
  "offsite_conversion.fb_pixel_purchase",
  "onsite_conversion.purchase",
];

const actionList = z.array(
  z.object({ action_type: z.string(), value: z.union([z.string(), z.number()]) }),
);

/** What an `actions` cell counts; null where the list does not name it. */
export type ActionCounts = { leads: number | null; purchases: number | null };

/**
 * Reads an `actions` cell, a list as JSON or as Python prints it.
 *
 * @returns null where the cell holds something else.
 */
export function readActions(cell: string): ActionCounts | null {
  const list = actionList.safeParse(parseList(cell.trim()));
  if (!list.success) return null;
  const counts = new Map(list.data.map((action) => [action.action_type, Number(action.value)]));
  const first = (types: string[]) =>
    types.map((type) => counts.get(type)).find((count) => count !== undefined) ?? null;
  return { leads: first(LEAD_ACTIONS), purchases: first(PURCHASE_ACTIONS) };
}

function parseList(text: string): unknown {
  if (text === "") return [];
  try {
    return JSON.parse(text);
  } catch {
    try {
      // Action types and numbers hold no quotes, so this is all that Python's notation needs.
      return JSON.parse(text.replaceAll("'", '"'));
    } catch {
      return null;
    }
  }
}

const LEAD_WORD = /(?:^|[^\p{L}])(?:leads?|leadgen|cadastros?|prospects?)(?:$|[^\p{L}])/iu;
const LEAD_WORDS = /clientes? potencial/i;

/**
 * Whether a `Result indicator` or `Result type` says that the result is a lead:
 * `actions:offsite_conversion.fb_pixel_lead` and `Leads (form)` do, `actions:link_click` does not.
 */
export function isLeadIndicator(indicator: string): boolean {
  return LEAD_WORD.test(indicator) || LEAD_WORDS.test(indicator);
}
