import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { z } from "zod";
import { EntityDetail } from "../../routes/entities.ts";
import { Run, RunStarted } from "../../routes/jobs.ts";
import { Recommendation, RecommendationList } from "../../routes/recommendations.ts";
import { addKey, NOW, openService, Refused, type Service } from "./service.ts";

const PATH = "/api/v1/recommendations";
const OF_ADS = `${PATH}?config_id=1&entity_type=ad`;

/** Seven recommendations of ads, of which 1, 2 and 3 are open, and an open one of their campaign. */
async function openWithAdvice(): Promise<Service> {
  const service = await openService();
  await service.sql`
    insert into ads.ml_recommendations (
      config_id, id, entity_type, entity_id, parent_id, campaign_id, recommendation_type, kind,
      reason_code, priority, title, description, suggested_action, confidence_score, reasoning,
      status, as_of, model_version, created_at, expires_at, applied_at, applied_by, dismissed_at,
      dismissed_by, dismissed_reason, superseded_at, superseded_because
    )
    select
      1, r.id, entity_type, entity_id, e.parent_id, e.campaign_id, r.type, r.kind, lower(r.type),
      r.priority, 'Title ' || r.id, 'Description ' || r.id,
      '{"action": "look", "recommendations": ["Look at it"]}', 0.9,
      '{"rule": "test", "claim": {"about": "cpl_ratio", "at_least": 1}}', r.status,
      r.created_at::timestamptz::date - 1, 'test', r.created_at::timestamptz,
      r.expires_at::timestamptz,
      case r.status when 'applied' then r.done_at::timestamptz end,
      case r.status when 'applied' then 7 end,
      case r.status when 'dismissed' then r.done_at::timestamptz end,
      case r.status when 'dismissed' then 7 end,
      case r.status when 'dismissed' then 'No' end,
      case r.status when 'superseded' then r.done_at::timestamptz end,
      case r.status when 'superseded' then 'renewed' end
    from (
      values
        (1, 'ad', '31', 'CREATIVE_WINNER', 'CREATIVE_WINNER', 7, 'active', '2026-03-11T07:00Z',
          '2026-03-18T07:00Z', null),
        (2, 'ad', '32', 'PAUSE', 'MONEY', 7, 'active', '2026-03-11T06:00Z', '2026-03-14T06:00Z', null),
        (3, 'ad', '33', 'CREATIVE_TEST', 'CREATIVE_TEST', 4, 'active', '2026-03-09T06:00Z',
          '2026-03-16T06:00Z', null),
        (4, 'ad', '31', 'SCALE_UP', 'MONEY', 9, 'superseded', '2026-03-08T06:00Z',
          '2026-03-15T06:00Z', '2026-03-11T06:00Z'),
        -- It has expired, and no job has marked it.
        (5, 'ad', '33', 'PAUSE', 'MONEY', 6, 'active', '2026-03-06T06:00Z', '2026-03-09T06:00Z', null),
        (6, 'ad', '31', 'PAUSE', 'MONEY', 5, 'applied', '2026-03-10T06:00Z', '2026-03-13T06:00Z',
          '2026-03-10T08:00Z'),
        (7, 'ad', '34', 'REACTIVATE', 'MONEY', 3, 'dismissed', '2026-03-01T06:00Z',
          '2026-03-15T06:00Z', '2026-03-02T06:00Z'),
        (8, 'campaign', '11', 'BUDGET_INCREASE', 'MONEY', 3, 'active', '2026-03-11T06:30Z',
          '2026-03-18T06:30Z', null)
    ) r (
      id, entity_type, entity_id, type, kind, priority, status, created_at, expires_at, done_at
    )
    join ads.entities e using (entity_type, entity_id)
    where e.config_id = 1`;
  return service;
}

/** A refusal whatever its details are. */
const Told = z.object({ message: z.string() });

