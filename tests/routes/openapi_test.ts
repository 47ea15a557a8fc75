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

const Content = z.object({
  "application/json": z.object({ schema: z.record(z.string(), z.unknown()) }),
});
const Operation = z.object({
  responses: z.record(z.string(), z.object({ content: Content.optional() })),
});

/** The parts of the document that tests look into. */
const Document = z.object({
  openapi: z.string(),
  info: z.object({ version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), z.unknown()) }),
});

async function readDocument() {
  return (await service.get("/api/v1/openapi.json")).read(Document);
}

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
  const document = await readDocument();
  assertEquals([document.openapi, document.info.version], ["3.1.0", "1.2.3"]);
  const operations = Object.entries(document.paths)
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
    const problems = validate(document, operation, "200", answer.body);
    assertEquals(problems, null, `${name}: ${problems}`);
  }
});

Deno.test("GET /openapi.json describes what is null when it is unknown", async () => {
  const document = await readDocument();
  for (
    const [path, address] of [
      ["/api/v1/classifications", "/api/v1/classifications?config_id=1&count=false"],
      ["/api/v1/classifications/summary", "/api/v1/classifications/summary?config_id=2"],
      ["/api/v1/entities/{entity_type}/{entity_id}", "/api/v1/entities/ad/34?config_id=1"],
      ["/api/v1/features", "/api/v1/features?config_id=1&as_of=2026-02-19"],
    ] as const
  ) {
    const { body } = await service.get(address);
    assertEquals(validate(document, document.paths[path]?.get, "200", body), null);
  }
});

Deno.test("GET /openapi.json describes the error that a route answers", async () => {
  const document = await readDocument();
  const operation = document.paths["/api/v1/entities"]?.get;
  for (const [query, status] of [["", "400"], ["config_id=9", "404"]] as const) {
    const answer = await service.get(`/api/v1/entities?${query}`);
    assertEquals(String(answer.status), status);
    assertEquals(validate(document, operation, status, answer.body), null);
  }
});

Deno.test("GET /docs reads the document with scripts and styles of its own", async () => {
  const { status, text, headers } = await service.get("/docs");
  assertEquals(status, 200);
  assert(!/https?:\/\//.test(text), "nothing comes from elsewhere");
  assert(headers.get("content-security-policy")?.includes("script-src 'self'"));
  for (const [, address = ""] of text.matchAll(/(?:src|href)="([^"]+)"/g)) {
    assertEquals((await service.get(address)).status, 200, address);
  }
});

/** What is wrong with an answer by the document's schema for it, or null. */
function validate(
  document: z.output<typeof Document>,
  operation: z.output<typeof Operation> | undefined,
  status: string,
  body: unknown,
): string | null {
  const schema = operation?.responses[status]?.content?.["application/json"].schema;
  assert(schema, "the answer is described");
  const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
  const parsed = z.fromJSONSchema(JSON.parse(text.replaceAll("#/components/schemas/", "#/$defs/")))
    .safeParse(body);
  return parsed.success ? null : z.prettifyError(parsed.error);
}
