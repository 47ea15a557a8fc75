/** Lists: an answer holds its items twice, under `data` and under the list's own name. */
import type { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { respondWritten, writtenAnswer } from "./router.ts";

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
  type Facts = Omit<z.input<Schema>, "data" | Name>;
  type Items = z.input<Schema>["data"];
  return {
    schema,

    /** The description of its answers. */
    answer: (description: string) => writtenAnswer(description, schema),

    /** Writes items, and the facts about them, as JSON. Writing the items once halves its time. */
    write(facts: Facts, items: Items): string {
      const start = JSON.stringify(facts).slice(0, -"}".length);
      const text = JSON.stringify(items);
      return `${start},"data":${text},${JSON.stringify(name)}:${text}}`;
    },

    /** Answers with items, and with the facts about them. */
    respond(c: Context, facts: Facts, items: Items): Response {
      return respondWritten(c, this.write(facts, items));
    },
  };
}