/** For tests that only read. */
let shared: Service;
/** For tests of what people do, each with recommendations of its own. */
let reacting: Service;
/** For tests with keys. */
let guarded: Service;
/** Without advice; a lead from the ad 33 costs 1.5 times the target, where expensive begins. */
let undecided: Service;
Deno.test.beforeAll(async () => {
  shared = await openWithAdvice();
  reacting = await openWithAdvice();
  guarded = await openWithAdvice();
  undecided = await openService();
  await undecided.sql`update ads.accounts set target_cpl = 6.9 where config_id = 1`;
  await undecided.post("/api/v1/classifications/classify", { config_id: 1, entity_type: "ad" });
});
Deno.test.afterAll(async () => {
  for (const service of [shared, reacting, guarded, undecided]) {
    await service[Symbol.asyncDispose]();
  }
});

async function list(service: Service, address: string) {
  const { data, ...facts } = (await service.get(address)).read(RecommendationList.schema);
  return { ids: data.map(({ id }) => id), data, ...facts };
}

Deno.test("GET /recommendations answers with all that is known of one", async () => {
  const { data: [first] } = await list(shared, `${OF_ADS}&entity_id=32`);
  assertEquals(first, {
    id: 2,
    config_id: 1,
    entity_type: "ad",
    entity_id: "32",
    entity_name: "Image",
    parent_id: "21",
    campaign_id: "11",
    campaign_name: "Spring",
    recommendation_type: "PAUSE",
    action_type: "PAUSE",
    priority: 7,
    priority_level: "HIGH",
    title: "Title 2",
    description: "Description 2",
    suggested_action: { action: "look", recommendations: ["Look at it"] },
    confidence_score: 0.9,
    reasoning: { rule: "test", claim: { about: "cpl_ratio", at_least: 1 } },
    reason_code: "pause",
    explain: { rule: "test", claim: { about: "cpl_ratio", at_least: 1 } },
    is_active: true,
    was_applied: false,
    applied_at: null,
    applied_by: null,
    applied_notes: null,
    dismissed: false,
    dismissed_at: null,
    dismissed_by: null,
    dismissed_reason: null,
    superseded_at: null,
    superseded_because: null,
    impact: null,
    status: "active",
    as_of: "2026-03-10",
    created_at: "2026-03-11T06:00:00.000Z",
    expires_at: "2026-03-14T06:00:00.000Z",
  });
});

Deno.test("GET /recommendations answers the most urgent first, then the newest", async () => {
  const { ids, total, data, recommendations } = await list(shared, OF_ADS);
  assertEquals([ids, total], [[4, 1, 2, 5, 6, 3, 7], 7]);
  assertEquals(recommendations, data);
  assertEquals(data.map((row) => row.priority_level), [
    "HIGH",
    "HIGH",
    "HIGH",
    "MED",
    "MED",
    "MED",
    "LOW",
  ]);
  assertEquals((await list(shared, `${PATH}?config_id=1`)).ids, [8]);
});

Deno.test("GET /recommendations filters", async () => {
  for (
    const [query, ids] of [
      ["&type=PAUSE", [2, 5, 6]],
      ["&recommendation_type=CREATIVE_TEST", [3]],
      ["&recommendation_type=PAUSE_CAMPAIGN", []],
      ["&status=active", [1, 2, 3]],
      ["&status=expired", [4, 5]],
      ["&status=applied", [6]],
      ["&status=dismissed", [7]],
      ["&is_active=true", [1, 2, 3]],
      ["&is_active=0", [4, 5, 6, 7]],
      ["&campaign_id=12", [7]],
      ["&entity_id=31", [4, 1, 6]],
      ["&priority_min=7", [4, 1, 2]],
      ["&priority_min=7&is_active=1", [1, 2]],
      ["&date_from=2026-03-11T06:00:00Z", [1, 2]],
      ["&date_to=2026-03-06", [5, 7]],
      ["&date_from=2026-03-06&date_to=2026-03-09", [4, 5, 3]],
    ] as const
  ) {
    const found = await list(shared, `${OF_ADS}${query}`);
    assertEquals([query, found.ids, found.total], [query, [...ids], ids.length]);
  }
});

