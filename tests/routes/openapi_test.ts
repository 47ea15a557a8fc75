import { assert, assertEquals } from "@std/assert";
import { z } from "zod";
import { readDocument } from "../contract/document.ts";
import { openService } from "./service.ts";

let service: Awaited<ReturnType<typeof openService>>;
Deno.test.beforeAll(async () => {
  service = await openService();
});
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

Deno.test("GET /openapi.json tells the version of the program", async () => {
  const { openapi, info } = (await service.get("/api/v1/openapi.json")).read(
    z.object({ openapi: z.string(), info: z.object({ version: z.string() }) }),
  );
  assertEquals([openapi, info.version], ["3.1.0", "1.2.3"]);
});

Deno.test("GET /openapi.json describes what is null when it is unknown", async () => {
  const operations = readDocument((await service.get("/api/v1/openapi.json")).body);
  for (
    const [name, address] of [
      ["GET /api/v1/entities/{entity_type}/{entity_id}", "/api/v1/entities/ad/34?config_id=1"],
      ["GET /api/v1/features", "/api/v1/features?config_id=1&as_of=2026-02-19"],
    ] as const
  ) {
    const answer = await service.get(address);
    assertEquals(answer.status, 200);
    assertEquals(operations.find((each) => each.name === name)?.problemOf(answer), null);
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
