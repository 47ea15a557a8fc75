import { assertEquals, assertRejects } from "@std/assert";
import { addDays } from "../../core/days.ts";
import { Refusal } from "../../core/refusal.ts";
import type { Sql } from "../../db/connect.ts";
import { applyRecommendation, dismissRecommendation } from "../../db/recommendations.ts";
import { readerBeside } from "../../db/reader.ts";
import { inTransaction } from "../../db/transaction.ts";
import { recommendations } from "../../jobs/recommendations.ts";
import { startRun } from "../../jobs/runs.ts";
import { testDatabase } from "../database.ts";
import { AS_OF, daily, insertAccount } from "../db/views/rows.ts";

const NOW = new Date("2026-04-01T06:00:00Z");
const TOMORROW = { asOf: addDays(AS_OF, 1), now: new Date("2026-04-02T06:00:00Z") };

/** The embedded engine has one session, so nothing of it is ever open beside something else. */
const ignore = !Deno.env.get("TEST_DATABASE_URL");

/** Two dear ads and an ordinary one, which spends most of the money. */
async function openAccount() {
  const database = await testDatabase();
  const day = { impressions: 4000, clicks: 40 };
  await insertAccount(database.sql, 1, {
    target_cpl: 10,
    insights: [
      ...daily(30, { ...day, spend: 60, leads: 1 }),
      ...daily(30, { ...day, spend: 60, leads: 1, ad_id: "32", adset_id: "23" }),
      ...daily(30, { ...day, spend: 900, leads: 90, ad_id: "33", adset_id: "22" }),
    ],
  });
  return database;
}

type Request = { asOf?: string; now?: Date; force?: boolean };

async function recommend(sql: Sql, request: Request = {}) {
  const subject = { configId: 1, entityType: "ad", asOf: AS_OF, now: NOW, ...request } as const;
  return await (await startRun(sql, recommendations, subject)).done;
}

/** Does the work of a run, and something else before it is committed. */
function whileRunning<Result>(sql: Sql, request: Request, meanwhile: () => Promise<Result>) {
  const { signal } = new AbortController();
  return inTransaction(sql, async (transaction) => {
    const subject = { configId: 1, entityType: "ad", asOf: AS_OF, now: NOW } as const;
    await recommendations.run(
      transaction,
      { ...subject, ...request, signal },
      readerBeside(sql, transaction),
    );
    return await meanwhile();
  });
}

