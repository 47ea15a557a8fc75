/** Requests built from the document: what an operation is asked, part by part. */
import type { Answer } from "../routes/service.ts";
import { type Contract, GIVEN, knownOf } from "./account.ts";
import type { Operation, Part, Schema } from "./document.ts";

/** What a request says. Several values of a parameter are a `Repeated`. */
export type Values = Map<Part, unknown>;

/** A parameter that is given more than once. */
export class Repeated {
  constructor(readonly values: unknown[]) {}
}

/** A request in a few words, for messages. */
export function describe({ name }: Operation, values: Values): string {
  const text = JSON.stringify([...values].map(([part, value]) => [part.in, part.name, value]));
  return `${name} with ${text.slice(0, 500)}`;
}

/** The path of a request. */
export function addressOf(path: string, values: Values): string {
  const segments = new Map([...values].map(([part, value]) => [part.name, String(value)]));
  return path.replaceAll(
    /\{(\w+)\}/g,
    (_, name) => encodeURIComponent(segments.get(name)?.toWellFormed() ?? ""),
  );
}

/** Sends a request by the usual key or another one. The body may be text instead of its fields. */
export function send(
  service: Contract,
  { method, path, hasBody }: Pick<Operation, "method" | "path" | "hasBody">,
  values: Values,
  { body, key = service.key }: { body?: string; key?: string } = {},
): Promise<Answer> {
  const given = (place: Part["in"]) => [...values].filter(([part]) => part.in === place);
  const query = new URLSearchParams(
    given("query").flatMap(([{ name }, value]) =>
      (value instanceof Repeated ? value.values : [value]).map((each) => [name, String(each)])
    ),
  );
  const fields = Object.fromEntries(given("body").map(([{ name }, value]) => [name, value]));
  return service.request(`${addressOf(path, new Map(given("path")))}?${query}`, {
    method,
    headers: {
      ...hasBody && { "content-type": "application/json" },
      ...key && { "x-api-key": key },
    },
    ...hasBody && { body: body ?? JSON.stringify(fields) },
  });
}

/** A request that the document calls right, with nothing in it that it could do without. */
export function goodRequest(operation: Operation): Values {
  return new Map(
    operation.parts.filter(({ name, required }) => required || GIVEN.includes(name))
      .map((part) => [part, goodValues(operation, part)[0]]),
  );
}

/** Another request that differs in one part. */
export function change(values: Values, part: Part, value: unknown): Values {
  return new Map([...values, [part, value]]);
}

/** A request without one of its parts. */
export function without(values: Values, left: Part): Values {
  return new Map([...values].filter(([part]) => part !== left));
}

/** Values of a part that have to be accepted, the most telling one first. */
export function goodValues(
  operation: Pick<Operation, "name">,
  { name, schema, in: place }: Part,
): unknown[] {
  const { own: known } = knownOf(operation.name, name);
  if (known === undefined) {
    return samplesOf(schema).filter((value) => value !== null || place === "body");
  }
  const others = [...schema.enum ?? [], ...typesOf(schema).includes("null") ? [null] : []];
  return [known, ...others.filter((value) => value !== known)];
}

function samplesOf({ anyOf, ...schema }: Schema): unknown[] {
  if (anyOf) return anyOf.flatMap((each) => samplesOf({ ...schema, ...each }));
  if (schema.enum) return schema.enum;
  return typesOf(schema).flatMap((type) => {
    if (type === "boolean") return [true, false, 1, 0];
    if (type === "integer" || type === "number") return [schema.minimum ?? 0, schema.maximum ?? 1];
    if (type === "array") return [[], ...schema.items ? [samplesOf(schema.items)] : []];
    if (type === "null") return [null];
    if (schema.format === "date-time") return INSTANTS;
    if (schema.format === "date") return [schema.example ?? "2026-03-01"];
    return [schema.example ?? "x"];
  });
}

/** The same instant, with and without an offset. */
export const INSTANTS = [
  "2026-03-09T06:00:00Z",
  "2026-03-09T06:00:00.000Z",
  "2026-03-09T01:00:00-05:00",
  "2026-03-09T11:45:00+05:45",
  "2026-03-09T06:00:00",
];

/** Texts that are wrong for some parameters and right for others, which their schemas tell. */
const TEXTS = [
  ...["", " ", "x", "\0", "X".repeat(10_000), "'; select 1 --", "null", "undefined", "[]", "{}"],
  ...["-1", "0", "1.5", "1e3", "0x10", "1_000", "NaN", "Infinity", "-Infinity", "9".repeat(400)],
  ...["2147483648", "9007199254740993", "-9223372036854775809", "true", "yes", "TRUE"],
  ...["2026-02-30", "2026-13-01", "0000-00-00", "2026-3-1", "01/03/2026", "2026-03-01T25:00:00Z"],
  ...["2026-03-01T00:00:00+99:00", "campaigns", "AD", "ad ", "high_performer", "open", "act_"],
];

/** Values of a part that have to be refused, because its schema refuses them. */
export function wrongValues(operation: Pick<Operation, "name">, part: Part): unknown[] {
  const { minimum = 0, maximum = 0, maxLength = 0 } = part.schema;
  const limits = [minimum - 1, maximum + 1, "x".repeat(maxLength + 1)];
  if (part.in === "body") {
    const others = [null, true, 1.5, -1, 1e300, [], {}, [null], [[]], [1], { a: 1 }];
    // Digits where the document says text lose their last ones on the way.
    const digits = [140000000000000010, [140000000000000010]];
    return [...TEXTS, ...others, ...digits, ...limits].filter((value) => !accepts(part, value));
  }
  const texts = [...TEXTS, ...limits.map(String)].filter((value) => value && !accepts(part, value));
  if (part.in === "path") return texts;
  const [good] = goodValues(operation, part);
  return [...texts, "", new Repeated([good, good])];
}

/** Whether the document calls a value right, in the spellings that it may have as text. */
function accepts(part: Part, value: unknown): boolean {
  return part.allows(value) ||
    typesOf(part.schema).some((type) => part.allows(read(type, value)));
}

function read(type: string, value: unknown): unknown {
  const text = String(value);
  if (type === "integer" && /^-?\d+$/.test(text)) return Number(text);
  if (type === "number" && /^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (type === "boolean" && ["true", "1"].includes(text)) return true;
  if (type === "boolean" && ["false", "0"].includes(text)) return false;
  return value;
}

/** The types that a schema allows. */
export function typesOf({ type, anyOf }: Schema): string[] {
  return [type ?? [], ...anyOf?.map(typesOf) ?? []].flat();
}
