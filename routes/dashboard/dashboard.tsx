/** The pages for people, made on the server; scripts only draw. */
import echarts from "echarts/dist/echarts.common.min.js" with { type: "text" };
import { type Context, Hono } from "hono";
import { csrf } from "hono/csrf";
import { html } from "hono/html";
import type { Child } from "hono/jsx";
import { z } from "zod";
import { includesRole, NOTHING } from "../../core/access.ts";
import { addDays, daysBetween, lastDayThatCounts, yesterdayIn } from "../../core/days.ts";
import { LEVEL_FACTS, LEVELS } from "../../core/level.ts";
import { Refusal } from "../../core/refusal.ts";
import { readAccountSettings } from "../../core/rules/settings.ts";
import { verdictOf } from "../../core/rules/verdict.ts";
import {
  type Account,
  accountReference,
  accountSettings,
  lastDeliveryDay,
  listAccounts,
} from "../../db/accounts.ts";
import { listIncidents, sumLuck } from "../../db/anomalies.ts";
import type { Queries } from "../../db/connect.ts";
import { type Classification, latestClassifications } from "../../db/classifications.ts";
import { ORDERS, tableOfEntities, type TableRow } from "../../db/dashboard.ts";
import { entityDays, findEntities } from "../../db/entities.ts";
import { listPacing, newestForecastDay, type Pacing } from "../../db/forecasts.ts";
import {
  applyRecommendation,
  dismissRecommendation,
  firstRecommendations,
  listRecommendations,
} from "../../db/recommendations.ts";
import { levelStanding } from "../../db/standing.ts";
import { onError, statusOf } from "../errors.ts";
import type { Surroundings } from "../router.ts";
import { serveTexts } from "../static.ts";
import script from "./chart.js" with { type: "text" };
import style from "./dashboard.css" with { type: "text" };
import { Advice, EntityAdvice } from "./advice.tsx";
import { Days, Trail, Verdict } from "./detail.tsx";
import icon from "./icon.svg" with { type: "text" };
import { Layout } from "./layout.tsx";
import { Month } from "./month.tsx";
import {
  AccountHeading,
  EntityTable,
  hasTiers,
  Incidents,
  LevelCards,
  NothingYet,
  NoTiersYet,
  Rows,
  type View,
} from "./overview.tsx";
import { belowAddress, entityAddress, levelTitle } from "./parts.tsx";

const ROWS = 50;
const STANDING_OUT = 3;
const INCIDENTS = 10;
const ADVICE = 10;
const DAYS = 7;
const CHART_DAYS = 60;
/** A forecast from so many days before still tells of the month. */
const LATEST_FORECAST = 3;

/** Links come from the page itself, so what makes no sense is as good as not given. */
const Query = z.object({
  config_id: z.coerce.number().int().optional().catch(undefined),
  level: z.enum(LEVELS).catch("campaign"),
  parent: z.string().max(64).regex(/^[^\0]*$/).optional().catch(undefined),
  order: z.enum(ORDERS).catch("spend"),
  show: z.enum(["active", "all"]).catch("active"),
  page: z.coerce.number().int().min(1).max(1_000_000).catch(1),
});

/** What the form of a recommendation says. */
const Reaction = z.object({
  reaction: z.enum(["applied", "dismissed"]),
  words: z.string().max(2000).regex(/^[^\0]*$/).default(""),
});

