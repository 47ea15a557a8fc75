/** All routes put together. */
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import { methodNotAllowed } from "hono/method-not-allowed";
import { secureHeaders } from "hono/secure-headers";
import { timeout } from "hono/timeout";
import { NOTHING } from "../core/access.ts";
import { Refusal } from "../core/refusal.ts";
import type { Settings } from "../core/settings.ts";
import type { Sql } from "../db/connect.ts";
import { asRequest } from "../db/request.ts";
import { startRun } from "../jobs/runs.ts";
import { readSchedule } from "../jobs/schedule.ts";
import { TASKS } from "../jobs/tasks.ts";
import { createAccessControl } from "./access.ts";
import { anomalyRoutes } from "./anomalies.ts";
import { classificationRoutes } from "./classifications.ts";
import { configRoutes } from "./config.ts";
import { dashboardRoutes } from "./dashboard/dashboard.tsx";
import { signInRoutes } from "./dashboard/sign_in.tsx";
import { docsRoutes } from "./docs/docs.ts";
import { driverRoutes } from "./drivers.ts";
import { entityRoutes } from "./entities.ts";
import { onError, refuse } from "./errors.ts";
import { featureRoutes } from "./features.ts";
import { feedbackRoutes } from "./feedback.ts";
import { forecastRoutes } from "./forecasts.ts";
import { healthRoutes } from "./health.ts";
import { impactRoutes } from "./impact.ts";
import { incidentRoutes } from "./incidents.ts";
import { jobRoutes } from "./jobs.ts";
import { metricsRoutes, watchRequest } from "./metrics.ts";
import { predictionRoutes } from "./predictions.ts";
import { recommendationRoutes } from "./recommendations.ts";
import { createRouter, type Surroundings } from "./router.ts";
import { createSessions } from "./sessions.ts";
import { SharedAnswers } from "./shared_answers.ts";

/** Where a key is sent. */
const KEY_HEADERS = {
  ApiKey: { type: "apiKey", in: "header", name: "X-API-Key" },
  Bearer: { type: "http", scheme: "bearer" },
} as const;

const BODY_MAX = 1024 * 1024;
const BASE = "/api/v1";
const RUN_PATIENCE_MS = 20_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** What the app is made of; only the database and the version have no default. */
export type AppOptions =
  & { sql: Sql; version: string; requestTimeoutMs?: number }
  & Partial<Omit<Surroundings, "ask" | "startRun" | "version">>
  & Partial<Pick<Settings, "secret" | "corsOrigins" | "requestsPerMinute">>;

/**
 * The whole service: the API under `/api/v1`, its description at `/docs`, the page at `/`.
 *
 * @example `await createApp({ sql, version: "1.0.0" }).request("/api/v1/health/live")`
 */
export function createApp(
  {
    sql,
    version,
    schedule = readSchedule(TASKS, {}),
    now = () => new Date(),
    runPatienceMs = RUN_PATIENCE_MS,
    requestTimeoutMs = REQUEST_TIMEOUT_MS,
    requestsPerMinute = 600,
    corsOrigins = [],
    secret = null,
  }: AppOptions,
) {
  const sessions = createSessions(secret ?? crypto.randomUUID() + crypto.randomUUID(), now);
  const access = createAccessControl({ sql, now, sessions, requestsPerMinute });
  const answers = new SharedAnswers(now);
  const accessOf = async (c: Context) => c.get("access") ?? await access.identify(c) ?? NOTHING;
  const ask: Surroundings["ask"] = async (c, work) =>
    await asRequest(sql, await accessOf(c), requestTimeoutMs, work);
  const surroundings: Surroundings = {
    version,
    schedule,
    now,
    runPatienceMs,
    ask,
    share: async (c, write) => {
      const { configIds } = await accessOf(c);
      const state = await access.stateOf(c);
      return await answers.respond(c, { state, configIds }, () => ask(c, write));
    },
    startRun: (task, request) => startRun(sql, task, request),
  };
  const app = createRouter();

  // First, so that it sees every answer, also those of the other middleware.
  app.use(watchRequest);
  app.use(secureHeaders({
    // Everything on the pages comes from here. Swagger UI and charts need styles in the document.
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", "data:"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    // The service is reached by plain HTTP on the machine itself; TLS is its proxy's to promise.
    strictTransportSecurity: false,
  }));
  if (corsOrigins.length > 0) {
    app.use(cors({
      origin: corsOrigins,
      allowHeaders: ["Authorization", "Content-Type", "X-API-Key"],
      exposeHeaders: ["Retry-After"],
    }));
  }
  app.use(methodNotAllowed({
    app,
    onMethodNotAllowed: (c, methods) => {
      c.header("Allow", methods.join(", "));
      const message = `${c.req.method} is not possible here`;
      return refuse(c, new Refusal("method_not_allowed", message, `Use ${methods.join(" or ")}`));
    },
  }));
  app.use(bodyLimit({
    maxSize: BODY_MAX,
    onError: () => {
      throw new Refusal("payload_too_large", `The body is larger than ${BODY_MAX} bytes`);
    },
  }));
  app.use(timeout(requestTimeoutMs, new HTTPException(504)));
  app.use(access.control);
  app.route(`${BASE}/health`, healthRoutes({ sql, ...surroundings }));
  app.route(`${BASE}/facebook-ads`, configRoutes(surroundings));
  app.route(`${BASE}/classifications/feedback`, feedbackRoutes(surroundings));
  app.route(`${BASE}/classifications`, classificationRoutes(surroundings));
  app.route(`${BASE}/recommendations`, recommendationRoutes(surroundings));
  app.route(`${BASE}/anomalies`, anomalyRoutes(surroundings));
  app.route(`${BASE}/impact`, impactRoutes(surroundings));
  app.route(`${BASE}/incidents`, incidentRoutes(surroundings));
  app.route(`${BASE}/forecasts`, forecastRoutes(surroundings));
  app.route(`${BASE}/predictions`, predictionRoutes(surroundings));
  app.route(`${BASE}/entities`, entityRoutes(surroundings));
  app.route(`${BASE}/entities`, driverRoutes(surroundings));
  app.route(`${BASE}/features`, featureRoutes(surroundings));
  app.route(`${BASE}/jobs`, jobRoutes(surroundings));
  app.doc31(`${BASE}/openapi.json`, {
    openapi: "3.1.0",
    info: {
      title: "adstrata",
      version,
      description: "Which campaigns, ad sets and ads perform, why, and how sure that is.",
    },
    security: Object.keys(KEY_HEADERS).map((name) => ({ [name]: [] })),
  });
  for (const [name, scheme] of Object.entries(KEY_HEADERS)) {
    app.openAPIRegistry.registerComponent("securitySchemes", name, scheme);
  }
  app.route("/metrics", metricsRoutes(access));
  app.route("/docs", docsRoutes());
  app.route("/", signInRoutes({ sessions, ...access }));
  app.route("/", dashboardRoutes(surroundings));

  app.notFound((c) =>
    refuse(c, new Refusal("not_found", `There is nothing at "${c.req.path}"`, "See /docs"))
  );
  app.onError(onError);
  return app;
}
