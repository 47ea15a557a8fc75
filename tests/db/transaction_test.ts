import { assertEquals, assertRejects } from "@std/assert";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connect, type Transaction } from "../../db/connect.ts";
import { inTransaction } from "../../db/transaction.ts";
import { testDatabase } from "../database.ts";

Deno.test({
  name: "inTransaction() stores nothing of work that goes on when its connection was lost",
  // The embedded engine has one session for all connections, which nobody can end alone.
  ignore: !Deno.env.get("TEST_DATABASE_URL"),
  async fn() {
    await using database = await testDatabase();
    const { sql: observer, url } = database;
    await observer`create table public.rows (id integer)`;
    const sql = connect(url, { max: 1 });
    const goOn = Promise.withResolvers<void>();
    const wentOn = Promise.withResolvers<unknown>();
    const work = async (transaction: Transaction) => {
      await transaction`insert into public.rows values (1)`;
      const [session] = await transaction`select pg_backend_pid() as pid`;
      await observer`select pg_terminate_backend(${session?.pid})`;
      await goOn.promise;
      try {
        await transaction`insert into public.rows values (2)`;
      } catch (error) {
        wentOn.resolve(error);
      }
    };
    await assertRejects(() => inTransaction(sql, work));
    // The only connection is open again, for others.
    while (!await sql`select 1`.then(() => true, () => false));
    goOn.resolve();
    assertEquals(
      String(await wentOn.promise),
      "Error: The transaction has ended, perhaps because its work failed or its connection was lost",
    );
    assertEquals((await sql`select 1 as one`).length, 1);
    assertEquals((await observer`select id from public.rows`).length, 0);
    await sql.end({ timeout: 1 });
  },
});

Deno.test("inTransaction() stores nothing of work that goes on when a part of it has failed", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await sql`create table public.rows (id integer)`;
  const wentOn = Promise.withResolvers<unknown>();
  const work = async (transaction: Transaction) => {
    await transaction`insert into public.rows values (1)`;
    const part = Promise.withResolvers<void>();
    const other = async () => {
      await part.promise.catch(() => {});
      // Behind the rollback, but before its answer.
      await nextTurn();
      await nextTurn();
      await transaction`insert into public.rows values (2)`;
    };
    other().then(wentOn.resolve, wentOn.resolve);
    part.reject(new Error("A part failed"));
    await part.promise;
  };
  await assertRejects(() => inTransaction(sql, work), Error, "A part failed");
  assertEquals(
    String(await wentOn.promise),
    "Error: The transaction has ended, perhaps because its work failed or its connection was lost",
  );
  assertEquals([...await sql`select id from public.rows`], []);
});
