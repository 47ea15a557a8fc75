/** Parameters that several resources share: one spelling, one check and one description of each. */
import { z } from "@hono/zod-openapi";
import { LEVELS } from "../core/level.ts";
import { wrongParameter } from "./errors.ts";

const INT4_MAX = 2_147_483_647;
const FIRST_DAY = "2010-01-01";
const LAST_DAY = "2049-12-31";
/** A number as JSON writes it. */
const DECIMAL = /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/;

/** An integer of a range, as a number or in digits. */
export function integer(minimum: number, maximum: number) {
  return z.preprocess(
    (value) => typeof value === "string" && /^-?\d{1,16}$/.test(value) ? Number(value) : value,
    z.int().min(minimum).max(maximum),
  ).openapi({ type: "integer", minimum, maximum });
}

/** A number of a range, as a number or in digits. */
export function decimal(minimum: number, maximum: number) {
  return z.preprocess(
    (value) => typeof value === "string" && DECIMAL.test(value) ? Number(value) : value,
    z.number().min(minimum).max(maximum),
  ).openapi({ type: "number", minimum, maximum });
}

const BOOLEANS = new Map<unknown, boolean>([
  ["true", true],
  ["1", true],
  [1, true],
  ["false", false],
  ["0", false],
  [0, false],
]);

/** `true`, `false`, `1` or `0`. */
export const flag = z.preprocess((value) => BOOLEANS.get(value) ?? value, z.boolean())
  .openapi({ type: "boolean" });

/** Text that PostgreSQL can hold. Its length is that of JSON schema and PostgreSQL, in characters. */
export function text(maximum: number, minimum = 1) {
  return z.string().min(minimum)
    .refine((value) => [...value].length <= maximum, `Too big: more than ${maximum} characters`)
    .regex(/^[^\0]*$/, "Invalid input: contains a NUL")
    .openapi({ maxLength: maximum });
}

/** The id of a campaign, ad set or ad. Its digits do not fit a number, so it is text. */
export const EntityId = text(64).openapi({ example: "120210000000000001" });

/** The level. */
export const EntityType = z.enum(LEVELS).openapi("EntityType");

/** The level of a request, which clients that know no levels do not give. */
export const EntityTypeParameter = EntityType.default("campaign").openapi({
  description: "`campaign` where it is not given",
});

/** The number that names an account here. */
export const ConfigId = integer(1, INT4_MAX).openapi({ description: "The account, by its number" });

/** The number of a stored row. */
export const RowId = integer(1, Number.MAX_SAFE_INTEGER);

/** A day that the database can be asked about. */
export const Day = z.iso.date().refine(
  (day) => day >= FIRST_DAY && day <= LAST_DAY,
  `Invalid input: expected a day from ${FIRST_DAY} to ${LAST_DAY}`,
).openapi({ format: "date", example: "2026-03-01" });

const AnyInstant = z.union(
  [z.iso.datetime({ offset: true, local: true }), z.iso.date()],
  "Invalid input: expected a day or an ISO 8601 instant",
).refine(
  (value) => /^(19[7-9]|20|21)/.test(value),
  "Invalid input: expected a year from 1970 to 2199",
);

const instantDescription = {
  type: "string" as const,
  anyOf: [
    { format: "date-time" },
    { format: "date" },
    { pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}(:\\d{2}(\\.\\d+)?)?$" },
  ],
  description: "An instant, in UTC where it has no offset, or a day; included",
};

/** The start of a range of instants. A day means its midnight, no offset means UTC. */
export const InstantFrom = AnyInstant.transform((value) => instant(value, 0))
  .openapi({ ...instantDescription, example: "2026-03-01" });

/** The end of a range of instants. A day means all of that day, no offset means UTC. */
export const InstantTo = AnyInstant.transform((value) => instant(value, 86_400_000 - 1))
  .openapi({ ...instantDescription, example: "2026-03-31" });

function instant(value: string, afterMidnight: number): Date {
  if (value.length === "2026-03-01".length) return new Date(Date.parse(value) + afterMidnight);
  return new Date(/(Z|[+-]\d{2}:?\d{2})$/.test(value) ? value : `${value}Z`);
}

/**
 * The instants that a range means; `before` is not included. PostgreSQL keeps microseconds, so the last
 * millisecond counts to its end.
 */
export function timeOf({ date_from, date_to }: { date_from?: Date; date_to?: Date }) {
  if (date_from && date_to && date_from > date_to) {
    throw wrongParameter("date_from", "is after date_to");
  }
  return { from: date_from, before: date_to && new Date(date_to.getTime() + 1) };
}

const META_ACCOUNT_ID = /^(act_)?\d{1,30}$/;

/** The two names of an account, one of which a request must give. */
export const accountParameters = {
  config_id: ConfigId.optional(),
  ad_account_id: z.string().regex(META_ACCOUNT_ID, "Invalid input: expected a Meta account id")
    .transform((id) => id.replace("act_", "")).optional().openapi({
      type: "string",
      pattern: META_ACCOUNT_ID.source,
      description: "The account, by Meta's id, with or without `act_`",
      example: "act_1234567890",
    }),
};

const PAGE = 50;
const PAGE_MAX = 200;

/** The two ways to ask for a page of a list, and the way to leave its counts out. */
export const pagingParameters = {
  limit: integer(1, PAGE_MAX).optional().openapi({ description: `Rows of a page (${PAGE})` }),
  offset: integer(0, INT4_MAX).optional().openapi({ description: "Rows to skip (0)" }),
  page: integer(1, INT4_MAX).optional().openapi({ description: "The page, from 1" }),
  page_size: integer(1, PAGE_MAX).optional().openapi({ description: `Rows of a page (${PAGE})` }),
  count: flag.default(true).openapi({
    description: "Whether to count all matches, which a page of a long history need not wait for",
  }),
};

/** A page of a list as the database is asked for it. */
export type Page = { limit: number; offset: number };

/** The page that a request asks for in either way. */
export function pageOf(
  query: { limit?: number; offset?: number; page?: number; page_size?: number },
): Page {
  if (query.page === undefined && query.page_size === undefined) {
    return { limit: query.limit ?? PAGE, offset: query.offset ?? 0 };
  }
  const limit = query.page_size ?? query.limit ?? PAGE;
  return { limit, offset: ((query.page ?? 1) - 1) * limit };
}

/** How an answer names its page. */
export function pageNumbers({ limit, offset }: Page) {
  return { page: Math.floor(offset / limit) + 1, page_size: limit };
}
