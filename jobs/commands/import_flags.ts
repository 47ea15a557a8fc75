/** What the flags of `deno task import` say. */
import { z } from "zod";
import { parseHeaderMap } from "../../core/export/columns.ts";
import { Refusal } from "../../core/refusal.ts";
import type { ImportOptions } from "../import.ts";

const flagsSchema = z.object({
  config: z.string().regex(/^\d{1,9}$/, "it must be a whole number").transform(Number)
    .refine((id) => id > 0, "it must be 1 or more"),
  "account-id": z.string().transform((id) => id.replace(/^act_/, ""))
    .refine((id) => /^\d+$/.test(id), "it must be digits, with or without act_").optional(),
  name: z.string().trim().min(1, "it must not be empty").optional(),
  currency: z.string().transform((code) => code.toUpperCase())
    .refine((code) => /^[A-Z]{3}$/.test(code), "it must be three letters such as EUR")
    .optional(),
  "time-zone": z.string().refine(isTimeZone, "it must be a zone such as Europe/Lisbon").optional(),
  "target-cpl": z.string().regex(/^\d+(\.\d+)?$/, "it must be an amount such as 12.5")
    .transform(Number).refine((amount) => amount > 0, "it must be more than 0").optional(),
  dates: z.enum(["dmy", "mdy"], "it must be dmy or mdy").optional(),
  decimal: z.enum(["point", "comma"], "it must be point or comma").optional(),
  results: z.literal("leads", "it must be leads").optional(),
  "no-leads": z.boolean().optional(),
  "skip-bad-rows": z.boolean().optional(),
});

function isTimeZone(zone: string): boolean {
  try {
    // An offset such as +02:00 passes here but is no zone: it knows no summer time.
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return /^[A-Za-z]/.test(zone);
  } catch {
    return false;
  }
}

/** Checks the flags as they come and refuses the first wrong one. */
export function readFlags(
  values: { map?: string[] | undefined; [flag: string]: unknown },
): Omit<ImportOptions, "files"> {
  const { map, ...single } = values;
  if (single.config === undefined) {
    throw new Refusal(
      "invalid_parameter",
      "--config is missing: the number of the account to import into",
      "Take 1 for your first account: deno task import FILE --config 1",
      { parameter: "config" },
    );
  }
  const parsed = flagsSchema.safeParse(single);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const flag = String(issue?.path[0]);
    throw new Refusal(
      "invalid_parameter",
      `--${flag} "${single[flag]}" is wrong: ${issue?.message}`,
      undefined,
      { parameter: flag },
    );
  }
  const flags = parsed.data;
  if (flags.results && flags["no-leads"]) {
    throw new Refusal("invalid_parameter", "--results leads and --no-leads exclude each other");
  }
  return {
    configId: flags.config,
    account: {
      accountId: flags["account-id"],
      name: flags.name,
      currency: flags.currency,
      timeZone: flags["time-zone"],
      targetCpl: flags["target-cpl"],
    },
    map: parseHeaderMap(map ?? []),
    conventions: { dates: flags.dates, decimal: flags.decimal },
    leads: flags["no-leads"] ? "none" : flags.results && "results",
    skipBadRows: flags["skip-bad-rows"] ?? false,
  };
}