Deno.test("GET /recommendations counts types whatever type is asked for", async () => {
  const { total, by_type } = await list(shared, `${OF_ADS}&type=PAUSE&is_active=true`);
  assertEquals(total, 1);
  const found = Object.entries(by_type ?? {}).filter(([, count]) => count > 0);
  assertEquals(found, [["PAUSE", 1], ["CREATIVE_WINNER", 1], ["CREATIVE_TEST", 1]]);
  assertEquals(by_type?.SCALE_UP, 0);
});

Deno.test("GET /recommendations pages by key, through equal priorities too", async () => {
  const pages: number[][] = [];
  for (let after = ""; pages.length < 9;) {
    const { ids, next_after } = await list(shared, `${OF_ADS}&limit=2${after}`);
    pages.push(ids);
    if (next_after === null) break;
    after = `&after=${next_after}`;
  }
  assertEquals(pages, [[4, 1], [2, 5], [6, 3], [7]]);
  const second = await list(shared, `${OF_ADS}&page=2&page_size=3`);
  assertEquals([second.ids, second.page, second.page_size], [[5, 6, 3], 2, 3]);
});

Deno.test("GET /recommendations counts nothing when it is told so", async () => {
  const { ids, total, by_type } = await list(shared, `${OF_ADS}&count=false`);
  assertEquals([ids.length, total, by_type], [7, null, null]);
});

Deno.test("GET /recommendations shows what gave way as expired, with the reason", async () => {
  const { data: [first] } = await list(shared, `${OF_ADS}&type=SCALE_UP`);
  assertEquals(
    [first?.status, first?.is_active, first?.superseded_because, first?.superseded_at],
    ["expired", false, "renewed", "2026-03-11T06:00:00.000Z"],
  );
});

Deno.test("GET /recommendations refuses parameters that make no sense", async () => {
  for (
    const [query, name] of [
      ["&type=SCALE", "type"],
      ["&status=superseded", "status"],
      ["&priority_min=0", "priority_min"],
      ["&priority_min=11", "priority_min"],
      ["&is_active=perhaps", "is_active"],
      ["&date_from=2026-03-09&date_to=2026-03-08", "date_from"],
    ] as const
  ) {
    const answer = await shared.get(`${OF_ADS}${query}`);
    assertEquals([query, answer.status], [query, 400]);
    assertEquals(answer.read(Refused).details?.parameters[0]?.name, name);
  }
});

Deno.test("GET /recommendations/campaign/{id} has the open ones of the campaign, or of what is in it", async () => {
  const of = async (id: string, query = "") =>
    (await list(shared, `${PATH}/campaign/${id}?config_id=1${query}`)).ids;
  assertEquals(await of("11"), [8]);
  assertEquals(await of("11", "&entity_type=ad"), [1, 2, 3]);
  assertEquals(await of("12", "&entity_type=ad"), []);
  const unknown = await shared.get(`${PATH}/campaign/99?config_id=1`);
  assertEquals(unknown.status, 404);
  assertEquals(unknown.read(Told).message, 'There is no campaign "99" in this account');
});

const Summary = z.looseObject({
  total: z.int(),
  by_status: z.record(z.string(), z.int()),
  date_to: z.string().nullable(),
  last_generated_at: z.string().nullable(),
  by_type: z.record(z.string(), z.int()),
  by_action: z.record(z.string(), z.int()),
  top_items: z.array(Recommendation),
});

async function summary(query = "") {
  const answer = await shared.get(`${PATH}/summary?config_id=1${query}`);
  const { by_type, by_action, top_items, ...sums } = answer.read(Summary);
  assertEquals(by_action, by_type);
  return {
    ...sums,
    types: Object.entries(by_type).filter(([, count]) => count > 0),
    top: top_items.map(({ id }) => id),
  };
}