/** The pages and the files that they load. */
export function dashboardRoutes({ ask, now }: Surroundings): Hono {
  const router = new Hono();
  serveTexts(router, {
    "/assets/dashboard.css": style,
    "/assets/chart.js": script,
    "/assets/echarts.js": echarts,
    "/assets/icon.svg": icon,
  });

  router.get("/", (c) =>
    ask(c, async (sql) => {
      const query = Query.parse(c.req.query());
      const accounts = await listAccounts(sql);
      const account = chosenAccount(accounts, query.config_id);
      const day = account && await lastDeliveryDay(sql, account.config_id);
      if (!account || !day) {
        return page(
          c,
          <Layout title="adstrata" accounts={accounts} account={account} session={c.get("session")}>
            <NothingYet account={account} />
          </Layout>,
        );
      }
      const configId = account.config_id;
      const { asOf, yesterday } = daysOf(account, day);
      const period = { from: addDays(asOf, 1 - DAYS), to: asOf };
      const parentLevel = LEVEL_FACTS[query.level].parent;
      const [parent] = query.parent && parentLevel
        ? await findEntities(sql, configId, parentLevel, [query.parent])
        : [];
      const view: View = {
        level: query.level,
        parent: parent ?? null,
        order: query.order,
        activeOnly: query.show === "active",
        page: query.page,
      };
      const [reference, incidents, luck, advice, overviews, rows, pacing] = await Promise.all([
        accountReference(sql, configId, asOf),
        listIncidents(sql, { configId, state: "open", isAcknowledged: false, from: period.from }, {
          limit: INCIDENTS,
          offset: 0,
        }),
        sumLuck(sql, { configId, ...period }),
        firstRecommendations(sql, { configId, at: now(), limit: ADVICE }),
        Promise.all(LEVELS.map(async (level) => ({
          level,
          ...await levelStanding(sql, configId, level, STANDING_OUT),
        }))),
        tableRows(sql, account, view, asOf),
        monthOf(sql, { configId, place: "account", entityId: String(configId) }, asOf),
      ]);
      return page(
        c,
        <Layout
          title={`${account.name} · adstrata`}
          accounts={accounts}
          account={account}
          session={c.get("session")}
        >
          <AccountHeading
            account={account}
            reference={reference}
            period={period}
            asOfIsYesterday={asOf === yesterday}
          />
          <Incidents account={account} incidents={incidents} luck={luck} days={DAYS} />
          <Advice account={account} advice={advice} />
          <Month account={account} pacing={pacing} />
          {overviews.some(({ counts }) => hasTiers(counts))
            ? <LevelCards account={account} overviews={overviews} view={view} />
            : <NoTiersYet account={account} asOf={asOf} />}
          <EntityTable
            account={account}
            view={view}
            rows={rows.slice(0, ROWS)}
            hasNext={rows.length > ROWS}
            reference={reference?.reference ?? null}
          />
        </Layout>,
      );
    }));

  router.get("/entities/:level/:id", (c) =>
    ask(c, async (sql) => {
      const query = Query.parse(c.req.query());
      const accounts = await listAccounts(sql);
      const account = chosenAccount(accounts, query.config_id);
      const level = LEVELS.find((level) => level === c.req.param("level"));
      const id = c.req.param("id");
      const [entity] = account && level && !id.includes("\0")
        ? await findEntities(sql, account.config_id, level, [id])
        : [];
      if (!account || !level || !entity) throw new Refusal("not_found", "There is no such entity");
      const configId = account.config_id;
      const { asOf } = daysOf(account, await lastDeliveryDay(sql, configId));
      const period = { from: addDays(asOf, 1 - CHART_DAYS), to: asOf };
      const below = LEVELS.find((other) => LEVEL_FACTS[other].parent === level);
      const [
        reference,
        settings,
        [classification],
        advice,
        days,
        campaigns,
        adsets,
        children,
        pacing,
      ] = await Promise.all([
        accountReference(sql, configId, asOf),
        accountSettings(sql, configId),
        latestClassifications(sql, { configId, entityType: level, entityIds: [id] }),
        listRecommendations(sql, {
          configId,
          entityType: level,
          entityId: id,
          isActive: true,
          at: now(),
        }, { limit: ADVICE, offset: 0 }),
        entityDays(sql, configId, level, id, period),
        level === "campaign" ? [] : findEntities(sql, configId, "campaign", [entity.campaign_id]),
        level === "ad" && entity.adset_id
          ? findEntities(sql, configId, "adset", [entity.adset_id])
          : [],
        below
          ? tableRows(sql, account, {
            level: below,
            parent: entity,
            order: "spend",
            activeOnly: false,
            page: 1,
          }, asOf)
          : [],
        monthOf(sql, { configId, place: level, entityId: id }, asOf),
      ]);
      return page(
        c,
        <Layout
          title={`${entity.name} · adstrata`}
          accounts={accounts}
          account={account}
          session={c.get("session")}
          scripts={["/assets/echarts.js", "/assets/chart.js"]}
        >
          <Trail account={account} entity={entity} above={[...campaigns, ...adsets]} />
          <Verdict
            account={account}
            entity={entity}
            reference={reference?.reference ?? null}
            classification={classification}
            verdict={entity.is_active
              ? verdictOf({
                posterior: posteriorOf(classification),
                reference: classification?.metrics_snapshot.avg_cpl_reference ?? null,
                hasAdvice: advice.length > 0,
              }, readAccountSettings(settings))
              : null}
          />
          <EntityAdvice
            account={account}
            advice={advice}
            session={c.get("session")}
            canReact={includesRole((c.get("access") ?? NOTHING).role, "write")}
          />
          <Month account={account} pacing={pacing} />
          <Days account={account} days={days} period={period} />
          {below && (
            <section>
              <h2>{levelTitle(below)}</h2>
              <Rows
                account={account}
                view={{ level: below }}
                rows={children.slice(0, ROWS)}
                reference={reference?.reference ?? null}
              />
              {children.length > ROWS && (
                <p>
                  <a href={belowAddress(configId, below, id)}>All {LEVEL_FACTS[below].many}</a>
                </p>
              )}
            </section>
          )}
        </Layout>,
      );
    }));

  // Without a session there is no token to repeat, so the form has to come from here.
  router.post(
    "/entities/:level/:id/recommendations/:recommendation",
    csrf(),
    (c) =>
      ask(c, async (sql) => {
        const { config_id } = Query.parse(c.req.query());
        const account = chosenAccount(await listAccounts(sql), config_id);
        const level = LEVELS.find((level) => level === c.req.param("level"));
        const form = Reaction.safeParse(await c.req.parseBody());
        if (!form.success) {
          throw new Refusal(
            "invalid_parameter",
            "Use the buttons of the page, and at most 2,000 letters",
          );
        }
        const { reaction, words } = form.data;
        const id = Number(c.req.param("recommendation"));
        if (!account || !level || !Number.isSafeInteger(id)) {
          throw new Refusal("not_found", "There is no such recommendation");
        }
        const react = reaction === "applied" ? applyRecommendation : dismissRecommendation;
        await react(sql, { id, userId: null, words: words || null, at: now() });
        return c.redirect(entityAddress(account.config_id, level, c.req.param("id")), 303);
      }),
  );

  router.onError((error, c) => {
    if (!(error instanceof Refusal)) return onError(error, c);
    c.status(statusOf(error));
    return page(
      c,
      <Layout title="adstrata">
        <section class="empty">
          <h1>{error.message}</h1>
          <p>
            <a href="/">Back to the start</a>
          </p>
        </section>
      </Layout>,
    );
  });
  return router;

  /** The last day that counts: yesterday, or the end of the data where that ends earlier. */
  function daysOf(account: Account, lastDay: string | null) {
    return {
      asOf: lastDayThatCounts(lastDay, account.time_zone, now()),
      yesterday: yesterdayIn(account.time_zone, now()),
    };
  }
}

