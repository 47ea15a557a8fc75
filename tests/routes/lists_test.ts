import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { z } from "zod";
import { listOf } from "../../routes/lists.ts";

const Ads = z.array(z.object({ name: z.string() }));
const AdList = listOf("ads", z.object({ config_id: z.int(), data: Ads, ads: Ads }));

async function respond(items: { name: string }[]) {
  const app = new Hono().get("/", (c) => AdList.respond(c, { config_id: 1 }, items));
  const response = await app.request("/");
  return { type: response.headers.get("content-type"), body: await response.json() };
}

Deno.test("listOf() answers with the items under both names when there are some", async () => {
  const ads = [{ name: 'A "quoted" {name},\n' }, { name: "B" }];
  assertEquals(await respond(ads), {
    type: "application/json",
    body: { config_id: 1, data: ads, ads },
  });
});

Deno.test("listOf() answers with empty lists when there are no items", async () => {
  assertEquals((await respond([])).body, { config_id: 1, data: [], ads: [] });
});
