import { assertEquals, assertRejects } from "@std/assert";
import type { Access } from "../../core/access.ts";
import type { Queries } from "../../db/connect.ts";
import { asRequest } from "../../db/request.ts";
import { openContract } from "../contract/account.ts";

const service = await openContract();
const { sql } = service;
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

function ask<Result>(configIds: number[] | null, work: (sql: Queries) => Promise<Result>) {
  const access: Access = { keyId: 1, role: "admin", configIds };
  return asRequest(sql, access, 30_000, work);
}

/** Every relation of ours that belongs to accounts, but the two that only the owner may read. */
const relations = await sql<
  { name: string; kind: string; security: string[] | null; days: string[] }[]
>`
  select
    c.relname as name,
    c.relkind as kind,
    c.reloptions as security,
    array(
      select d.attname::text
      from pg_attribute d
      where d.attrelid = c.oid and d.attname in ('as_of', 'date_from', 'date_to')
    ) as days
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attname = 'config_id'
  where c.relnamespace = 'ads'::regnamespace
    and c.relkind in ('r', 'p', 'v')
    and not c.relispartition
    and c.relname not in ('api_keys', 'api_key_accounts')
  order by c.relname`;

/** Views are asked about one day each time, because all days take for ever. */
function someOf(sql: Queries, { name, kind, days }: typeof relations[number]) {
  const conditions = days.filter(() => kind === "v").map((day) =>
    `and ${day} = ${day === "date_from" ? "'2026-03-01'" : "'2026-03-10'"}`
  );
  return sql<{ config_id: number }[]>`
    select distinct config_id
    from ads.${sql.unsafe(`"${name}"`)}
    where true ${sql.unsafe(conditions.join(" "))}
    order by config_id`;
}

Deno.test("asRequest() shows the rows of its accounts only, in every table and view, without a where", async () => {
  const found = new Set<number>();
  for (const relation of relations) {
    const { name } = relation;
    const all = (await someOf(sql, relation)).map((row) => row.config_id);
    for (const configIds of [[14], [14, 16], [99], []]) {
      const seen = (await ask(configIds, (sql) => someOf(sql, relation))).map((row) =>
        row.config_id
      );
      assertEquals([name, seen], [name, all.filter((id) => configIds.includes(id))]);
    }
    for (const id of all) found.add(id);
  }
  assertEquals([...found].sort(), [14, 15, 16]);
});

Deno.test("every view asks as its caller", () => {
  const views = relations.filter(({ kind }) => kind === "v");
  assertEquals(
    views.filter(({ security }) => !security?.includes("security_invoker=true")),
    [],
  );
});

Deno.test("every table of accounts has the policy that keeps them apart", async () => {
  const policies = await sql<{ table: string }[]>`
    select c.relname as table
    from pg_policy p
    join pg_class c on c.oid = p.polrelid
    where p.polname = 'accounts_of_key'
      and p.polcmd = '*'
      and not p.polpermissive
      and p.polroles = array['adstrata_request'::regrole::oid]
      and c.relrowsecurity
    order by c.relname`;
  assertEquals(
    policies.map(({ table }) => table),
    relations.filter(({ kind }) => kind !== "v").map(({ name }) => name),
  );
});

Deno.test("asRequest() shows no partition past its table, and no key", async () => {
  const partition = (sql: Queries) => sql`select from ads.insights_2026_03`;
  assertEquals((await ask([14], (sql) => sql`select from ads.insights`)).length > 0, true);
  assertEquals((await ask([14], partition)).length, 0);
  for (const table of ["api_keys", "api_key_accounts"]) {
    await assertRejects(
      () => ask([14], (sql) => sql`select from ads.${sql.unsafe(table)}`),
      Error,
      "permission denied",
    );
  }
});

Deno.test("asRequest() adds nothing but feedback, deletes nothing, and stays in its own accounts", async () => {
  for (const { name } of relations.filter(({ kind }) => kind !== "v")) {
    const table = `ads."${name}"`;
    await assertRejects(
      () => ask([14], (sql) => sql`delete from ${sql.unsafe(table)}`),
      Error,
      "permission denied",
    );
    if (name === "ml_classification_feedback") continue;
    await assertRejects(
      () => ask([14], (sql) => sql`insert into ${sql.unsafe(table)} default values`),
      Error,
      "permission denied",
    );
  }
  const feedback = (configId: number) => (sql: Queries) =>
    sql`
      insert into ads.ml_classification_feedback (
        config_id, classification_id, entity_type, entity_id, original_tier, correct_tier, user_id
      )
      select config_id, id, entity_type, entity_id, tier, tier, 7
      from (select ${configId}::integer as config_id, 1 as id, 'ad' as entity_type, 'x' as entity_id,
        'LOW' as tier) c`;
  await ask([14], feedback(14));
  await assertRejects(() => ask([14], feedback(15)), Error, "row-level security");
});

Deno.test("asRequest() leaves nothing behind on the connection", async () => {
  await ask([14], (sql) => sql`select 1`);
  const [after] = await sql`
    select
      current_user = session_user as is_self,
      coalesce(current_setting('adstrata.config_ids', true), '') as config_ids`;
  assertEquals(after, { is_self: true, config_ids: "" });
});

Deno.test("asRequest() keeps simultaneous requests apart", async () => {
  const ids = Array.from({ length: 60 }, (_, index) => 14 + index % 3);
  const seen = await Promise.all(
    ids.map((id) =>
      ask([id], (sql) => sql<{ config_id: number }[]>`select config_id from ads.accounts`)
    ),
  );
  assertEquals(seen.map(([row]) => row?.config_id), ids);
});