Deno.test("GET /recommendations/summary sums up all levels", async () => {
  assertEquals(await summary(), {
    config_id: 1,
    window_days: 7,
    date_from: null,
    date_to: null,
    total: 4,
    total_active: 4,
    types: [["PAUSE", 1], ["BUDGET_INCREASE", 1], ["CREATIVE_WINNER", 1], ["CREATIVE_TEST", 1]],
    by_priority: { high: 2, medium: 1, low: 1 },
    high_priority_count: 2,
    // Made in the week to noon on 11 March in New York.
    by_status: { active: 4, expired: 2, dismissed: 0, applied: 1 },
    applied_last_7_days: 1,
    dismissed_last_7_days: 0,
    last_generated_at: "2026-03-11T07:00:00.000Z",
    top: [1, 2, 3, 8],
  });
});

Deno.test("GET /recommendations/summary counts statuses in its window, and open ones of all time", async () => {
  const ofMonth = await summary("&window_days=30&entity_type=ad");
  assertEquals([ofMonth.total, ofMonth.by_status], [
    3,
    { active: 3, expired: 2, dismissed: 1, applied: 1 },
  ]);
  const early = await summary("&date_to=2026-03-05");
  assertEquals([early.total, early.by_status, early.date_to], [
    4,
    { active: 0, expired: 0, dismissed: 1, applied: 0 },
    "2026-03-05T23:59:59.999Z",
  ]);
});

Deno.test("GET /recommendations/summary has nothing to say of an account without any", async () => {
  const answer = await shared.get(`${PATH}/summary?config_id=2`);
  const { total, last_generated_at, top_items } = answer.read(Summary);
  assertEquals([total, last_generated_at, top_items], [0, null, []]);
});

const Generated = z.object({
  config_id: z.int(),
  as_of: z.string(),
  generated_count: z.int(),
  recommendations: z.array(Recommendation),
});

async function generate(service: Service, body: Record<string, unknown> = {}) {
  const request = { config_id: 1, entity_type: "ad", ...body };
  const { recommendations, ...facts } = (await service.post(`${PATH}/generate`, request)).read(
    Generated,
  );
  return {
    ...facts,
    made: recommendations.map((row) => `${row.entity_id} ${row.recommendation_type}`),
    recommendations,
  };
}

Deno.test("POST /recommendations/generate answers with the new ones only", async () => {
  let at = NOW;
  await using service = await openService({ now: () => at });
  const first = await generate(service);
  assertEquals([first.as_of, first.generated_count], ["2026-03-10", first.made.length]);
  assertEquals(first.made, ["31 SCALE_UP", "31 CREATIVE_WINNER", "32 PAUSE"]);
  const [scaleUp] = first.recommendations;
  assertEquals(
    [scaleUp?.entity_name, scaleUp?.status, scaleUp?.created_at],
    ["Video <b>", "active", NOW.toISOString()],
  );
  at = new Date(NOW.getTime() + 60_000);
  assertEquals((await generate(service)).made, []);
  assertEquals((await generate(service, { force_refresh: true })).made, []);
  await service.sql`
    delete from ads.ml_recommendations where config_id = 1 and recommendation_type = 'SCALE_UP'`;
  assertEquals((await generate(service, { force_refresh: "true" })).made, ["31 SCALE_UP"]);
});

Deno.test("POST /recommendations/generate renews those of earlier days when it is forced", async () => {
  let at = NOW;
  await using service = await openService({ now: () => at });
  assertEquals((await generate(service, { as_of: "2026-03-09" })).made.length, 3);
  at = new Date(NOW.getTime() + 60_000);
  assertEquals((await generate(service)).made, []);
  const forced = await generate(service, { force_refresh: true });
  assertEquals(forced.made, ["31 SCALE_UP", "31 CREATIVE_WINNER", "32 PAUSE"]);
  const { data } = await list(service, `${OF_ADS}&status=expired`);
  assertEquals(data.length, 3);
  for (const { as_of, superseded_because } of data) {
    assertEquals([as_of, superseded_because], ["2026-03-09", "renewed"]);
  }
});

