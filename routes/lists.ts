/** Lists: an answer holds its items twice, under `data` and under the list's own name. */
import type { z } from "@hono/zod-openapi";
import type { Context } from "hono";

/**
 * A list by its own name and the schema of its answers.
 *
 * @example
 * ```ts
 * const AdList = listOf("ads", z.object({ config_id: z.int(), data: Ads, ads: Ads }));
 * AdList.respond(c, { config_id: 1 }, ads);
 * ```
 */
export function listOf<
  Schema extends z.ZodType<unknown, { config_id: number; data: unknown[] }>,
  Name extends keyof z.input<Schema> & string,
>(name: Name, schema: Schema) {
  return {
    schema,

    /** The description of its answers. */
    answer(description: string) {
      // By the loose type of its keys, because `respond` is typed here and not by `c.json`.
      const content: Record<string, { schema: Schema }> = { "application/json": { schema } };
      return { description, content };
    },

    /** Answers with items, and with the facts about them. Writing JSON once halves its time. */
    respond(
      c: Context,
      facts: Omit<z.input<Schema>, "data" | Name>,
      items: z.input<Schema>["data"],
    ): Response {
      const start = JSON.stringify(facts).slice(0, -"}".length);
      const text = JSON.stringify(items);
      return c.body(`${start},"data":${text},${JSON.stringify(name)}:${text}}`, 200, {
        "content-type": "application/json",
      });
    },
  };
}
