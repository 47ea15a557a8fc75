import { assertEquals } from "@std/assert";
import { type TestDatabase, testDatabase } from "../../database.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

type Row = {
  config_id: number;
  id: number;
  entity_type?: string;
  entity_id?: string;
  as_of?: string;
  classified_at?: string;
};

/** Classifications of the ad 31, which no other table knows, if not said otherwise. */
async function insertHistory(rows: Row[]) {
  const stored = rows.map((row) => ({
    entity_type: "ad",
    entity_id: "31",
    as_of: "2026-03-31",
    classified_at: "2026-04-01T06:00:00Z",
    ...row,
    tier: "LOW",
    confidence_score: 0.5,
    model_version: `model ${row.id}`,
    valid_until: "2026-05-01T06:00:00Z",
  }));
  await database.sql`insert into ads.ml_classifications ${database.sql(stored)}`;
}

async function latest(configId: number) {
  const rows = await database.sql`
    select entity_type, entity_id, id, model_version
    from ads.latest_classifications
    where config_id = ${configId}
    order by id`;
  return rows.map((row) => Object.values(row).join(" "));
}

Deno.test("latest_classifications has the last one made of the latest day", async () => {
  await insertHistory([
    { config_id: 1, id: 4, as_of: "2026-03-29" },
    { config_id: 1, id: 2 },
    { config_id: 1, id: 1, classified_at: "2026-04-01T07:00:00Z" },
    { config_id: 1, id: 3, as_of: "2026-03-30", classified_at: "2026-04-01T08:00:00Z" },
  ]);
  assertEquals(await latest(1), ["ad 31 1 model 1"]);
});

Deno.test("latest_classifications has the higher id of two of the same instant", async () => {
  await insertHistory([{ config_id: 2, id: 2 }, { config_id: 2, id: 1 }]);
  assertEquals(await latest(2), ["ad 31 2 model 2"]);
});

Deno.test("latest_classifications has one of each entity of each account and level", async () => {
  await insertHistory([
    { config_id: 3, id: 1 },
    { config_id: 3, id: 2, as_of: "2026-04-01" },
    { config_id: 3, id: 3, entity_id: "32" },
    { config_id: 3, id: 4, entity_type: "campaign" },
    { config_id: 4, id: 2, as_of: "2026-04-02" },
  ]);
  assertEquals(await latest(3), ["ad 31 2 model 2", "ad 32 3 model 3", "campaign 31 4 model 4"]);
  assertEquals(await latest(4), ["ad 31 2 model 2"]);
});
