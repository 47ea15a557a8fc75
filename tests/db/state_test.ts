import { assertEquals, assertNotEquals } from "@std/assert";
import { connect } from "../../db/connect.ts";
import { databaseState } from "../../db/state.ts";
import { testDatabase } from "../database.ts";

Deno.test("databaseState() differs after every change, whoever makes it", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  const somebody = connect(database.url, { max: 1 });
  await somebody`create table public.rows (id integer)`;
  const states = [await databaseState(sql)];
  for (
    const change of [
      somebody`insert into public.rows values (1)`,
      somebody`update public.rows set id = 2`,
      somebody`delete from public.rows`,
    ]
  ) {
    await change;
    states.push(await databaseState(sql));
  }
  await somebody.end();
  assertEquals(new Set(states).size, states.length);
});

Deno.test({
  name: "databaseState() differs when what was stored before is committed",
  // The embedded engine lets nobody ask while a transaction is open.
  ignore: !Deno.env.get("TEST_DATABASE_URL"),
  async fn() {
    await using database = await testDatabase();
    const { sql } = database;
    await sql`create table public.rows (id integer)`;
    const during = await sql.begin(async (transaction) => {
      await transaction`insert into public.rows values (1)`;
      return await databaseState(sql);
    });
    assertNotEquals(await databaseState(sql), during);
  },
});