Deno.test("POST /recommendations/generate decides about the entities that are asked for", async () => {
  await using service = await openService();
  assertEquals((await generate(service, { entity_ids: ["32", "33"] })).made, ["32 PAUSE"]);
  assertEquals((await generate(service, { entity_ids: ["31"] })).generated_count, 2);
});

Deno.test("POST /recommendations/generate refuses what it cannot answer", async () => {
  await using service = await openService();
  const refused = async (body: Record<string, unknown>) => {
    const request = { config_id: 1, entity_type: "ad", ...body };
    const answer = await service.post(`${PATH}/generate`, request);
    return [answer.status, answer.read(Told).message];
  };
  assertEquals(await refused({ entity_ids: ["34"] }), [
    404,
    'There is too little data to say anything of the ad "34"',
  ]);
  assertEquals(await refused({ entity_ids: ["31", "77"] }), [
    404,
    'There is no ad "77" in this account',
  ]);
  assertEquals(await refused({ as_of: "2026-03-11" }), [
    400,
    'Wrong parameter "as_of": the last complete day is 2026-03-10',
  ]);
  assertEquals((await refused({ config_id: 99 }))[0], 404);
  await service.sql`
    update ads.accounts set settings = '{"guardrails": {"cooldown_hours": -1}}' where config_id = 1`;
  const [status, message] = await refused({});
  assertEquals(status, 409);
  assertStringIncludes(
    String(message),
    "Account 1 has wrong settings: guardrails.cooldown_hours: ",
  );
  assertEquals((await service.get("/api/v1/entities/ad/34?config_id=1")).status, 409);
});

Deno.test("POST /recommendations/generate answers 202 with the run when it takes too long", async () => {
  await using service = await openService({ runPatienceMs: 0 });
  const answer = await service.post(`${PATH}/generate`, { config_id: 1, entity_type: "ad" });
  assertEquals(answer.status, 202);
  const { run_id } = answer.read(RunStarted);
  const look = async () => (await service.get(`/api/v1/jobs/runs/${run_id}`)).read(Run);
  let run = await look();
  while (run.status === "running") run = await look();
  assertEquals([run.job, run.status, run.counts.generated], ["recommendations", "succeeded", 3]);
});

async function reactions(service: Service, id: number) {
  const { data } = await list(service, OF_ADS);
  const row = data.find((row) => row.id === id);
  return [
    row?.status,
    row?.was_applied,
    row?.applied_by,
    row?.applied_notes,
    row?.applied_at,
    row?.dismissed,
    row?.dismissed_by,
    row?.dismissed_reason,
    row?.dismissed_at,
  ];
}

Deno.test("POST /recommendations/{id}/apply keeps who did so first", async () => {
  const apply = (user_id: number, notes?: string) =>
    reacting.post(`${PATH}/2/apply`, { user_id, notes });
  const { status, body } = await apply(7, "Stopped it");
  assertEquals([status, body], [200, { status: "applied", recommendation_id: 2 }]);
  assertEquals((await apply(8, "Me too")).body, body);
  const at = NOW.toISOString();
  assertEquals(await reactions(reacting, 2), [
    "applied",
    true,
    7,
    "Stopped it",
    at,
    false,
    null,
    null,
    null,
  ]);
});

Deno.test("POST /recommendations/{id}/dismiss keeps who did so first", async () => {
  const dismiss = (user_id: number, reason?: string) =>
    reacting.post(`${PATH}/1/dismiss`, { user_id, reason });
  const { status, body } = await dismiss(7, "Brand ad");
  assertEquals([status, body], [200, { status: "dismissed", recommendation_id: 1 }]);
  assertEquals((await dismiss(8, "Me neither")).body, body);
  const at = NOW.toISOString();
  assertEquals(await reactions(reacting, 1), [
    "dismissed",
    false,
    null,
    null,
    null,
    true,
    7,
    "Brand ad",
    at,
  ]);
});

