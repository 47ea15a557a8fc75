/** All routes put together. */
import { bodyLimit } from "hono/body-limit";
import { methodNotAllowed } from "hono/method-not-allowed";
import { secureHeaders } from "hono/secure-headers";
import { Refusal } from "../core/refusal.ts";
import { readSchedule } from "../jobs/schedule.ts";
import { TASKS } from "../jobs/tasks.ts";
import { classificationRoutes } from "./classifications.ts";
import { configRoutes } from "./config.ts";
import { dashboardRoutes } from "./dashboard/dashboard.tsx";
import { docsRoutes } from "./docs/docs.ts";
import { entityRoutes } from "./entities.ts";
import { onError, refuse } from "./errors.ts";
import { featureRoutes } from "./features.ts";
import { feedbackRoutes } from "./feedback.ts";
import { healthRoutes } from "./health.ts";
import { jobRoutes } from "./jobs.ts";
import { metricsRoutes, watchRequest } from "./metrics.ts";
import { createRouter, type Surroundings } from "./router.ts";

const BODY_MAX = 1024 * 1024;
const BASE = "/api/v1";
const RUN_PATIENCE_MS = 20_000;

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
  }: Partial<Surroundings> & Pick<Surroundings, "sql" | "version">,
) {
  const surroundings = { sql, version, schedule, now, runPatienceMs };
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
  app.route(`${BASE}/health`, healthRoutes(surroundings));
  app.route(`${BASE}/facebook-ads`, configRoutes(surroundings));
  app.route(`${BASE}/classifications/feedback`, feedbackRoutes(surroundings));
  app.route(`${BASE}/classifications`, classificationRoutes(surroundings));
  app.route(`${BASE}/entities`, entityRoutes(surroundings));
  app.route(`${BASE}/features`, featureRoutes(surroundings));
  app.route(`${BASE}/jobs`, jobRoutes(surroundings));
  app.doc31(`${BASE}/openapi.json`, {
    openapi: "3.1.0",
    info: {
      title: "adstrata",
      version,
      description: "Which campaigns, ad sets and ads perform, why, and how sure that is.",
    },
  });
  app.route("/metrics", metricsRoutes());
  app.route("/docs", docsRoutes());
  app.route("/", dashboardRoutes(surroundings));

  app.notFound((c) =>
    refuse(c, new Refusal("not_found", `There is nothing at "${c.req.path}"`, "See /docs"))
  );
  app.onError(onError);
  return app;
}
