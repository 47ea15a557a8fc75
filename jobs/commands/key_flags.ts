/** What the flags of `deno task key create` say. */
import { z } from "zod";
import { ROLES } from "../../core/access.ts";
import { Refusal } from "../../core/refusal.ts";

const HOUR_MS = 3_600_000;
const UNIT_MS = { h: HOUR_MS, d: 24 * HOUR_MS };

const flagsSchema = z.object({
  config: z.array(
    z.string().regex(/^[1-9]\d{0,8}$/, "each is the number of an account").transform(Number),
    "give the accounts that it may see, as in --config 14 --config 15",
  ),
  role: z.enum(ROLES, `it is one of ${ROLES.join(", ")}`),
  // A line of the list is a key: no name breaks out of it, or hides what stands beside it.
  name: z.string("say whose it is, as in --name reporting").trim()
    .regex(/^\P{C}{1,100}$/u, "give 1 to 100 characters that can be seen"),
  expires: z.string().regex(/^[1-9]\d{0,4}[hd]$/, "give hours or days, as in 12h or 90d")
    .optional(),
});

/**
 * Checks the flags as they come and refuses all wrong ones.
 *
 * @param now When the time of a key that expires begins.
 */
export function readKeyFlags(values: Record<string, unknown>, now: Date) {
  const parsed = flagsSchema.safeParse(values);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) =>
      `--${String(path[0])}: ${message}`
    );
    throw new Refusal("invalid_parameter", wrong.join("; "));
  }
  const { config, role, name, expires } = parsed.data;
  return {
    configIds: [...new Set(config)],
    role,
    name,
    expiresAt: expires ? new Date(now.getTime() + lengthOf(expires)) : null,
  };
}

function lengthOf(expires: string): number {
  const unit = expires.endsWith("h") ? UNIT_MS.h : UNIT_MS.d;
  return parseInt(expires) * unit;
}