Deno.test("POST /recommendations/{id}/apply and dismiss refuse what became of it before", async () => {
  const refused = async (path: string) => {
    const answer = await reacting.post(`${PATH}/${path}`, { user_id: 8 });
    const { code, message } = answer.read(Refused);
    return [answer.status, code, message];
  };
  assertEquals(await refused("6/dismiss"), [
    409,
    "conflict",
    "Recommendation 6 cannot be dismissed any more: it is applied",
  ]);
  assertEquals(await refused("7/apply"), [
    409,
    "conflict",
    "Recommendation 7 cannot be applied any more: it is dismissed",
  ]);
  assertEquals((await refused("4/apply")).slice(0, 2), [409, "conflict"]);
  assertEquals(await refused("99/apply"), [404, "not_found", "There is no recommendation 99"]);
  assertEquals(await refused("99/dismiss"), [404, "not_found", "There is no recommendation 99"]);
  assertEquals((await reactions(reacting, 7)).slice(0, 3), ["dismissed", false, null]);
});

Deno.test("POST /recommendations/{id}/apply takes one that has expired, marked or not", async () => {
  assertEquals((await reacting.post(`${PATH}/5/apply`, { user_id: 7 })).status, 200);
  assertEquals((await reactions(reacting, 5)).slice(0, 4), ["applied", true, 7, null]);
  await reacting.sql`update ads.ml_recommendations set status = 'expired' where id = 3`;
  assertEquals((await reacting.post(`${PATH}/3/apply`, { user_id: 7 })).status, 200);
});

Deno.test("POST /recommendations/{id}/apply needs to know who", async () => {
  const answer = await shared.post(`${PATH}/2/apply`, { notes: "Done" });
  assertEquals(answer.status, 400);
  assertEquals(answer.read(Refused).details?.parameters[0]?.name, "user_id");
});

function by(service: Service, key: string) {
  const headers = { "x-api-key": key, "content-type": "application/json" };
  return {
    get: async (path: string) => (await service.request(`${PATH}${path}`, { headers })).status,
    post: async (path: string, body: unknown) =>
      (await service.request(`${PATH}${path}`, {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      })).status,
  };
}

const WRITES = [
  ["/generate", { config_id: 1, entity_type: "ad" }],
  ["/2/apply", { user_id: 7 }],
  ["/1/dismiss", { user_id: 7 }],
] as const;

async function openRows({ sql }: Service): Promise<number> {
  return (await sql`select from ads.ml_recommendations where status = 'active'`).length;
}

Deno.test("POST /recommendations/... answers 403 to a key that may only read, and does nothing", async () => {
  const before = await openRows(guarded);
  const { get, post } = by(guarded, await addKey(guarded, { role: "read" }));
  assertEquals(await get("?config_id=1"), 200);
  for (const [path, body] of WRITES) assertEquals([path, await post(path, body)], [path, 403]);
  assertEquals(await openRows(guarded), before);
  const writer = by(guarded, await addKey(guarded, { role: "write" }));
  for (const [path, body] of WRITES) {
    assertEquals([path, await writer.post(path, body)], [path, 200]);
  }
});

Deno.test("GET and POST /recommendations answer 404 to a key of another account", async () => {
  const before = await openRows(guarded);
  const { get, post } = by(guarded, await addKey(guarded, { role: "admin", configIds: [2] }));
  for (const path of ["?config_id=1", "/summary?config_id=1", "/campaign/11?config_id=1"]) {
    assertEquals([path, await get(path)], [path, 404]);
  }
  for (const [path, body] of WRITES) assertEquals([path, await post(path, body)], [path, 404]);
  assertEquals(await openRows(guarded), before);
});

async function detail(service: Service, path: string) {
  const answer = await service.get(`/api/v1/entities/${path}?config_id=1`);
  const { verdict, recommendations } = answer.read(EntityDetail);
  return { verdict, ids: recommendations.map(({ id }) => id) };
}

