import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { getAccount } from "../../db/accounts.ts";
import { decideAndSummarize } from "../../jobs/account_summary.ts";
import { NOW, openService } from "./service.ts";

let service: Awaited<ReturnType<typeof openService>>;
Deno.test.beforeAll(async () => {
  service = await openService();
});
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

Deno.test("GET / says how to import when there is no account or no data", async () => {
  const { text } = await service.get("/?config_id=2");
  assertStringIncludes(text, "Empty has no data yet");
  assertStringIncludes(text, "npx -y deno task import my-export.csv --config 2");
});

Deno.test("GET / says how to classify when nothing is classified", async () => {
  const { text } = await service.get("/?config_id=1");
  assertStringIncludes(text, "deno task job classification --config 1 --as-of 2026-03-10");
  assertStringIncludes(text, "<strong>8.57 USD</strong>");
});

Deno.test("GET / shows tiers, certainty and escaped names when ads are classified", async () => {
  for (const entity_type of ["campaign", "adset", "ad"]) {
    await service.post("/api/v1/classifications/classify", { config_id: 1, entity_type });
  }
  const { status, text } = await service.get("/?level=ad&parent=21");
  assertEquals(status, 200);
  assertStringIncludes(text, "Video &lt;b&gt;");
  assertStringIncludes(text, "Ads of <a");
  assert(/High performer<b>\d+ %<\/b>/.test(text));
  assert(!text.includes("Carousel</a></th>"), "the ad of another ad set is not in the table");
  assert(
    !/<script(?![^>]* src=)|style=|onclick=/.test(text),
    "nothing that a strict policy forbids",
  );
});

Deno.test("GET / names the same best and worst as the command line", async () => {
  const account = await getAccount(service.sql, 1);
  const lines = await decideAndSummarize(service.sql, account, NOW);
  const told = lines.slice(0, lines.indexOf("What to do first")).flatMap((line) =>
    /^(Best|Worst| {2}\S.*?(?= {2}))/.exec(line)?.[1]?.trim() ?? []
  );
  const { text } = await service.get("/");
  const cards = text.slice(text.indexOf('<section class="cards"'));
  const shown = [...cards.matchAll(/<h3>(\w+)|<li><a[^>]*>([^<]+)/g)]
    .map(([, title, name = ""]) => title ?? name.replace("&lt;", "<").replace("&gt;", ">"));
  assertEquals(shown, told);
  assertEquals(told.slice(-5), ["Best", "Video <b>", "Worst", "Image", "Carousel"]);
});

Deno.test("GET / tells beside what happened how many alarms chance would raise", async () => {
  await service.sql`
    insert into ads.incidents (
      config_id, entity_type, entity_id, anomaly_type, severity, first_date, last_date, sentence,
      detected_at, updated_at
    )
    values (1, 'ad', '31', 'cpl_spike', 'HIGH', '2026-03-09', '2026-03-10', 'Leads cost more',
      '2026-03-10T06:00Z', '2026-03-11T06:00Z')`;
  await service.sql`
    insert into ads.anomaly_luck (
      config_id, entity_type, anomaly_date, entities, alarms, shuffles, expected_by_luck,
      model_version, updated_at
    )
    values
      (1, 'ad', '2026-03-09', 3, 11, 10, 0.2, 'test', '2026-03-10T06:00Z'),
      (1, 'campaign', '2026-03-10', 1, 3, 10, 0.1, 'test', '2026-03-10T06:00Z')`;
  const { text } = await service.get("/?config_id=1");
  assertStringIncludes(text, "Leads cost more");
  assertStringIncludes(text, "There were 14 alarms in 7 days. By chance there would be about 0.3.");
});

Deno.test("GET /entities/{level}/{id} says what a lead costs and lists what lies below", async () => {
  await service.post("/api/v1/classifications/classify", { config_id: 1, entity_type: "adset" });
  const { text } = await service.get("/entities/adset/21?config_id=1");
  assert(/A lead from this ad set costs <strong>\d+\.\d\d to \d+\.\d\d USD<\/strong>/.test(text));
  assertStringIncludes(text, 'data-date="2026-03-10" data-spend="40" data-leads="5" data-cpl="8"');
  assertStringIncludes(text, 'href="/entities/ad/32?config_id=1"');
  for (const [, address = ""] of text.matchAll(/(?:src|stylesheet" href)="([^"]+)"/g)) {
    assertEquals((await service.get(address)).status, 200, address);
  }
});

Deno.test("GET /entities/{level}/{id} answers with a page when there is no such entity", async () => {
  for (const path of ["/entities/ad/77", "/entities/advert/31", "/?config_id=9"]) {
    const { status, text } = await service.get(path);
    assertEquals(status, 404);
    assertStringIncludes(text, "Back to the start");
  }
});

Deno.test("GET / and an entity's page say what the month will come to", async () => {
  await using service = await openService();
  for (const path of ["/?config_id=1", "/entities/ad/31?config_id=1"]) {
    assert(!(await service.get(path)).text.includes('<section class="month">'), path);
  }
  // Days that are all alike would be foreseen to the cent.
  await service.sql`
    update ads.insights set spend = spend * (1 + extract(day from date)::integer % 3 * 0.1)
    where date < '2026-03-01'`;
  await service.post("/api/v1/forecasts/generate", { config_id: 1, entity_type: "ad" });
  for (
    const [path, spent] of [
      ["/?config_id=1", /[\d,]+\.\d\d USD and \d+ leads to 2026-03-10/],
      ["/entities/ad/31?config_id=1", /200\.00 USD and \d+ leads to 2026-03-10/],
    ] as const
  ) {
    const { text } = await service.get(path);
    assertStringIncludes(text, '<section class="month"><h2>March 2026</h2>');
    assertMatch(text, spent);
    const [, low, high] =
      /By 2026-03-31 it will be <strong>([\d,.]+) to ([\d,.]+) USD<\/strong> and/.exec(text) ?? [];
    const number = (words = "") => Number(words.replaceAll(",", ""));
    assert(number(low) > 0 && number(low) < number(high), text);
    assertMatch(text, /A lead at [\d,.]+ to [\d,.]+ USD\./);
  }
  // A job that has not run for days says nothing of today.
  await service.sql`update ads.ml_forecasts set as_of = as_of - 4`;
  assert(!(await service.get("/?config_id=1")).text.includes('<section class="month">'));
});
