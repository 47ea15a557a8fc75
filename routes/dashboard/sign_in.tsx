/** Signing in to the pages with a key, and out again. */
import { type Context, Hono } from "hono";
import { csrf } from "hono/csrf";
import { html } from "hono/html";
import { readApiKey } from "../../core/api_key.ts";
import { Refusal } from "../../core/refusal.ts";
import type { AccessControl } from "../access.ts";
import { repeatsToken, type Sessions } from "../sessions.ts";
import { Layout } from "./layout.tsx";

/** The routes that let people in and out. */
export function signInRoutes(
  { sessions, accessByKey }: { sessions: Sessions } & Pick<AccessControl, "accessByKey">,
): Hono {
  const router = new Hono();

  router.get("/sign-in", (c) => form(c, pathOf(c.req.query("to"))));

  // A form of another site must not sign somebody in with a key of its own.
  router.post("/sign-in", csrf(), async (c) => {
    const fields = await c.req.parseBody();
    const to = pathOf(fields.to);
    const text = typeof fields.key === "string" ? fields.key.trim() : "";
    const key = readApiKey(text);
    if (!key || !await accessByKey(text)) {
      c.status(401);
      return form(c, to, "This key is unknown, expired or revoked.");
    }
    await sessions.begin(c, key.prefix);
    return c.redirect(to, 303);
  });

  router.post("/sign-out", async (c) => {
    const session = await sessions.read(c);
    // Where the form of another site sends no cookie, the answer must not delete it either.
    if (session) {
      if (!await repeatsToken(c, session)) {
        throw new Refusal("forbidden", "Sign out by the button of the page");
      }
      sessions.end(c);
    }
    return c.redirect("/sign-in", 303);
  });
  return router;
}

function form(c: Context, to: string, problem?: string) {
  return c.html(html`<!DOCTYPE html>${(
    <Layout title="Sign in · adstrata">
      <section class="sign-in">
        <h1>Sign in</h1>
        <form method="post" action="/sign-in">
          {problem && <p class="problem" role="alert">{problem}</p>}
          <label for="key">API key</label>
          <input
            id="key"
            name="key"
            type="password"
            placeholder="adstrata_..."
            autocomplete="current-password"
            required
            autofocus
          />
          <input type="hidden" name="to" value={to} />
          <button type="submit">Sign in</button>
        </form>
        <p>
          <code>deno task key create</code> makes one.
        </p>
      </section>
    </Layout>
  )}`);
}

/** Where somebody wanted to go, if that is a page of ours. */
function pathOf(to: unknown): string {
  const here = "http://here";
  const url = typeof to === "string" ? URL.parse(to, here) : null;
  // Two slashes at the start would name another host, and the path of a blob: is a whole address.
  const isOurs = url?.origin === here && /^\/(?!\/)/.test(url.pathname);
  return url && isOurs ? url.pathname + url.search : "/";
}
