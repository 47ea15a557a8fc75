/** Every route of the published document, asked by the key of another account. */
import { assert, assertEquals } from "@std/assert";
import { addKey } from "../routes/service.ts";
import { openContract, OWN_MARKS, STRANGERS } from "./account.ts";
import { readDocument } from "./document.ts";
import { describe, goodRequest, send } from "./requests.ts";

const service = await openContract();
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

const operations = readDocument((await service.get("/api/v1/openapi.json")).body);
const stranger = await addKey(service, { configIds: [STRANGERS], role: "admin" });

/** What an answer tells of the account that is not the stranger's. */
const marksIn = (text: string) => OWN_MARKS.filter((mark) => mark.test(text)).map(String);

for (const operation of operations) {
  Deno.test(`${operation.name} tells a stranger nothing`, async () => {
    const request = goodRequest(operation);
    const answer = await send(service, operation, request, { key: stranger });
    const where = `${describe(operation, request)}: ${answer.text}`;
    assert([200, 404].includes(answer.status), where);
    assertEquals(operation.problemOf(answer), null);
    // The account itself may be named back in a refusal, as it was asked for.
    if (answer.status === 200) assertEquals(marksIn(answer.text), [], where);
  });
}

Deno.test("the owner is told what a stranger is not", async () => {
  const told = await Promise.all(operations.map(async (operation) => {
    const answer = await send(service, operation, goodRequest(operation));
    return answer.status === 200 && marksIn(answer.text).length > 0;
  }));
  const share = told.filter(Boolean).length / told.length;
  assert(share > 0.6, `only ${share} of the routes tell anything of an account`);
});

Deno.test("no route but health answers without a key", async () => {
  for (const operation of operations) {
    const answer = await send(service, operation, goodRequest(operation), { key: "" });
    const isOpen = operation.path.startsWith("/api/v1/health");
    assertEquals([operation.name, answer.status], [operation.name, isOpen ? 200 : 401]);
  }
});
