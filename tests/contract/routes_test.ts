/** What the contract asks of every route, for each one that the published document has. */
import { assert, assertEquals, equal } from "@std/assert";
import { z } from "zod";
import { LEVELS } from "../../core/level.ts";
import { type Answer, Refused } from "../routes/service.ts";
import { EMPTY_ACCOUNT, knownOf, openContract, ownEntity } from "./account.ts";
import { type Operation, type Part, readDocument, type Schema } from "./document.ts";
import {
  addressOf,
  change,
  describe,
  goodRequest,
  goodValues,
  INSTANTS,
  send,
  type Values,
  without,
  wrongValues,
} from "./requests.ts";

const BODY_MAX = 1024 * 1024;
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

const service = await openContract();
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

const operations = readDocument((await service.get("/api/v1/openapi.json")).body);
const ids = new Set(
  (await service.sql<{ id: string }[]>`
    select entity_id as id from ads.entities
    union all
    select account_id from ads.accounts`).map(({ id }) => id),
);

const Coded = z.object({ code: z.string() });
const List = z.looseObject({ total: z.int().nullable(), data: z.array(z.unknown()) });

/** Asks an operation, and asserts that it answers as the document says. */
async function ask(operation: Operation, values: Values, body?: string): Promise<Answer> {
  const answer = await send(service, operation, values, { body });
  assertEquals(operation.problemOf(answer), null, describe(operation, values));
  return answer;
}

/** Asserts that a request is refused, and that a parameter is named. */
function assertNames(answer: Answer, name: string, message: string): void {
  assertEquals([answer.status, answer.read(Refused).code], [400, "invalid_parameter"], message);
  const named = answer.read(Refused).details?.parameters.map((each) => each.name.split(".")[0]);
  assert(named?.includes(name), `${message}: ${answer.text}`);
}

