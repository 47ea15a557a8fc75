/** Files that browsers load: ours, and those of npm packages, so that the pages need no internet. */
import type { Hono } from "hono";
import { etag } from "hono/etag";

/** What a kind of file is called on the wire. */
const TYPES = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** Serves texts under their names. Browsers ask each time whether they still have the right one. */
export function serveTexts(
  router: Hono,
  texts: Record<`/${string}.${keyof typeof TYPES}`, string>,
): void {
  for (const [path, content] of Object.entries(texts)) {
    const type = Object.entries(TYPES).find(([ending]) => path.endsWith(`.${ending}`))?.[1];
    router.get(path, etag(), (c) =>
      c.body(content, 200, {
        "content-type": type ?? "text/plain; charset=utf-8",
        "cache-control": "no-cache",
      }));
  }
}
