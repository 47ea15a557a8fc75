/** The readable page of the API description: Swagger UI over `/api/v1/openapi.json`. */
import { Hono } from "hono";
import { html } from "hono/html";
import swaggerScript from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "text" };
import swaggerStyle from "swagger-ui-dist/swagger-ui.css" with { type: "text" };
import script from "./docs.js" with { type: "text" };
import { serveTexts } from "../static.ts";

/** The routes under `/docs`. */
export function docsRoutes(): Hono {
  const router = new Hono();
  serveTexts(router, {
    "/swagger-ui.css": swaggerStyle,
    "/swagger-ui.js": swaggerScript,
    "/docs.js": script,
  });
  return router.get("/", (c) =>
    c.html(html`<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>adstrata API</title>
    <link rel="icon" href="/assets/icon.svg">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui.js"></script>
    <script src="/docs/docs.js"></script>
  </body>
</html>`));
}
