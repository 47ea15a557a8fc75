/** The published description of the API, as tests walk it. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { fullFormats } from "ajv-formats/dist/formats.js";
import { z } from "zod";
import type { Answer } from "../routes/service.ts";

/** A JSON schema, as far as tests build values from it. */
export type Schema = {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  format?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  example?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
  allOf?: Schema[];
};

const Schema: z.ZodType<Schema> = z.lazy(() =>
  z.looseObject({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    format: z.string().optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    maxLength: z.number().optional(),
    example: z.unknown().optional(),
    items: Schema.optional(),
    properties: z.record(z.string(), Schema).optional(),
    required: z.array(z.string()).optional(),
    anyOf: z.array(Schema).optional(),
    allOf: z.array(Schema).optional(),
  })
);

const Content = z.object({ "application/json": z.object({ schema: Schema }) });

const Document = z.looseObject({
  openapi: z.string().startsWith("3.1."),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        parameters: z.array(z.object({
          in: z.enum(["path", "query"]),
          name: z.string(),
          required: z.boolean().default(false),
          schema: Schema,
        })).default([]),
        requestBody: z.object({ required: z.literal(true), content: Content }).optional(),
        responses: z.record(z.string(), z.object({ content: Content })),
      }),
    ),
  ),
  components: z.object({ schemas: z.record(z.string(), Schema) }),
});

/** One thing that a request says: a parameter, or a field of its body. */
export type Part = {
  in: "path" | "query" | "body";
  name: string;
  required: boolean;
  schema: Schema;
  /** Whether the document calls a value right. */
  allows(value: unknown): boolean;
};

/** A path and a method of the document. */
export type Operation = {
  name: string;
  method: string;
  path: string;
  parts: Part[];
  hasBody: boolean;
  /** The schemas of its answers, by status. */
  answers: Record<string, Schema>;
  /** What is wrong with an answer by its documented status and schema, or null. */
  problemOf(answer: Answer): string | null;
};

/** The document of an app, taken apart. */
export function readDocument(published: unknown) {
  const document = Document.parse(published);
  const ajv = new Ajv2020({
    allowUnionTypes: true,
    formats: { date: fullFormats.date, "date-time": fullFormats["date-time"] },
  });
  // What the dialect of OpenAPI adds to JSON schema. Any other unknown keyword is an error.
  ajv.addVocabulary([...Object.keys(document), "example"]);
  ajv.addSchema(document, "document");

  /** A schema with what it refers to and what it is put together from in its place. */
  function resolve({ $ref, allOf = [], ...own }: Schema): Schema {
    const target = document.components.schemas[$ref?.split("/").at(-1) ?? ""];
    const sources = [...target ? [target] : [], ...allOf].map(resolve);
    const all = [...sources, own];
    const { items, anyOf, properties: _, ...rest } = all.reduce<Schema>(
      (merged, each) => ({ ...merged, ...each }),
      {},
    );
    const properties = all.flatMap((each) => Object.entries(each.properties ?? {}));
    return {
      ...rest,
      ...items && { items: resolve(items) },
      ...anyOf && { anyOf: anyOf.map(resolve) },
      ...properties.length > 0 && {
        properties: mapValues(Object.fromEntries(properties), resolve),
        required: all.flatMap((each) => each.required ?? []),
      },
    };
  }

  function partOf(part: Omit<Part, "allows">): Part {
    const schema = resolve(part.schema);
    const validate = ajv.compile(schema);
    return { ...part, schema, allows: (value) => validate(value) };
  }

  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody, responses }]): Operation => {
      const body = requestBody && resolve(requestBody.content["application/json"].schema);
      const fields = Object.entries(body?.properties ?? {}).map(([name, schema]) => {
        const required = body?.required?.includes(name) ?? false;
        return partOf({ in: "body", name, required, schema });
      });
      const validators = mapValues(responses, (_, status) => {
        const steps = ["paths", path, method, "responses", status, "content", "application/json"];
        return ajv.compile({ $ref: `document#/${[...steps, "schema"].map(pointer).join("/")}` });
      });
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parts: [...parameters.map(partOf), ...fields],
        hasBody: requestBody !== undefined,
        answers: mapValues(responses, (each) => resolve(each.content["application/json"].schema)),
        problemOf({ status, body, text }) {
          const validate = validators[status];
          if (!validate) return `${status} is not documented: ${text}`;
          if (validate(body)) return null;
          return `${status}: ${ajv.errorsText(validate.errors)}: ${text}`;
        },
      };
    })
  );
  return operations;
}

/** A step of a JSON pointer. */
function pointer(step: string): string {
  return step.replaceAll("~", "~0").replaceAll("/", "~1");
}

function mapValues<From, To>(
  record: Record<string, From>,
  change: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, change(value, key)]),
  );
}
