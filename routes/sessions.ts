/** Sessions of the page: a signed cookie that names a key, without its secret. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import type { Context } from "hono";
import { deleteCookie, getSignedCookie, setSignedCookie } from "hono/cookie";

const COOKIE = "adstrata_session";

/** A working day: long enough not to be asked twice, short enough for a machine left alone. */
const LENGTH_MS = 12 * 3_600_000;

/** A session whose cookie is genuine. Whether its key is still good is another question. */
export type Session = {
  prefix: string;
  /** What each request that changes something has to repeat, because cookies come by themselves. */
  csrfToken: string;
};

/** How sessions begin, are recognized and end. */
export type Sessions = ReturnType<typeof createSessions>;

/**
 * @param secret Signs the cookies: the same on all instances, or sessions end where another answers.
 */
export function createSessions(secret: string, now: () => Date) {
  return {
    /** Begins the session of a key. */
    async begin(c: Context, prefix: string): Promise<void> {
      const end = now().getTime() + LENGTH_MS;
      await setSignedCookie(c, COOKIE, `${prefix}.${end}`, secret, {
        httpOnly: true,
        sameSite: "Strict",
        path: "/",
        maxAge: LENGTH_MS / 1000,
        secure: isEncrypted(c),
      });
    },

    /** The session of a request, null without one and where it has ended or is forged. */
    async read(c: Context): Promise<Session | null> {
      const value = await getSignedCookie(c, secret, COOKIE);
      if (!value) return null;
      const [prefix, end] = value.split(".");
      if (!prefix || !(Number(end) > now().getTime())) return null;
      const csrfToken = createHmac("sha256", secret).update(`csrf ${value}`).digest("base64url");
      return { prefix, csrfToken };
    },

    /** Ends the session. */
    end(c: Context): void {
      deleteCookie(c, COOKIE, { path: "/" });
    },
  };
}

/** Whether a request that changes something repeats the token, in a header or in its form. */
export async function repeatsToken(c: Context, { csrfToken }: Session): Promise<boolean> {
  const isForm = c.req.header("content-type")?.startsWith("application/x-www-form-urlencoded");
  const given = c.req.header("x-csrf-token") ??
    (isForm ? (await c.req.parseBody()).csrf_token : undefined);
  return typeof given === "string" && isSame(Buffer.from(given), Buffer.from(csrfToken));
}

/** Compares in a time that does not depend on how much is the same. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Whether the browser got here by TLS, perhaps to a proxy before us. */
function isEncrypted(c: Context): boolean {
  return c.req.header("x-forwarded-proto") === "https" || c.req.url.startsWith("https:");
}
