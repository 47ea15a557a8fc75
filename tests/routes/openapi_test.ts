import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { openService, storeClassifications } from "./service.ts";

let service: Awaited<ReturnType<typeof openService>>;
Deno.test.beforeAll(async () => {
  service = await openService();
  await storeClassifications(service, [
    {
      entityType: "campaign",
      entityId: "11",
      tier: "LOW",
      confidence: 0.5,
      at: "2026-03-10T05:00Z",
    },
  ]);
});
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

/** What each route of the document is asked, beside the account. */
const EXAMPLES: Record<string, { path?: Record<string, string>; body?: unknown }> = {
  "GET /api/v1/classifications/campaigns/{campaign_id}": { path: { campaign_id: "11" } },
  "POST /api/v1/classifications/classify": { body: { config_id: 1, entity_type: "ad" } },
  "POST /api/v1/classifications/campaigns/classify": { body: { config_id: 1 } },
  "POST /api/v1/classifications/feedback": {
    body: { classification_id: 101, correct_tier: "MODERATE", user_id: 7 },
  },
  "GET /api/v1/entities/{entity_type}/{entity_id}": {
    path: { entity_type: "ad", entity_id: "31" },
  },
  "GET /api/v1/entities/{entity_type}/{entity_id}/daily": {
    path: { entity_type: "adset", entity_id: "21" },
  },
};

Deno.test("GET /openapi.json describes what every route answers", async () => {
  const { body: document } = await service.get("/api/v1/openapi.json");
  assertEquals([document.openapi, document.info.version], ["3.1.0", "1.2.3"]);
  const operations = Object.entries<Record<string, Operation>>(document.paths)
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        path,
        operation,
      }))
    );
  assertEquals(operations.length, 17);
  for (const { name, path, operation } of operations) {
    const example = EXAMPLES[name] ?? {};
    const address = path.replaceAll(/\{(\w+)\}/g, (_, key) => example.path?.[key] ?? "");
    const answer = example.body
      ? await service.post(address, example.body)
      : await service.get(`${address}?config_id=1`);
    assertEquals(answer.status, 200, `${name}: ${JSON.stringify(answer.body)}`);
    const schema = operation.responses["200"]?.content?.["application/json"]?.schema;
    const problems = validate(document, schema, answer.body);
    assertEquals(problems, null, `${name}: ${problems}`);
  }
});

Deno.test("GET /openapi.json describes what is null when it is unknown", async () => {
  const { body: document } = await service.get("/api/v1/openapi.json");
  for (
    const [path, address] of [
      ["/api/v1/classifications", "/api/v1/classifications?config_id=1&count=false"],
      ["/api/v1/classifications/summary", "/api/v1/classifications/summary?config_id=2"],
      ["/api/v1/entities/{entity_type}/{entity_id}", "/api/v1/entities/ad/34?config_id=1"],
      ["/api/v1/features", "/api/v1/features?config_id=1&as_of=2026-02-19"],
    ] as const
  ) {
    const { body } = await service.get(address);
    const { schema } = document.paths[path].get.responses["200"].content["application/json"];
    assertEquals(validate(document, schema, body), null);
  }
});

Deno.test("GET /openapi.json describes the error that a route answers", async () => {
  const { body: document } = await service.get("/api/v1/openapi.json");
  const responses = document.paths["/api/v1/entities"].get.responses;
  for (const [query, status] of [["", "400"], ["config_id=9", "404"]] as const) {
    const answer = await service.get(`/api/v1/entities?${query}`);
    assertEquals(String(answer.status), status);
    const schema = responses[status].content["application/json"].schema;
    assertEquals(validate(document, schema, answer.body), null);
  }
});

Deno.test("GET /docs reads the document with scripts and styles of its own", async () => {
  const { status, body, headers } = await service.get("/docs");
  assertEquals(status, 200);
  assert(!/https?:\/\//.test(body), "nothing comes from elsewhere");
  assert(headers.get("content-security-policy")?.includes("script-src 'self'"));
  for (const [, address] of body.matchAll(/(?:src|href)="([^"]+)"/g)) {
    assertEquals((await service.get(address)).status, 200, address);
  }
});

type Operation = {
  responses: Record<string, { content?: { "application/json": { schema: object } } }>;
};

/** What is wrong with a value by a schema of the document, or null. */
function validate(document: object, schema: object | undefined, value: unknown): string | null {
  assert(schema, "the answer is described");
  const text = JSON.stringify({ ...schema, $defs: (document as Document).components.schemas });
  const parsed = z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")))
    .safeParse(value);
  return parsed.success ? null : z.prettifyError(parsed.error);
}

type Document = { components: { schemas: Record<string, object> } };
