import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ChangeDrivers } from "../../routes/drivers.ts";
import { openService, Refused } from "./service.ts";

let service: Awaited<ReturnType<typeof openService>>;
Deno.test.beforeAll(async () => {
  service = await openService();
  // From 4 March the first ad of the ad set brings half of its leads.
  await service.sql`
    update ads.insights set leads = 2
    where config_id = 1 and ad_id = '31' and date >= '2026-03-04'`;
});
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

const ask = async (entity: string, query = "") =>
  (await service.get(`/api/v1/entities/${entity}/drivers?config_id=1&${query}`))
    .read(ChangeDrivers);
const periodsOf = async (query: string) => {
  const { before_from, before_to, date_from, date_to } = await ask("ad/31", query);
  return [before_from, before_to, date_from, date_to];
};
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

Deno.test("GET /entities/{entity_type}/{entity_id}/drivers tells what changed an ad's CPL", async () => {
  const { status, body } = await service.get("/api/v1/entities/ad/31/drivers?config_id=1");
  assertEquals(status, 200);
  assertEquals(body, {
    config_id: 1,
    entity_type: "ad",
    entity_id: "31",
    parent_id: "21",
    name: "Video <b>",
    date_from: "2026-03-04",
    date_to: "2026-03-10",
    before_from: "2026-02-25",
    before_to: "2026-03-03",
    before: {
      spend: 140,
      impressions: 7000,
      clicks: 70,
      leads: 28,
      cpm: 20,
      ctr: 1,
      conversion_rate: 40,
      cpl: 5,
    },
    after: {
      spend: 140,
      impressions: 7000,
      clicks: 70,
      leads: 14,
      cpm: 20,
      ctr: 1,
      conversion_rate: 20,
      cpl: 10,
    },
    measure: "cpl",
    change: 5,
    parts: { spend: 0, cpm: 0, ctr: 0, conversion_rate: 5 },
    children_type: null,
    children: [],
    others: null,
  });
});

Deno.test("GET /entities/{entity_type}/{entity_id}/drivers names the child that did it", async () => {
  const adset = await ask("adset/21");
  assertEquals([adset.before.cpl, adset.after.cpl], [8, 280 / 21]);
  assertEquals(adset.children_type, "ad");
  const [first, second] = adset.children;
  assertEquals([first?.entity_id, first?.name, first?.after.cpl], ["31", "Video <b>", 10]);
  assertAlmostEquals(first?.rate ?? 0, adset.change, 1e-9);
  assertEquals([second?.name, second?.before], ["Image", second?.after]);
  assertAlmostEquals(second?.contribution ?? 1, 0, 1e-9);
  const campaign = await ask("campaign/11");
  assertEquals(campaign.children.map(({ name }) => name), ["Parents", "Lookalike"]);
  assertAlmostEquals(campaign.children[0]?.contribution ?? 0, campaign.change, 1e-9);
});

Deno.test("GET /entities/{entity_type}/{entity_id}/drivers adds up whatever is left untold", async () => {
  await service.sql`select ads.create_insight_partitions('2026-01-10', '2026-01-11')`;
  // What has the id of the ad set was reported for no ad.
  await service.sql`
    insert into ads.insights (config_id, date, campaign_id, adset_id, ad_id, spend, leads)
    values (1, '2026-01-10', '11', '21', '31', 50, 5),
      (1, '2026-01-10', '11', '21', '32', 70, 0),
      (1, '2026-01-10', '11', '21', '21', 30, 2),
      (1, '2026-01-11', '11', '21', '32', 40, 1),
      (1, '2026-01-11', '11', '21', '21', 90, 3)`;
  const { change, parts, children, others } = await ask(
    "adset/21",
    "date_from=2026-01-11&date_to=2026-01-11&limit=1",
  );
  assertEquals([children.length, others?.count], [1, 1]);
  const rest = others?.contribution ?? 0;
  assertAlmostEquals(change, 130 / 4 - 150 / 7, 1e-9);
  assertAlmostEquals(sum(children.map(({ contribution }) => contribution)) + rest, change, 1e-9);
  assertAlmostEquals(sum(Object.values(parts)), change, 1e-9);
});

Deno.test("GET /entities/{entity_type}/{entity_id}/drivers splits leads when there is no CPL", async () => {
  const nothingBefore = await ask("ad/31", "before_from=2025-12-01&before_to=2025-12-07");
  assertEquals([nothingBefore.measure, nothingBefore.change], ["leads", 14]);
  assertEquals(nothingBefore.parts, { spend: 14, cpm: 0, ctr: 0, conversion_rate: 0 });
  const nothing = await ask("campaign/12");
  assertEquals([nothing.measure, nothing.change, nothing.children], ["leads", 0, []]);
  assertEquals(nothing.others, { count: 0, contribution: 0, rate: 0, mix: 0 });
});

Deno.test("GET /entities/{entity_type}/{entity_id}/drivers compares periods by the same length", async () => {
  const { before, after, change } = await ask(
    "ad/31",
    "date_from=2026-03-10&before_from=2026-02-24&before_to=2026-03-03",
  );
  assertEquals([before.spend, before.leads, before.cpl], [20, 4, 5]);
  assertEquals([after.spend, after.leads, change], [20, 2, 5]);
});

Deno.test("GET /entities/{entity_type}/{entity_id}/drivers fills in the ends of periods", async () => {
  assertEquals(await periodsOf("as_of=2026-03-08"), [
    "2026-02-23",
    "2026-03-01",
    "2026-03-02",
    "2026-03-08",
  ]);
  assertEquals(await periodsOf("date_from=2026-03-10"), [
    "2026-03-09",
    "2026-03-09",
    "2026-03-10",
    "2026-03-10",
  ]);
  assertEquals(await periodsOf("date_to=2026-03-01&as_of=2026-03-08"), [
    "2026-02-16",
    "2026-02-22",
    "2026-02-23",
    "2026-03-01",
  ]);
  assertEquals(await periodsOf("before_to=2026-02-20"), [
    "2026-02-14",
    "2026-02-20",
    "2026-03-04",
    "2026-03-10",
  ]);
  assertEquals(await periodsOf("before_from=2026-03-01"), [
    "2026-03-01",
    "2026-03-03",
    "2026-03-04",
    "2026-03-10",
  ]);
});

Deno.test("GET /entities/{entity_type}/{entity_id}/drivers refuses periods that end before they begin", async () => {
  for (
    const [name, query] of [
      ["date_from", "date_from=2026-03-11"],
      ["before_from", "before_from=2026-03-04"],
      ["before_from", "before_from=2026-02-02&before_to=2026-02-01"],
    ]
  ) {
    const answer = await service.get(`/api/v1/entities/ad/31/drivers?config_id=1&${query}`);
    assertEquals(answer.status, 400);
    const { details } = answer.read(Refused);
    assert(details?.parameters.some((parameter) => parameter.name === name), query);
  }
});

Deno.test("GET /entities/{entity_type}/{entity_id}/drivers answers 404 when there is no such entity", async () => {
  const { status, body } = await service.get("/api/v1/entities/adset/31/drivers?config_id=1");
  assertEquals([status, body], [404, {
    code: "not_found",
    message: 'There is no ad set "31" in this account',
  }]);
});
