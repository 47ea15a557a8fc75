/** What an account may set: the limits of all rules, the guardrails, and the language. */
import { z } from "@hono/zod-openapi";
import { Refusal } from "../refusal.ts";
import { probability, ratio } from "./limits.ts";
import { RULES } from "./rules.ts";
import { LANGUAGES } from "./words.ts";

const power = (usual: number) => z.number().gt(0).lt(1).default(usual);

const Guardrails = z.strictObject({
  /** A budget moves by at most so much. Meta advises up to 20 %, lest the learning phase starts anew. */
  budget_step_percent: z.number().gt(0).max(100).default(20),
  /** How long nothing moves an entity's money after something did. */
  cooldown_hours: z.number().min(0).max(720).default(72),
  /** Days with delivery in the last 30 before anything is advised. The first ones are noise. */
  days_active: z.int().min(0).max(30).default(3),
  recommendations_per_entity: z.int().min(1).max(20).default(3),
  /** What may be the best of its siblings is not paused: the most of a probability that is allowed. */
  pause_best_probability: probability(0.02),
  /** What may be near the reference is not paused, whatever its siblings cost. */
  pause_ratio: ratio(1.2),
  pause_ratio_probability: probability(0.8),
  /**
   * Advice that somebody dismissed comes back before its expiry only if the doubt about it, which is
   * 1 - confidence, has shrunk to this share of what it was, or if it has become more urgent.
   */
  dismissed_doubt_share: z.number().min(0).max(1).default(0.25),
  /** Open advice is withdrawn when its claim has become less probable than this. */
  withdrawn_probability: probability(0.5),
}).prefault({});

const Returns = z.strictObject({
  /** Leads grow by spend to this power, 80 % sure between low and high. */
  low: power(0.6),
  expected: power(0.8),
  high: power(0.95),
}).refine(({ low, expected, high }) => low <= expected && expected <= high, {
  message: "low, expected and high have to be in this order",
}).prefault({});

const Verdicts = z.strictObject({
  /** A CPL ratio up to the first one is cheap, from the second one on expensive. */
  cheap_ratio: ratio(0.7),
  expensive_ratio: ratio(1.5),
  /** How sure it has to be in which of the three ranges an entity is. */
  probability: probability(0.8),
}).prefault({});

const Impact = z.strictObject({
  /**
   * A change of the CPL by up to so many percent is small: half of a budget step, and no more than
   * what a hundred leads on either side can tell from none.
   */
  small_percent: z.number().gt(0).max(50).default(10),
}).prefault({});

/**
 * The schema of `ads.accounts.settings`, with the default of everything. What stands there overrides
 * it; a name that is not known is an error, because it would be a limit that nobody applies.
 */
export const AccountSettings = z.strictObject({
  language: z.enum(LANGUAGES).default("en"),
  guardrails: Guardrails,
  returns: Returns,
  verdicts: Verdicts,
  impact: Impact,
  rules: z.strictObject(
    Object.fromEntries(RULES.map(({ name, limits }) => [name, limits.prefault({})])),
  ).prefault({}),
});

/** The settings of an account, complete. */
export type AccountSettings = z.output<typeof AccountSettings>;

/**
 * Completes what an account overrides.
 *
 * @param overrides As in `ads.accounts.settings`.
 * @throws {Refusal} with each wrong value and the reason.
 */
export function readAccountSettings(overrides: unknown): AccountSettings {
  const parsed = AccountSettings.safeParse(overrides);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) =>
    path.length > 0 ? `${path.join(".")}: ${message}` : message
  );
  throw new Refusal("invalid_parameter", `Wrong settings: ${wrong.join("; ")}`);
}

/**
 * Overrides with changes made to them, unchecked: a value that is undefined goes back to the default.
 *
 * @param changes Paths such as `["rules", "scale_up", "probability"]` with their values.
 */
export function overrideSettings(
  overrides: unknown,
  changes: readonly [path: readonly string[], value: unknown][],
): unknown {
  return changes.reduce<unknown>(
    (all, [path, value]) => changed(all, path, value) ?? {},
    overrides,
  );
}

function changed(all: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const { [name]: before, ...others } = Overrides.safeParse(all).data ?? {};
  const after = changed(before, rest, value);
  if (after !== undefined) return { ...others, [name]: after };
  return Object.keys(others).length > 0 ? others : undefined;
}

const Overrides = z.record(z.string(), z.unknown());
