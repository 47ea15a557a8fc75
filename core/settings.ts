/** The settings that come from the environment. */
import { z } from "zod";
import { Refusal } from "./refusal.ts";

const flag = z.enum(["0", "1"]).default("0").transform((value) => value === "1");

const settingsSchema = z.object({
  /** The PostgreSQL server to use; without it, the embedded engine. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** The embedded engine's data folder. */
  ADSTRATA_DATA: z.string().min(1).default(".adstrata"),
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65535).default(8000),
  /** Allows a host that other machines can reach, although nothing checks who asks. */
  ADSTRATA_INSECURE: flag,
  /** How many runs of jobs at a time; without it, as many as there are cores. */
  ADSTRATA_CONCURRENCY: z.coerce.number().int().min(1).max(64).optional(),
}).transform((env) => ({
  databaseUrl: env.DATABASE_URL ?? null,
  dataFolder: env.ADSTRATA_DATA,
  host: env.HOST,
  port: env.PORT,
  insecure: env.ADSTRATA_INSECURE,
  concurrency: env.ADSTRATA_CONCURRENCY ?? null,
}));

/** What `readSettings` makes of the environment. */
export type Settings = z.output<typeof settingsSchema>;

/**
 * Reads the settings and refuses values that make no sense, all of them at once. An empty variable
 * counts as one that is not set.
 *
 * @param environment Usually `Deno.env.toObject()`.
 */
export function readSettings(environment: Record<string, string>): Settings {
  const given = Object.entries(environment).filter(([, value]) => value !== "");
  const parsed = settingsSchema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  // The values stay out of the message: a database URL holds a password.
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  throw new Refusal("invalid_parameter", `Wrong environment: ${wrong.join("; ")}`);
}

/** Refuses to listen where other machines can reach the service, unless that is asked for. */
export function checkHost({ host, insecure }: Pick<Settings, "host" | "insecure">): void {
  if (insecure || isLoopback(host)) return;
  throw new Refusal(
    "forbidden",
    `Refusing to listen on "${host}": the service has no access control yet`,
    "Leave HOST at 127.0.0.1, or set ADSTRATA_INSECURE=1 where only trusted people reach it",
  );
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}