Deno.test("GET /entities/{entity_type}/{entity_id} tells to act where something is open", async () => {
  const { verdict, ids } = await detail(shared, "ad/32");
  assertEquals([verdict?.verdict, verdict?.range, verdict?.spend_to_settle, ids], [
    "act",
    "expensive",
    null,
    [2],
  ]);
});

Deno.test("GET /entities/{entity_type}/{entity_id} tells what is settled", async () => {
  const { verdict, ids } = await detail(undecided, "ad/32");
  assertEquals([verdict?.verdict, verdict?.range, verdict?.spend_to_settle, ids], [
    "settled",
    "expensive",
    null,
    [],
  ]);
  const { cheap = 0, ordinary = 0, expensive = 0 } = verdict?.probabilities ?? {};
  assert(expensive >= 0.8 && Math.abs(cheap + ordinary + expensive - 1) < 1e-9);
});

Deno.test("GET /entities/{entity_type}/{entity_id} tells to wait, and for how much", async () => {
  const { verdict } = await detail(undecided, "ad/33");
  assertEquals(verdict?.verdict, "wait");
  assert((verdict?.spend_to_settle ?? 0) > 0, `${verdict?.spend_to_settle}`);
});

Deno.test("GET /entities/{entity_type}/{entity_id} asks the account what is settled", async () => {
  const set = (settings: string) =>
    undecided.sql`update ads.accounts set settings = ${settings}::text::jsonb where config_id = 1`;
  await set('{"verdicts": {"probability": 0.4}}');
  const { verdict } = await detail(undecided, "ad/33");
  await set("{}");
  assertEquals([verdict?.verdict, verdict?.spend_to_settle], ["settled", null]);
});

Deno.test("GET /entities/{entity_type}/{entity_id} has no verdict on what does not run", async () => {
  assertEquals(await detail(undecided, "ad/34"), { verdict: null, ids: [] });
});

Deno.test("GET / lists what to do, first what is one change and then the most urgent", async () => {
  await using service = await openWithAdvice();
  const { sql } = service;
  const order = async () => {
    const { text } = await service.get("/?config_id=1");
    const [, advice = ""] = text.split('<section class="advice">');
    return [...advice.matchAll(/Title (\d)/g)].map(([, id]) => id);
  };
  assertEquals(await order(), ["1", "2", "3", "8"]);
  await sql`
    update ads.ml_recommendations
    set reasoning = jsonb_set(reasoning, '{features}', '{"spend_7d": 140}')
    where id = 2`;
  assertEquals(await order(), ["2", "1", "3", "8"]);
  await sql`
    update ads.ml_recommendations
    set suggested_action = '{"field": "daily_budget", "change_type": "percentage", "change_value": 10}'
    where id = 8`;
  assertEquals(await order(), ["8", "2", "1", "3"]);
  assert(!(await service.get("/?config_id=2")).text.includes("What to do"));
});

Deno.test("GET /entities/{level}/{id} shows what to do about it and nothing else", async () => {
  const { text } = await shared.get("/entities/ad/32?config_id=1");
  assertStringIncludes(text, "There is something to do");
  assertStringIncludes(text, "Description 2");
  assertEquals([...text.matchAll(/Title (\d)/g)].map(([, id]) => id), ["2"]);
});

Deno.test("GET /entities/{level}/{id} says to wait, for how much, or that nothing has to be done", async () => {
  const read = async (id: string) => (await undecided.get(`/entities/ad/${id}?config_id=1`)).text;
  const waiting = await read("33");
  assertMatch(
    waiting,
    /Wait: the data cannot tell yet whether this ad is cheap, fine or expensive; about \d[\d,]*\.\d\d USD more/,
  );
  assert(!waiting.includes("What to do"));
  assertStringIncludes(
    await read("32"),
    "It is expensive, but nothing that is safe to do would help now.",
  );
  assert(!/Wait:|something to do|has to be done/.test(await read("34")));
});
