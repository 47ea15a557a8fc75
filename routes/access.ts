/** Who asks, and whether they may: keys, sessions of the page, roles and how often. */
import type { Context, Next } from "hono";
import { z } from "zod";
import { type Access, EVERYTHING, includesRole, type Role } from "../core/access.ts";
import { readApiKey } from "../core/api_key.ts";
import { Refusal } from "../core/refusal.ts";
import { type Bucket, takeToken } from "../core/token_bucket.ts";
import { findGoodKey, hasApiKeys, noteUse } from "../db/api_keys.ts";
import type { Sql } from "../db/connect.ts";
import { databaseState } from "../db/state.ts";
import { isSame, repeatsToken, type Session, type Sessions } from "./sessions.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Who asks; not set on the few routes that anybody may ask. */
    access?: Access;
    /** The session of the page that a request belongs to. */
    session?: Session;
    /** As `databaseState` told it. */
    databaseState?: string | null;
  }
}

/** What anybody may ask: nothing of any account is told there, or the route itself looks who asks. */
const OPEN = /^\/(api\/v1\/(health|openapi\.json)|docs|assets|metrics|sign-in|sign-out)(\/|$)/;

const SAFE_METHODS = ["GET", "HEAD", "OPTIONS"];

/** The check that stands before all routes. */
export type AccessControl = ReturnType<typeof createAccessControl>;

/**
 * Lets in who has a good key, or everybody on this machine while there are no keys.
 *
 * @param requestsPerMinute For each key, on each instance.
 */
export function createAccessControl(
  { sql, now, sessions, requestsPerMinute }: {
    sql: Sql;
    now: () => Date;
    sessions: Sessions;
    requestsPerMinute: number;
  },
) {
  const buckets = new Map<number, Bucket>();
  let keysAreNeeded = false;
  let stateWithoutKeys: string | null = null;

  /** Refuses who may not do what is asked, on every route but the open ones. */
  async function control(c: Context, next: Next): Promise<Response | void> {
    // The same address has other answers for other keys, and caches do not know of X-API-Key.
    c.header("Cache-Control", "no-store");
    if (OPEN.test(c.req.path)) return await next();
    const access = await identify(c);
    if (!access) {
      // A person is shown the door, a program is told that it is closed.
      if (!c.req.path.startsWith("/api/")) return toSignIn(c);
      c.header("WWW-Authenticate", "Bearer");
      throw await unauthorized(c);
    }
    limitRate(c, access);
    if (!SAFE_METHODS.includes(c.req.method)) {
      requireRole(access, "write");
      const session = c.get("session");
      if (session && !await repeatsToken(c, session)) {
        throw new Refusal("forbidden", "The header X-CSRF-Token is missing or wrong");
      }
    }
    c.set("access", access);
    await next();
  }

  /** Who asks, null where nobody can tell. */
  async function identify(c: Context): Promise<Access | null> {
    const given = givenKey(c);
    if (given !== undefined) return await accessByKey(given);
    const session = await sessions.read(c);
    const key = session && await findGoodKey(sql, session.prefix, now());
    if (key) {
      c.set("session", session);
      await noteUse(sql, key, now());
      return key;
    }
    return isLocal(c) && !await areKeysNeeded(c) ? EVERYTHING : null;
  }

  async function accessByKey(text: string): Promise<Access | null> {
    const given = readApiKey(text);
    const key = given && await findGoodKey(sql, given.prefix, now());
    if (!given || !key || !isSame(key.secretHash, given.secretHash)) return null;
    await noteUse(sql, key, now());
    return key;
  }

  async function areKeysNeeded(c: Context): Promise<boolean> {
    // They are never deleted, only revoked: once needed, they stay so.
    if (keysAreNeeded) return true;
    const state = await stateOf(c);
    if (state !== null && state === stateWithoutKeys) return false;
    keysAreNeeded = await hasApiKeys(sql);
    if (!keysAreNeeded) stateWithoutKeys = state;
    return keysAreNeeded;
  }

  /** The state of the database when the request came, asked for once. */
  async function stateOf(c: Context): Promise<string | null> {
    const known = c.get("databaseState");
    if (known !== undefined) return known;
    const state = await databaseState(sql);
    c.set("databaseState", state);
    return state;
  }

  async function unauthorized(c: Context): Promise<Refusal> {
    if (givenKey(c) !== undefined) {
      return new Refusal(
        "unauthorized",
        "The key is unknown, expired or revoked",
        "`deno task key list` shows the good ones, `deno task key create` makes one",
      );
    }
    return await areKeysNeeded(c)
      ? new Refusal(
        "unauthorized",
        "A key is needed",
        "Send it in the header X-API-Key, or in Authorization after Bearer",
      )
      : new Refusal(
        "unauthorized",
        "Without keys the service answers only on its own machine",
        "`deno task key create` makes one",
      );
  }

  function limitRate(c: Context, { keyId }: Access): void {
    if (keyId === null) return;
    const { bucket, waitMs } = takeToken(
      buckets.get(keyId),
      requestsPerMinute,
      performance.now(),
    );
    buckets.set(keyId, bucket);
    if (waitMs === 0) return;
    const seconds = Math.ceil(waitMs / 1000);
    c.header("Retry-After", String(seconds));
    throw new Refusal(
      "rate_limited",
      `More than ${requestsPerMinute} requests in a minute`,
      `Try again in ${seconds} s`,
    );
  }

  return { control, identify, accessByKey, stateOf };
}

/** Refuses who has not the role that something needs. */
export function requireRole(access: Access, role: Role): void {
  if (includesRole(access.role, role)) return;
  throw new Refusal(
    "forbidden",
    `This key may only ${access.role}`,
    `Use one with the role ${role}`,
  );
}

/** Other schemes than Bearer are none of ours: a proxy may ask for a password of its own. */
function givenKey(c: Context): string | undefined {
  return c.req.header("x-api-key") ??
    c.req.header("authorization")?.match(/^Bearer\s+(.+)$/i)?.[1];
}

function toSignIn(c: Context): Response {
  const { pathname, search } = new URL(c.req.url);
  return c.redirect(`/sign-in?${new URLSearchParams({ to: pathname + search })}`, 303);
}

/** What `Deno.serve` tells about a connection. */
const Connection = z.object({ remoteAddr: z.object({ hostname: z.string() }) });

const LOOPBACK = /^(localhost|\[?::1\]?|(::ffff:)?127(\.\d+){3})$/;

/** What proxies add, most of them only some of it. */
const FORWARDED = /^(forwarded|via|x-forwarded-.*|x-real-ip)$/;

/**
 * Whether a request comes from this machine, and not through a proxy on it. The name by which it asks
 * has to be of this machine too, or a page of another site could have its own name lead here.
 */
export function isLocal(c: Context): boolean {
  const { data } = Connection.safeParse(c.env);
  return LOOPBACK.test(data?.remoteAddr.hostname ?? "") &&
    LOOPBACK.test(new URL(c.req.url).hostname) &&
    !Object.keys(c.req.header()).some((name) => FORWARDED.test(name));
}
