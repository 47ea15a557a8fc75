/** Random requests made from the published document: whatever is asked, it is answered by the rules. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { GIVEN, knownOf, openContract } from "./account.ts";
import { type Part, readDocument, type Schema } from "./document.ts";
import { describe, Repeated, send, typesOf } from "./requests.ts";

const REQUESTS = 10_000;
const SEED = 20_260_311;
const TIMEOUT_MS = 10_000;

const service = await openContract();
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

const operations = readDocument((await service.get("/api/v1/openapi.json")).body);

/** What people, programs and attackers send where something else is expected. */
const hostileText = fc.oneof(
  fc.constantFrom(
    ...["", " ", "\0", "%00", "%", "..", "\ud800", "'; select 1 --", "{}", "[object Object]"],
    ...["-1", "0", "00", "1.5", "1e3", "0x10", "NaN", "-Infinity", "2147483648", "9".repeat(400)],
    ...["9007199254740993", "-9223372036854775809", "null", "undefined", "true", "act_", "ad"],
    ...["2026-02-30", "0000-01-01", "2010-01-01", "2049-12-31", "9999-12-31T23:59:59-12:00"],
    ...["1970-01-01T00:00:00+14:00", "-271821-04-20T00:00:00Z", "2026-03-01T25:00:00Z"],
  ),
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.integer().map(String),
);
const hostile = fc.oneof(
  hostileText,
  fc.jsonValue({ maxDepth: 2 }),
  fc.double(),
  fc.array(hostileText, { maxLength: 3 }),
);

const instantBetween = (min: string, max: string) =>
  fc.date({ min: new Date(min), max: new Date(max), noInvalidDate: true })
    .map((date) => date.toISOString());
const instant = fc.oneof(
  instantBetween("2026-02-01", "2026-04-01"),
  instantBetween("1969-12-01", "2200-02-01"),
);
const day = instant.map((at) => at.slice(0, 10));
const offset = fc.constantFrom("Z", "", "+00:00", "-05:00", "+05:45", "+14:00");

/** Values that a schema allows, nearly all of them. */
function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const { anyOf, minimum, maximum, items, ...rest } = schema;
  if (anyOf) return fc.oneof(...anyOf.map((each) => valuesOf({ ...rest, ...each })));
  return fc.oneof(
    ...typesOf(schema).map((type): fc.Arbitrary<unknown> => {
      if (type === "null") return fc.constant(null);
      if (type === "boolean") return fc.boolean();
      if (type === "integer") {
        const limits = { min: minimum ?? -1000, max: maximum ?? 1000 };
        return fc.oneof(fc.integer(limits), fc.integer({ ...limits, max: limits.min + 10 }));
      }
      if (type === "number") return fc.double({ min: minimum, max: maximum, noNaN: true });
      if (type === "array") return fc.array(items ? valuesOf(items) : hostile, { maxLength: 3 });
      if (schema.format === "date") return day;
      if (schema.format === "date-time") {
        return fc.tuple(instant, offset).map(([at, zone]) => at.replace("Z", zone));
      }
      return fc.string({ unit: "grapheme", minLength: 1, maxLength: schema.maxLength ?? 20 });
    }),
  );
}

/** Values of a part: known ones where the document cannot tell which mean something. */
function arbitraryOf(operation: string, part: Part): fc.Arbitrary<unknown> {
  const { own, strangers = own, unknown = own } = knownOf(operation, part.name);
  const values = valuesOf(part.schema);
  const right = own === undefined ? values : fc.oneof(
    { weight: 6, arbitrary: fc.constant(own) },
    fc.constantFrom(strangers, unknown),
    values,
  );
  if (part.in === "body") return fc.oneof({ weight: 7, arbitrary: right }, hostile);
  const text = right.map(String);
  // A URL cannot hold these segments: they change the path.
  if (part.in === "path") {
    return fc.oneof({ weight: 4, arbitrary: text }, hostileText)
      .filter((value) => !["", ".", ".."].includes(value));
  }
  return fc.oneof(
    { weight: 8, arbitrary: text },
    hostileText,
    fc.array(fc.oneof(text, hostileText), { maxLength: 3 }).map((all) => new Repeated(all)),
  );
}

/** Most of the time something or, most of the time, nothing. */
function maybe<Value>(isUsual: boolean, arbitrary: fc.Arbitrary<Value>) {
  return fc.oneof(
    { weight: isUsual ? 9 : 1, arbitrary },
    { weight: isUsual ? 1 : 5, arbitrary: fc.constant(undefined) },
  );
}

const requests = fc.oneof(...operations.map((operation) => {
  // Requests that say little more than they must, so that many get past the first wrong value.
  const parts = operation.parts.map((part) => {
    const pair = arbitraryOf(operation.name, part).map((value) => [part, value] as const);
    return part.in === "path" ? pair : maybe(part.required || GIVEN.includes(part.name), pair);
  });
  const body = maybe(false, fc.oneof(fc.json(), hostileText));
  const arbitrary = fc.tuple(fc.tuple(...parts), body).map(([all, body]) => {
    const values = new Map(all.filter((each) => each !== undefined));
    const text = () => `${describe(operation, values)} ${body ?? ""}`;
    return { operation, values, body, [fc.toStringMethod]: text };
  });
  return { weight: 1 + parts.length, arbitrary };
}));

Deno.test(`the API answers by its document when ${REQUESTS} requests are random`, async () => {
  const answered = new Map(operations.map(({ name }) => [name, 0]));
  await fc.assert(
    fc.asyncProperty(requests, async ({ operation, values, body }) => {
      const answer = await send(service, operation, values, { body });
      assert(answer.status < 500, `${answer.status}: ${answer.text}`);
      assertEquals(operation.problemOf(answer), null);
      if (answer.status < 300) {
        answered.set(operation.name, (answered.get(operation.name) ?? 0) + 1);
      }
    }),
    { numRuns: REQUESTS, seed: SEED, timeout: TIMEOUT_MS },
  );
  // Requests that are all refused would prove little.
  for (const [name, count] of answered) {
    assert(count > 10, `${name} was asked rightly ${count} times`);
  }
});
