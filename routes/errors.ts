/** One error body for every endpoint, and the one map from an error to its status. */
import { type Hook, z } from "@hono/zod-openapi";
import type { Context, Env } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { Refusal, type RefusalCode } from "../core/refusal.ts";

const STATUS: Record<RefusalCode, ContentfulStatusCode> = {
  invalid_parameter: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  payload_too_large: 413,
  rate_limited: 429,
  unavailable: 503,
  timeout: 504,
};

const ErrorBody = z.object({
  code: z.string().openapi({
    description: "A stable word to switch on",
    example: "invalid_parameter",
  }),
  message: z.string().openapi({ description: "One sentence for a person" }),
  details: z.record(z.string(), z.unknown()).optional().openapi({
    description: "Structured facts: the wrong parameters, or the trace id of an internal error",
  }),
  hint: z.string().optional().openapi({ description: "What to do about it" }),
}).openapi("Error");

const DESCRIPTION = {
  400: "A parameter or the body is wrong; `details.parameters` names it",
  401: "No key, or none that is good",
  403: "The key's role does not include this",
  404: "Unknown account or id, or too little data to answer",
  405: "Wrong method; `Allow` lists the right ones",
  409: "Somebody did something else with it before",
  413: "The body is too large",
  429: "Too many requests of this key; `Retry-After` says when to try again",
  500: "A defect; `details.trace_id` finds it in the log",
  504: "It took too long",
};

/** What every route can answer that needs a key. */
const EVERYWHERE = [401, 403, 429, 500, 504] as const;

/** The error answers of a route, for its description: its own and those of every route. */
export function errorAnswers(...statuses: (keyof typeof DESCRIPTION)[]) {
  return Object.fromEntries([...statuses, ...EVERYWHERE].map((status) => [status, {
    description: DESCRIPTION[status],
    content: { "application/json": { schema: ErrorBody } },
  }]));
}

/** The status of the answer to a refusal. */
export function statusOf({ code }: Refusal): ContentfulStatusCode {
  return STATUS[code];
}

/** Answers with the body and the status of a refusal. */
export function refuse(c: Context, refusal: Refusal): Response {
  const { code, message, details, hint } = refusal;
  return c.json({ code, message, details, hint }, statusOf(refusal));
}

/** Refuses one wrong parameter. */
export function wrongParameter(name: string, problem: string): Refusal {
  return wrongParameters([{ name, problem }]);
}

function wrongParameters(parameters: { name: string; problem: string }[]): Refusal {
  const sentence = parameters.map(({ name, problem }) => `"${name}": ${problem}`).join("; ");
  return new Refusal("invalid_parameter", `Wrong parameter ${sentence}`, undefined, { parameters });
}

/** What a route does with parameters or a body that do not fit its schema. */
export const onInvalid: Hook<unknown, Env, string, unknown> = (result) => {
  if (result.success) return;
  throw wrongParameters(result.error.issues.map((issue) => ({
    name: issue.path.join(".") || "body",
    problem: issue.message,
  })));
};

/** What the middleware of others means by the statuses that it throws. */
const BY_MIDDLEWARE: Record<number, Refusal> = {
  400: wrongParameter("body", "not JSON"),
  403: new Refusal("forbidden", "The page of another site may not send this form"),
  // Other types than JSON stay out also because the pages of other sites may post those, and only
  // those, without asking first.
  415: wrongParameter("body", "send JSON, with the header Content-Type: application/json"),
  504: new Refusal(
    "timeout",
    "This takes too long for a request",
    "Ask for less at once: fewer days, or a page without counts",
  ),
};

/** What the database ended because it took too long, for this request or for one that shared it. */
function refusalOf(error: Error): Refusal | undefined {
  const isCanceled = "code" in error && error.code === "57014";
  return isCanceled ? BY_MIDDLEWARE[504] : undefined;
}

/** Turns whatever a route throws into an answer. Only a refusal says what happened. */
export function onError(error: Error, c: Context): Response {
  if (error instanceof Refusal) return refuse(c, error);
  const refusal = error instanceof HTTPException ? BY_MIDDLEWARE[error.status] : refusalOf(error);
  if (refusal) return refuse(c, refusal);
  return c.json({
    code: "internal",
    message: "Something went wrong here, not in the request",
    details: { trace_id: c.get("traceId") },
  }, 500);
}
