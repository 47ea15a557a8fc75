import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openService, type Service } from "./service.ts";

const PAGE = "/entities/ad/31?config_id=1";

async function openWithAdvice(): Promise<Service> {
  const service = await openService();
  await service.sql`
    insert into ads.ml_recommendations (
      config_id, id, entity_type, entity_id, recommendation_type, kind, reason_code, priority, title,
      description, suggested_action, confidence_score, reasoning, as_of, model_version, created_at,
      expires_at
    )
    values (
      1, 9, 'ad', '31', 'CREATIVE_TEST', 'CREATIVE_TEST', 'creative_test', 4, 'Test a variant <b>',
      'It costs what it may', '{"action": "test_creative", "recommendations": ["Change one thing"]}',
      0.62, '{}', '2026-03-10', 'test', '2026-03-11T06:00Z', '2026-03-18T06:00Z'
    )`;
  return service;
}

function react(service: Service, fields: Record<string, string>, site = "same-origin") {
  return service.request("/entities/ad/31/recommendations/9?config_id=1", {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      "sec-fetch-site": site,
      origin: site === "same-origin" ? "http://localhost" : "https://example.com",
    },
    body: new URLSearchParams(fields).toString(),
  });
}

async function stored({ sql }: Service) {
  const [row] = await sql`
    select status, applied_at is not null as applied, dismissed_reason
    from ads.ml_recommendations
    where id = 9`;
  return row;
}

Deno.test("GET / lists what to do, with the way to the entity", async () => {
  await using service = await openWithAdvice();
  const { text } = await service.get("/?config_id=1");
  assertStringIncludes(text, "What to do");
  assertStringIncludes(text, `<a href="${PAGE}">Test a variant &lt;b&gt;</a>`);
  assertStringIncludes(text, "62 % sure");
});

Deno.test("GET /entities/{level}/{id} tells why and how, and takes an answer", async () => {
  await using service = await openWithAdvice();
  const { text } = await service.get(PAGE);
  assertStringIncludes(text, "It costs what it may");
  assertMatch(text, /<li[^>]*>Change one thing<\/li>/);
  assertStringIncludes(text, 'action="/entities/ad/31/recommendations/9?config_id=1"');
});

Deno.test("the buttons of a recommendation note what somebody did, and it leaves the page", async () => {
  await using service = await openWithAdvice();
  const answer = await react(service, { reaction: "dismissed", words: "seasonal" });
  assertEquals([answer.status, answer.headers.get("location")], [303, PAGE]);
  assertEquals(await stored(service), {
    status: "dismissed",
    applied: false,
    dismissed_reason: "seasonal",
  });
  assert(!(await service.get(PAGE)).text.includes("What to do"));
  const late = await react(service, { reaction: "applied" });
  assertEquals(late.status, 409);
  assertStringIncludes(late.text, "it is dismissed");
});

Deno.test("the buttons of a recommendation do nothing for another site or a wrong form", async () => {
  await using service = await openWithAdvice();
  assertEquals((await react(service, { reaction: "applied" }, "cross-site")).status, 403);
  assertEquals((await react(service, { reaction: "else" })).status, 400);
  assertEquals((await stored(service))?.status, "active");
});
