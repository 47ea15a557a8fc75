import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { connect, type Sql, type Transaction } from "../../db/connect.ts";
import { readerBeside, type WithReader } from "../../db/reader.ts";
import { inTransaction } from "../../db/transaction.ts";
import { testDatabase } from "../database.ts";

// The embedded engine has one session for all connections.
const ignore = !Deno.env.get("TEST_DATABASE_URL");

/** Does work with a transaction of a pool and what hands out readers beside it. */
function beside<Result>(
  sql: Sql,
  work: (transaction: Transaction, withReader: WithReader) => Promise<Result>,
): Promise<Result> {
  return inTransaction(sql, (transaction) => work(transaction, readerBeside(sql, transaction)));
}

Deno.test({
  name: "readerBeside() reads on the embedded engine in the transaction itself",
  ignore: !ignore,
  async fn() {
    await using database = await testDatabase();
    await beside(database.sql, async (transaction, withReader) => {
      assertEquals(await withReader((reader) => Promise.resolve(reader === transaction)), true);
    });
  },
});

Deno.test({
  name: "readerBeside() reads in a session of its own, which writes nothing",
  ignore,
  async fn() {
    await using database = await testDatabase();
    await database.sql`create table public.rows (id integer)`;
    await beside(database.sql, async (transaction, withReader) => {
      await transaction`insert into public.rows values (1)`;
      const seen = await withReader(async (reader) => {
        // Both at the same time: the one ends when it sees that the other has begun.
        const [other] = await transaction`select pg_backend_pid() as pid`;
        return await reader`
          select pg_backend_pid() <> ${other?.pid} as other, count(*) as rows from public.rows`;
      });
      assertEquals([...seen], [{ other: true, rows: 0 }]);
      await assertRejects(
        () => withReader((reader) => reader`insert into public.rows values (2)`),
        Error,
        "read-only transaction",
      );
    });
    assertEquals([...await database.sql`select id from public.rows`], [{ id: 1 }]);
  },
});

Deno.test({
  name: "readerBeside() never lets those who hold a connection wait for each other",
  ignore,
  async fn() {
    await using database = await testDatabase();
    for (const [max, own] of [[1, 0], [4, 1], [8, 2]] as const) {
      const sql = connect(database.url, { max });
      let waiting = max;
      const all = Promise.withResolvers<void>();
      const isOwn = await Promise.all(
        Array.from({ length: max }, () =>
          beside(sql, async (transaction, withReader) => {
            await transaction`select 1`;
            // All connections are taken before anybody asks for a reader.
            if (--waiting === 0) all.resolve();
            await all.promise;
            return await withReader(async (reader) => {
              await reader`select 1`;
              return reader !== transaction;
            });
          })),
      );
      assertEquals([max, isOwn.filter(Boolean).length], [max, own]);
      await sql.end();
    }
  },
});

Deno.test({
  name: "readerBeside() ends a wait that no server would end",
  ignore,
  async fn() {
    await using database = await testDatabase();
    const { sql } = database;
    await sql`create table public.rows (id integer)`;
    let changing: Promise<unknown> | undefined;
    const reading = beside(sql, async (transaction, withReader) => {
      await transaction`select from public.rows`;
      // Waits for this transaction, and the reader will wait for it.
      changing = sql`alter table public.rows add column name text`.execute();
      const isWaiting = async () => {
        const rows = await sql`select from pg_catalog.pg_locks where not granted`;
        return rows.length > 0;
      };
      while (!await isWaiting());
      return await withReader((reader) => reader`select from public.rows`);
    });
    assertMatch(String(await assertRejects(() => reading)), /lock timeout/);
    await changing;
    assertEquals([...await sql`select name from public.rows`], []);
  },
});

Deno.test({
  name: "readerBeside() lets nothing be stored and nothing stay open when either session is lost",
  ignore,
  async fn() {
    await using database = await testDatabase();
    const { sql: observer, url } = database;
    await observer`create table public.rows (id integer)`;
    const sql = connect(url, { max: 4, applicationName: "beside" });
    for (const lost of ["reader", "transaction"]) {
      await assertRejects(() =>
        beside(sql, async (transaction, withReader) => {
          await transaction`insert into public.rows values (1)`;
          await withReader(async (reader) => {
            const [session] = await (lost === "reader" ? reader : transaction)`
              select pg_backend_pid() as pid`;
            const reading = reader`select pg_sleep(0.2)`.execute();
            reading.catch(() => {});
            await observer`select pg_terminate_backend(${session?.pid})`;
            await transaction`insert into public.rows values (2)`;
            await reading;
          });
        })
      );
      assertEquals([...await observer`select id from public.rows`], []);
      // What the reader was at is finished first. Then whoever comes next gets one again.
      const isThere = () =>
        beside(
          sql,
          (transaction, withReader) =>
            withReader((reader) => Promise.resolve(reader !== transaction)),
        );
      while (!await isThere());
      const open = await observer`
        select from pg_catalog.pg_stat_activity
        where application_name = 'beside' and state like 'idle in transaction%'`;
      assertEquals(open.length, 0);
    }
    await sql.end({ timeout: 1 });
  },
});
