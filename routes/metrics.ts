/** How requests are watched: a span, a log line and numbers for each, read at `/metrics`. */
import { getLogger } from "@logtape/logtape";
import { trace } from "@opentelemetry/api";
import { type Context, Hono, type Next } from "hono";
import { matchedRoutes } from "hono/route";
import { Counter, Histogram, register } from "prom-client";
import { Refusal } from "../core/refusal.ts";
import { countError } from "../jobs/metrics.ts";
import { type AccessControl, isLocal, requireRole } from "./access.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** Finds the request in the log and, where there is tracing, in the traces. */
    traceId: string;
  }
}

const logger = getLogger(["adstrata", "http"]);

/** Asked every few seconds by whatever watches the service, so they are logged only if they fail. */
const PROBES = /^\/(metrics|api\/v1\/health)\b/;

const requests = new Counter({
  name: "adstrata_http_requests_total",
  help: "Requests; the route is `/*` where there is none",
  labelNames: ["method", "route", "status_class"],
});

const durations = new Histogram({
  name: "adstrata_http_request_duration_seconds",
  help: "From the request to the head of the answer",
  labelNames: ["method", "route"],
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
});

/** Names the span of a request by its route, counts it and writes its line in the log. */
export async function watchRequest(c: Context, next: Next): Promise<void> {
  const span = trace.getActiveSpan();
  c.set("traceId", span?.spanContext().traceId ?? givenTraceId(c) ?? newTraceId());
  const start = performance.now();
  await next();
  const milliseconds = performance.now() - start;
  const { status } = c.res;
  // What has answered. Names of routes and their methods are few, whatever is asked for.
  const { method = "ALL", path: route = "/*" } = matchedRoutes(c).at(c.req.routeIndex) ?? {};
  span?.updateName(`${method} ${route}`).setAttribute("http.route", route);
  requests.inc({ method, route, status_class: `${Math.floor(status / 100)}xx` });
  durations.observe({ method, route }, milliseconds / 1000);
  const properties = {
    method,
    route,
    status,
    milliseconds: Math.round(milliseconds * 10) / 10,
    traceId: c.get("traceId"),
  };
  if (status < 500) {
    if (PROBES.test(route)) logger.debug("Request answered", properties);
    else logger.info("Request answered", properties);
  } else if (c.error) {
    countError("request", c.error);
    logger.error("Request failed", { ...properties, error: c.error });
  } else logger.warn("Request answered", properties);
}

/** The caller's trace where it sent one (W3C Trace Context). */
function givenTraceId(c: Context): string | undefined {
  return c.req.header("traceparent")?.match(/^[0-9a-f]{2}-([0-9a-f]{32})-/)?.[1];
}

function newTraceId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

/** `/metrics`, in the text format of Prometheus: for this machine, and for keys that look after it. */
export function metricsRoutes({ identify }: Pick<AccessControl, "identify">): Hono {
  return new Hono().get("/", async (c) => {
    if (!isLocal(c)) {
      const access = await identify(c);
      if (!access) throw new Refusal("unauthorized", "Metrics need a key with the role admin");
      requireRole(access, "admin");
    }
    return c.body(await register.metrics(), 200, { "content-type": register.contentType });
  });
}
