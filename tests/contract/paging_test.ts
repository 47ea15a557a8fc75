/** Paging by key through every list of the published document, while others add to it. */
import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { growAccount, openContract } from "./account.ts";
import { type Operation, readDocument } from "./document.ts";
import { change, describe, goodRequest, send, type Values } from "./requests.ts";

/** How often others add rows. Then the rest is read. */
const ROUNDS = 9;
const PAGES_MAX = 30;

const Page = z.object({
  data: z.array(z.looseObject({
    id: z.union([z.int(), z.string()]).optional(),
    entity_id: z.string().optional(),
    as_of: z.string().optional(),
  })),
  next_after: z.union([z.int(), z.string(), z.null()]),
});

const service = await openContract();
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

/** Every list, at each of the levels that it has. */
const lists = readDocument((await service.get("/api/v1/openapi.json")).body)
  .filter(({ parts }) => parts.some(({ name }) => name === "after"))
  .flatMap((list) => {
    const request = goodRequest(list);
    const level = list.parts.find(({ name }) => name === "entity_type");
    const requests = level?.schema.enum?.map((value) => change(request, level, value));
    return (requests ?? [request]).map((request) => ({ list, request }));
  });

/** Somebody who reads a list page by page; `after` is null at its end. */
type Reader = {
  list: Operation;
  request: Values;
  atStart: string[];
  seen: string[];
  after?: string | number | null;
};

async function readPage(list: Operation, request: Values, given: Record<string, unknown>) {
  const parts = list.parts.filter(({ name }) => given[name] !== undefined);
  const values = new Map([...request, ...parts.map((part) => [part, given[part.name]] as const)]);
  const { data, next_after } = (await send(service, list, values)).read(Page);
  // What tells a row from all others.
  const keys = data.map(({ id, entity_id, as_of }) => [id ?? entity_id, as_of].join(" "));
  return { keys, after: next_after };
}

Deno.test("every list shows each row once when rows are added between its pages", async () => {
  const readers = await Promise.all(lists.map(async ({ list, request }): Promise<Reader> => {
    const { keys: atStart } = await readPage(list, request, { limit: 200 });
    return { list, request, atStart, seen: [] };
  }));
  assert(readers.some(({ atStart }) => atStart.length > 6), "some take more than three pages");

  for (let round = 1; readers.some(({ after }) => after !== null); round += 1) {
    assert(round < PAGES_MAX, "every list ends");
    for (const reader of readers.filter(({ after }) => after !== null)) {
      const limit = round > ROUNDS ? 200 : 2;
      const { list, request, after } = reader;
      const page = await readPage(list, request, { limit, after });
      reader.seen.push(...page.keys);
      reader.after = page.after;
    }
    if (round <= ROUNDS) await growAccount(service.sql, round);
  }

  for (const { list, request, atStart, seen } of readers) {
    const where = describe(list, request);
    assertEquals(seen.length, new Set(seen).size, `${where}: a row comes twice`);
    assertEquals(atStart.filter((key) => !seen.includes(key)), [], `${where}: rows are left out`);
  }
});
