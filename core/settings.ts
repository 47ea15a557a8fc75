/** The settings that come from the environment. */
import { z } from "zod";
import { Refusal } from "./refusal.ts";

const settingsSchema = z.object({
  /** The PostgreSQL server to use; without it, the embedded engine. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** The embedded engine's data folder. */
  ADSTRATA_DATA: z.string().min(1).default(".adstrata"),
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: z.coerce.number().int().min(0).max(65535).default(8000),
  /** How many runs of jobs at a time; without it, as many as there are cores. */
  ADSTRATA_CONCURRENCY: z.coerce.number().int().min(1).max(64).optional(),
  /** Signs the sessions of the page; without it, they end with the process. */
  ADSTRATA_SECRET: z.string().min(32).optional(),
  /** How many requests of a key an instance answers in a minute. */
  ADSTRATA_REQUESTS_PER_MINUTE: z.coerce.number().int().min(1).max(1_000_000).default(600),
  /** The other sites whose pages may ask the API: origins with commas between them. */
  ADSTRATA_CORS_ORIGINS: z.string().default("").transform((list) =>
    list.split(",").map((origin) => origin.trim()).filter((origin) => origin !== "")
  ).pipe(z.array(z.string().refine(isOrigin, "each is an origin such as https://example.com"))),
}).transform((env) => ({
  databaseUrl: env.DATABASE_URL ?? null,
  dataFolder: env.ADSTRATA_DATA,
  host: env.HOST,
  port: env.PORT,
  concurrency: env.ADSTRATA_CONCURRENCY ?? null,
  secret: env.ADSTRATA_SECRET ?? null,
  requestsPerMinute: env.ADSTRATA_REQUESTS_PER_MINUTE,
  corsOrigins: env.ADSTRATA_CORS_ORIGINS,
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

/** Refuses the embedded engine where files vanish with the instance that wrote them. */
export function checkEngine(
  { databaseUrl }: Pick<Settings, "databaseUrl">,
  { DENO_DEPLOY }: Record<string, string>,
): void {
  if (databaseUrl || !DENO_DEPLOY) return;
  throw new Refusal(
    "unavailable",
    "Deno Deploy keeps no files, so the embedded engine would lose its data there",
    "Set DATABASE_URL to a PostgreSQL server",
  );
}

/** Whether only programs on the machine itself reach a host. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function isOrigin(text: string): boolean {
  return URL.parse(text)?.origin === text;
}