/** Waits until somebody waits for somebody else's transaction. */
async function untilBlocked(sql: Sql): Promise<void> {
  const isBlocked = async () => {
    const [row] = await sql`
      select
      from pg_catalog.pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return row !== undefined;
  };
  while (!await isBlocked());
}

async function told(sql: Sql) {
  const rows = await sql<
    { entity_id: string; recommendation_type: string; status: string; as_of: string }[]
  >`
    select entity_id, recommendation_type, status, as_of
    from ads.ml_recommendations
    order by entity_id, id`;
  return rows.map((row) =>
    [row.entity_id, row.recommendation_type, row.status, row.as_of].join(" ")
  );
}

const PAUSES = [`31 PAUSE active ${AS_OF}`, `32 PAUSE active ${AS_OF}`];

async function idOf(sql: Sql, entityId: string): Promise<number> {
  const [row] = await sql<{ id: number }[]>`
    select id from ads.ml_recommendations where entity_id = ${entityId}`;
  return row?.id ?? 0;
}

Deno.test("recommendations stores each once when two runs start at the same time", async () => {
  await using database = await openAccount();
  const { sql } = database;
  const runs = await Promise.all([recommend(sql), recommend(sql), recommend(sql)]);
  assertEquals(runs.map(({ generated }) => generated).sort(), [0, 0, 2]);
  assertEquals(await told(sql), PAUSES);
});

Deno.test("recommendations renews each once when two forced runs start at the same time", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await recommend(sql);
  const forced = { ...TOMORROW, force: true };
  const runs = await Promise.all([recommend(sql, forced), recommend(sql, forced)]);
  assertEquals(runs.map(({ superseded }) => superseded).sort(), [0, 2]);
  const { asOf } = TOMORROW;
  assertEquals(await told(sql), [
    `31 PAUSE superseded ${AS_OF}`,
    `31 PAUSE active ${asOf}`,
    `32 PAUSE superseded ${AS_OF}`,
    `32 PAUSE active ${asOf}`,
  ]);
});

Deno.test({
  name: "recommendations leaves out what another run has stored meanwhile",
  ignore,
  async fn() {
    await using database = await openAccount();
    const { sql } = database;
    // Of another day, so that the two do not wait for each other before they have decided.
    const other = await whileRunning(sql, {}, async () => {
      const other = recommend(sql, TOMORROW);
      await untilBlocked(sql);
      return { done: other };
    });
    const { decided, generated } = await other.done;
    assertEquals([decided, generated], [3, 0]);
    assertEquals(await told(sql), PAUSES);
  },
});

Deno.test({
  name: "recommendations lets stand what somebody applies or dismisses while it is forced",
  ignore,
  async fn() {
    await using database = await openAccount();
    const { sql } = database;
    await recommend(sql);
    const reaction = { userId: 7, words: "Done", at: NOW };
    const [applied, dismissed] = [await idOf(sql, "31"), await idOf(sql, "32")];
    const run = await inTransaction(sql, async (transaction) => {
      await applyRecommendation(transaction, { ...reaction, id: applied });
      await dismissRecommendation(transaction, { ...reaction, id: dismissed });
      const run = recommend(sql, { ...TOMORROW, force: true });
      await untilBlocked(sql);
      return { done: run };
    });
    assertEquals((await run.done).superseded, 0);
    const rows = await sql`
      select status, applied_by, applied_notes, dismissed_by, dismissed_reason, superseded_at
      from ads.ml_recommendations
      where as_of = ${AS_OF}
      order by entity_id`;
    const nothing = {
      applied_by: null,
      applied_notes: null,
      dismissed_by: null,
      dismissed_reason: null,
      superseded_at: null,
    };
    assertEquals([...rows], [
      { ...nothing, status: "applied", applied_by: 7, applied_notes: "Done" },
      { ...nothing, status: "dismissed", dismissed_by: 7, dismissed_reason: "Done" },
    ]);
  },
});

Deno.test({
  name: "applyRecommendation() refuses what a forced run has replaced meanwhile",
  ignore,
  async fn() {
    await using database = await openAccount();
    const { sql } = database;
    await recommend(sql);
    const id = await idOf(sql, "31");
    const reaction = await whileRunning(sql, { ...TOMORROW, force: true }, async () => {
      const reaction = assertRejects(
        () => applyRecommendation(sql, { id, userId: 7, words: null, at: NOW }),
        Refusal,
      );
      await untilBlocked(sql);
      return { refused: reaction };
    });
    const { code, message, hint } = await reaction.refused;
    assertEquals([code, message, hint], [
      "conflict",
      `Recommendation ${id} cannot be applied any more: it is superseded`,
      "Look for the newest one of the same entity",
    ]);
    const [row] = await sql`select status, applied_by from ads.ml_recommendations where id = ${id}`;
    assertEquals(row, { status: "superseded", applied_by: null });
  },
});

/** Stores one recommendation once more, with some columns that differ. */
function copy(sql: Sql, id: number, { type = "PAUSE", kind = "MONEY", asOf = AS_OF }) {
  return sql`
    insert into ads.ml_recommendations (
      config_id, entity_type, entity_id, recommendation_type, kind, reason_code, priority, title,
      description, confidence_score, reasoning, as_of, model_version, created_at, expires_at
    )
    select
      config_id, entity_type, entity_id, ${type}, ${kind}, reason_code, priority, title,
      description, confidence_score, reasoning, ${asOf}, model_version, created_at, expires_at
    from ads.ml_recommendations
    where id = ${id}`;
}

Deno.test("ads.ml_recommendations refuses a second open row of a kind", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await recommend(sql);
  const id = await idOf(sql, "31");
  const asOf = addDays(AS_OF, 1);
  await assertRejects(
    () => copy(sql, id, { type: "SCALE_UP", asOf }),
    Error,
    "ml_recommendations_open",
  );
  await copy(sql, id, { type: "CREATIVE_TEST", kind: "CREATIVE_TEST" });
  await sql`update ads.ml_recommendations set status = 'expired' where id = ${id}`;
  await copy(sql, id, { type: "SCALE_UP", asOf });
});

Deno.test("ads.ml_recommendations refuses the same advice twice a day, open or not", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await recommend(sql);
  const id = await idOf(sql, "31");
  await sql`update ads.ml_recommendations set status = 'expired' where id = ${id}`;
  await assertRejects(() => copy(sql, id, {}), Error, "ml_recommendations_day");
  await copy(sql, id, { asOf: addDays(AS_OF, 1) });
});