/** One row more than a page has, if there is one. */
function tableRows(
  sql: Queries,
  account: Account,
  view: View,
  asOf: string,
): Promise<TableRow[]> {
  return tableOfEntities(sql, {
    configId: account.config_id,
    entityType: view.level,
    parentId: view.parent?.entity_id ?? null,
    activeOnly: view.activeOnly,
    period: { from: addDays(asOf, 1 - DAYS), to: asOf },
    order: view.order,
    limit: ROWS + 1,
    offset: (view.page - 1) * ROWS,
  });
}

/** What the month will come to, unless it was forecast from a day that is long gone. */
async function monthOf(
  sql: Queries,
  of: { configId: number; place: Pacing["entity_type"]; entityId: string },
  asOf: string,
): Promise<Pacing | undefined> {
  const newest = await newestForecastDay(sql, of.configId, of.place);
  if (newest === null || daysBetween(newest, asOf) > LATEST_FORECAST) return undefined;
  const [pacing] = await listPacing(sql, { ...of, asOf: newest }, { limit: 1, offset: 0 });
  return pacing;
}

function posteriorOf(classification: Classification | undefined) {
  const { alpha, beta } = classification?.metrics_snapshot ?? {};
  return alpha && beta ? { alpha, beta } : null;
}

function chosenAccount(accounts: Account[], configId: number | undefined): Account | undefined {
  if (configId === undefined) return accounts.find((account) => account.is_active) ?? accounts[0];
  const account = accounts.find((each) => each.config_id === configId);
  if (account) return account;
  throw new Refusal("not_found", `There is no account ${configId}`);
}

function page(c: Context, content: Child) {
  return c.html(html`<!DOCTYPE html>${content}`);
}