for (const operation of operations) {
  const { name, parts, path, hasBody } = operation;
  const good = goodRequest(operation);
  const partNamed = (wanted: string) => parts.find((part) => part.name === wanted);
  const account = partNamed("config_id");
  const metaAccount = partNamed("ad_account_id");
  const offset = partNamed("offset");
  // Who asks for one entity finds it on its own level only.
  const one = parts.find(({ in: place, name, required }) =>
    place === "body" && required && /^entity_ids?$/.test(name)
  );
  const otherwise = (part: Part, value: unknown) => {
    const values = change(good, part, value);
    const level = LEVELS.find((each) => part.name === "entity_type" && each === value);
    if (!one || !level) return values;
    const id = ownEntity(level);
    return change(values, one, one.name === "entity_ids" ? [id] : id);
  };

  Deno.test(`${name} answers as documented when the request is right`, async () => {
    const requests = parts.filter((part) => part.in !== "path")
      .flatMap((part) => goodValues(operation, part).map((value) => otherwise(part, value)));
    for (const values of [good, ...requests]) {
      const { status, text } = await ask(operation, values);
      assertEquals([200, 202].includes(status), true, `${describe(operation, values)}: ${text}`);
      for (const [, id = ""] of text.matchAll(/"(\d{15,})"/g)) {
        assert(ids.has(id), `${name}: ${id}`);
      }
      // A number that long has lost its last digits.
      assertEquals(text.match(/(?<=[:,[])\d{16,}(?=[,}\]])/g), null, name);
    }
    for (const part of parts.filter((each) => each.in === "path")) {
      const { text } = await ask(operation, good);
      assert(text.includes(JSON.stringify(good.get(part))), `${name} tells ${part.name}`);
    }
  });

  for (const part of parts) {
    Deno.test(`${name} names ${part.name} when its value is wrong`, async () => {
      for (const value of wrongValues(operation, part)) {
        const values = change(good, part, value);
        assertNames(await ask(operation, values), part.name, describe(operation, values));
      }
    });
  }

  for (const part of parts.filter((each) => each.required && each.in !== "path")) {
    Deno.test(`${name} asks for ${part.name} when it is missing`, async () => {
      assertNames(await ask(operation, without(good, part)), part.name, name);
    });
  }

  if (account) {
    Deno.test(`${name} asks for the account when it is missing`, async () => {
      assertNames(await ask(operation, without(good, account)), account.name, name);
    });
  }

  if (account && metaAccount) {
    Deno.test(`${name} finds the account by Meta's id with and without act_`, async () => {
      const { body } = await ask(operation, good);
      const metaAccountId = knownOf(name, metaAccount.name).own;
      for (const id of [metaAccountId, `act_${metaAccountId}`]) {
        const values = change(without(good, account), metaAccount, id);
        assertEquals((await ask(operation, values)).body, body);
      }
    });
  }

  if (account && !parts.some((part) => part.in === "path")) {
    Deno.test(`${name} answers as documented when the account is empty`, async () => {
      const { status } = await ask(operation, change(good, account, EMPTY_ACCOUNT));
      assertEquals((one ? [404] : [200, 202]).includes(status), true);
    });
  }

  for (const part of parts) {
    const known = knownOf(name, part.name);
    if (known?.unknown === undefined) continue;

    Deno.test(`${name} finds nothing when ${part.name} is unknown or a stranger's`, async () => {
      const answer = await ask(operation, change(good, part, known.unknown));
      const isFilter = part.in === "query" && part !== account && part !== metaAccount;
      if (isFilter) assertEquals([answer.status, answer.read(List).data], [200, []]);
      else assertEquals([answer.status, answer.read(Coded).code], [404, "not_found"]);
      if (known.strangers === undefined) return;
      const strangers = await ask(operation, change(good, part, known.strangers));
      assertEquals(
        strangers.text.replaceAll(String(known.strangers), String(known.unknown)),
        answer.text,
      );
    });
  }

  for (const part of parts.filter(({ schema }) => isInstant(schema))) {
    Deno.test(`${name} takes ${part.name} in any offset, and in UTC without one`, async () => {
      const answers = [];
      for (const instant of INSTANTS) {
        answers.push((await ask(operation, change(good, part, instant))).body);
      }
      for (const answer of answers) assertEquals(answer, answers[0]);
    });
  }

  if (offset) {
    Deno.test(`${name} answers an empty page when the offset is past the end`, async () => {
      const { total } = (await ask(operation, good)).read(List);
      for (const value of [total, offset.schema.maximum]) {
        const page = (await ask(operation, change(good, offset, value))).read(List);
        assertEquals([page.total, page.data], [total, []]);
      }
    });

    Deno.test(`${name} pages by number as by offset, and counts only when asked to`, async () => {
      const asked = async (given: Record<string, unknown>) => {
        const extra = parts.filter((part) => part.name in given)
          .map((part) => [part, given[part.name]] as const);
        return (await ask(operation, new Map([...good, ...extra]))).read(List);
      };
      const second = await asked({ limit: 2, offset: 2 });
      assertEquals(await asked({ page: 2, page_size: 2 }), second);
      const uncounted = await asked({ limit: 2, offset: 2, count: false });
      assertEquals([uncounted.total, uncounted.data], [null, second.data]);
    });

    Deno.test(`${name} gives its items under data and under its own name`, async () => {
      const { data, ...rest } = (await ask(operation, good)).read(List);
      assert(Object.values(rest).some((value) => equal(value, data)));
    });
  }

  if (hasBody) {
    Deno.test(`${name} answers 400 when the body is not the JSON that it takes`, async () => {
      for (const body of ["", "{", "{'a': 1}", "config_id=1", "\0", "[]", "null", "1", '"x"']) {
        const { status, text } = await ask(operation, good, body);
        assertEquals(status, 400, `${body}: ${text}`);
      }
      assertNames(await ask(operation, good, "{"), "body", name);
      const headers = { "x-api-key": service.key };
      const { status } = await service.request(path, { method: "POST", headers, body: "{}" });
      assertEquals(status, 400);
    });

    Deno.test(`${name} answers 413 when the body is over the limit`, async () => {
      const answer = await ask(operation, good, `{"a":"${"x".repeat(BODY_MAX)}"}`);
      assertEquals([answer.status, answer.read(Coded).code], [413, "payload_too_large"]);
    });
  }

  Deno.test(`${name} answers 405 or 404 when the method or the path is wrong`, async () => {
    const request = { ...operation, hasBody: false };
    const address = addressOf(path, good);
    const right = operations.filter((each) => isAt(each, address)).map((each) => each.method);
    for (const method of METHODS.filter((each) => !right.includes(each))) {
      const answer = await send(service, { ...request, method }, good);
      assertEquals([answer.status, answer.read(Coded).code], [405, "method_not_allowed"]);
      const allowed = answer.headers.get("allow")?.split(", ").filter((each) => each !== "HEAD");
      assertEquals(allowed, [...new Set(right)], `${method} ${address}`);
    }
    const nowhere = await send(service, { ...request, path: `${path}/no/such/route` }, good);
    assertEquals([nowhere.status, nowhere.read(Coded).code], [404, "not_found"]);
  });

  Deno.test(`${name} documents that every field of its answers is always there`, () => {
    for (const [status, schema] of Object.entries(operation.answers)) {
      // An error leaves out what it does not have.
      if (status.startsWith("2")) assertEquals(optionalFields(schema), []);
    }
  });
}

/** Whether an operation answers at an address; `/campaigns/classify` could be a campaign's, too. */
function isAt({ path }: Operation, address: string): boolean {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(address);
}

function isInstant(schema: Schema): boolean {
  return schema.format === "date-time" || (schema.anyOf?.some(isInstant) ?? false);
}

function optionalFields(schema: Schema): string[] {
  const { properties = {}, required = [], items, anyOf = [] } = schema;
  return [
    ...Object.keys(properties).filter((field) => !required.includes(field)),
    ...[...Object.values(properties), ...items ? [items] : [], ...anyOf]
      .flatMap(optionalFields),
  ];
}
