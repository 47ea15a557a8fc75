/** The app on a small account of literal rows, for the tests of its routes. */
import { z } from "zod";
import type { Role } from "../../core/access.ts";
import { KEY_BYTES, makeApiKey } from "../../core/api_key.ts";
import { createApiKey } from "../../db/api_keys.ts";
import { type AppOptions, createApp } from "../../routes/app.ts";
import { testDatabase } from "../database.ts";

/** Noon in New York on 11 March 2026: the last complete day is the 10th. */
export const NOW = new Date("2026-03-11T16:00:00Z");

/** The body of a refusal, as far as tests look into it. */
export const Refused = z.object({
  code: z.string(),
  message: z.string(),
  details: z.object({
    parameters: z.array(z.object({ name: z.string(), problem: z.string() })),
  }).optional(),
});

/** An answer. */
export type Answer = {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed JSON, null where the answer is of another type. */
  body: unknown;
  /** The body of a type that tests can look into, which it is checked to be. Nothing is left out. */
  read<Schema extends z.ZodType>(schema: Schema): z.output<Schema>;
};

/** The app on a database of its own, without any account. */
export type Service = Awaited<ReturnType<typeof openApp>>;

/**
 * Opens a database with the account 1 (a running and a paused campaign, three ad sets, four ads, 20
 * days of 20 USD a day and ad), the account 2 without anything, and the app on it.
 */
export async function openService(options: Options = {}): Promise<Service> {
  const service = await openApp(options);
  const { sql } = service;
  await sql`
    insert into ads.accounts (config_id, account_id, name, currency, time_zone, created_at, updated_at)
    values
      (1, '1234567890', 'Sunrise', 'USD', 'America/New_York', '2026-01-01Z', '2026-01-02Z'),
      (2, null, 'Empty', 'EUR', 'Europe/Berlin', '2026-01-01Z', '2026-01-02Z')`;
  await sql`
    insert into ads.campaigns (config_id, campaign_id, name, objective, status, daily_budget)
    values
      (1, '11', 'Spring', 'OUTCOME_LEADS', 'ACTIVE', 100),
      (1, '12', 'Winter', 'OUTCOME_LEADS', 'PAUSED', null)`;
  await sql`
    insert into ads.adsets (config_id, adset_id, campaign_id, name, status, daily_budget)
    values
      (1, '21', '11', 'Parents', 'ACTIVE', null),
      (1, '22', '11', 'Lookalike', 'ACTIVE', null),
      (1, '23', '12', 'Skiers', 'ACTIVE', 30)`;
  await sql`
    insert into ads.ads (config_id, ad_id, adset_id, campaign_id, name, status)
    values
      (1, '31', '21', '11', 'Video <b>', 'ACTIVE'),
      (1, '32', '21', '11', 'Image', 'ACTIVE'),
      (1, '33', '22', '11', 'Carousel', 'ACTIVE'),
      (1, '34', '23', '12', 'Snow', 'ACTIVE')`;
  await sql`select ads.create_insight_partitions('2026-02-01', '2026-03-31')`;
  await sql`
    insert into ads.insights (
      config_id, date, campaign_id, adset_id, ad_id, spend, impressions, reach, clicks, leads,
      conversions
    )
    select 1, day::date, '11', adset_id, ad_id, 20, 1000, 800, 10, leads, leads
    from generate_series(date '2026-02-19', date '2026-03-10', interval '1 day') day
    cross join (values ('21', '31', 4), ('21', '32', 1), ('22', '33', 2)) a (adset_id, ad_id, leads)`;
  return service;
}

/** What the server tells of a connection from a host. */
export function connectionFrom(hostname: string) {
  return { remoteAddr: { transport: "tcp", hostname, port: 1 } };
}

/** A connection from the machine itself. */
export const LOCAL = connectionFrom("127.0.0.1");

/** What the app of a test has another way than usual. */
type Options = Partial<AppOptions> & {
  /** Where requests come from; without it, from the machine itself. */
  from?: string;
};

/** Opens an empty database and the app on it. */
export async function openApp({ from = "127.0.0.1", ...options }: Options = {}) {
  const database = await testDatabase();
  const { sql } = database;
  const app = createApp({ sql, version: "1.2.3", now: () => NOW, ...options });

  async function request(path: string, init?: RequestInit): Promise<Answer> {
    const response = await app.request(path, init, connectionFrom(from));
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    const body: unknown = isJson ? JSON.parse(text) : null;
    return {
      status: response.status,
      headers: response.headers,
      text,
      body,
      read(schema) {
        if (isOf(schema, body)) return body;
        throw new Error(`${path} answered otherwise: ${text}`);
      },
    };
  }

  return {
    app,
    sql,
    request,
    get: (path: string) => request(path),
    post: (path: string, body: unknown) =>
      request(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

/** Makes a key and returns it as its owner has it. */
export async function addKey(
  { sql }: Pick<Service, "sql">,
  { configIds = [1], role = "read", expiresAt = null }: {
    configIds?: number[];
    role?: Role;
    expiresAt?: Date | null;
  } = {},
): Promise<string> {
  const { key, ...stored } = makeApiKey(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
  await createApiKey(sql, { ...stored, name: "test", role, configIds, at: NOW, expiresAt });
  return key;
}

function isOf<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): value is z.output<Schema> {
  return schema.safeParse(value).success;
}

/** Stores classifications of account 1 with the ids 101, 102 and so on, the oldest first. */
export async function storeClassifications(
  { sql }: Pick<Service, "sql">,
  rows: { entityType: string; entityId: string; tier: string; confidence: number; at: string }[],
): Promise<void> {
  for (const [index, { entityType, entityId, tier, confidence, at }] of rows.entries()) {
    await sql`
      insert into ads.ml_classifications (
        config_id, id, entity_type, entity_id, parent_id, tier, confidence_score, metrics_snapshot,
        model_version, as_of, classified_at, valid_until
      )
      select
        1, ${101 + index}, ${entityType}, ${entityId}, parent_id, ${tier}, ${confidence},
        '{"leads_7d": 3}', 'test', ${at}::timestamptz::date - 1, ${at}, ${at}::timestamptz + interval '1 day'
      from ads.entities
      where config_id = 1 and entity_type = ${entityType} and entity_id = ${entityId}`;
  }
}
