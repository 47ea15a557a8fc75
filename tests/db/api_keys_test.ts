import { assertEquals, assertRejects } from "@std/assert";
import { hasApiKeys } from "../../db/api_keys.ts";
import { testDatabase } from "../database.ts";

Deno.test("hasApiKeys() is on the safe side when the database would not show the keys", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  assertEquals(await hasApiKeys(sql), false);
  const undone = new Error("undone");
  await assertRejects(
    () =>
      sql.begin(async (transaction) => {
        await transaction`grant select on ads.api_keys to adstrata_request`;
        await transaction`set local role adstrata_request`;
        assertEquals(await hasApiKeys(transaction), true);
        throw undone;
      }),
    Error,
    "undone",
  );
});
