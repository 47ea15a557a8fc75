/** The page of an account: what a lead costs, who stands out on each level, and a level's table. */
import { sum } from "simple-statistics";
import { type Level, LEVEL_FACTS, LEVELS } from "../../core/level.ts";
import type { Outstanding, Standing } from "../../core/standing.ts";
import { type Tier, TIERS } from "../../core/tiers.ts";
import type { Account, Reference } from "../../db/accounts.ts";
import type { Incident, LuckSum } from "../../db/anomalies.ts";
import { type Order, ORDERS, type TableRow } from "../../db/dashboard.ts";
import type { Entity, Period } from "../../db/entities.ts";
import {
  belowAddress,
  entityAddress,
  levelTitle,
  RangeBar,
  rangeOf,
  rangeWords,
  TierBar,
  TierChip,
} from "./parts.tsx";
import { about, amount, count, money } from "./words.ts";

const ORDER_WORDS: Record<Order, string> = {
  spend: "spend",
  best: "best first",
  worst: "worst first",
  name: "name",
};

/** How a level stands. */
export type LevelOverview = Standing & { level: Level };

/** Which part of the table is shown. */
export type View = {
  level: Level;
  parent: Entity | null;
  order: Order;
  activeOnly: boolean;
  page: number;
};

/** What the account's numbers are compared with, and when they are from. */
export function AccountHeading({ account, reference, period, asOfIsYesterday }: {
  account: Account;
  reference: Reference | undefined;
  period: Period;
  asOfIsYesterday: boolean;
}) {
  const source = reference?.reference_source === "target"
    ? "your target"
    : "what a lead cost you over the last 14 days";
  return (
    <section class="heading">
      <h1>{account.name}</h1>
      {reference?.reference
        ? (
          <p class="lead">
            Compared with <strong>{money(reference.reference, account.currency)}</strong> a lead,
            {" "}
            {source}.
          </p>
        )
        : (
          <p class="lead">
            There was no lead in the last 14 days and there is no target, so there is nothing to
            compare with yet.
          </p>
        )}
      <p class="muted">
        Numbers are of the 7 days from {period.from} to {period.to}
        {asOfIsYesterday ? "" : ", the last day with delivery"}.
      </p>
    </section>
  );
}

/** What is going on that is not as usual, one sentence each, and how much alarms mean here. */
export function Incidents({ account, incidents, luck, days }: {
  account: Account;
  incidents: Incident[];
  luck: LuckSum[];
  /** How many days the sums are of. */
  days: number;
}) {
  if (incidents.length === 0) return null;
  return (
    <section class="incidents">
      <h2>What happened</h2>
      <ul>
        {incidents.map(({ entity_type, entity_id, severity, sentence, first_date }) => {
          const level = LEVELS.find((level) => level === entity_type);
          return (
            <li class={`severity-${severity.toLowerCase()}`}>
              {level
                ? <a href={entityAddress(account.config_id, level, entity_id)}>{sentence}</a>
                : sentence} <span class="muted">since {first_date}</span>
            </li>
          );
        })}
      </ul>
      {luck.length > 0 && (
        <p class="muted">
          There were {count(sum(luck.map(({ alarms }) => alarms)))} alarms in {days} days.{" "}
          By chance there would be {about(sum(luck.map((each) => each.expected_by_luck)))}.
        </p>
      )}
    </section>
  );
}

/** Whether anything has a tier. */
export function hasTiers(counts: Record<Tier, number>): boolean {
  return TIERS.some((tier) => counts[tier] > 0);
}

/** One card per level: how many of each tier, the best and the worst. */
export function LevelCards({ account, overviews, view }: {
  account: Account;
  overviews: LevelOverview[];
  view: View;
}) {
  return (
    <section class="cards" aria-label="Levels">
      {overviews.map(({ level, counts, best, worst }) => (
        <article class={level === view.level ? "card current" : "card"}>
          <h2>
            <a href={`/?config_id=${account.config_id}&level=${level}`}>{levelTitle(level)}</a>
          </h2>
          {hasTiers(counts)
            ? <TierBar counts={counts} />
            : <p class="muted">Nothing can be said about any yet.</p>}
          <Podium title="Best" account={account} level={level} entities={best} />
          <Podium title="Worst" account={account} level={level} entities={worst} />
        </article>
      ))}
    </section>
  );
}

function Podium({ title, account, level, entities }: {
  title: string;
  account: Account;
  level: Level;
  entities: Outstanding[];
}) {
  if (entities.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <ol class="podium">
        {entities.map((entity) => (
          <li>
            <a href={entityAddress(account.config_id, level, entity.entity_id)}>{entity.name}</a>
            <span class="muted">
              {entity.cpl_7d === null
                ? "no lead in 7 days"
                : `${money(entity.cpl_7d, account.currency)} a lead`}
            </span>
            <TierChip tier={entity.tier} confidence={entity.confidence_score} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** The table of a level, or of what lies below one parent. */
export function EntityTable({ account, view, rows, hasNext, reference }: {
  account: Account;
  view: View;
  rows: TableRow[];
  hasNext: boolean;
  reference: number | null;
}) {
  const { many } = LEVEL_FACTS[view.level];
  const link = (change: Partial<View>) => addressOf(account, { ...view, page: 1, ...change });
  return (
    <section id="table">
      <h2>
        {levelTitle(view.level)}
        {view.parent && (
          <>
            {" of "}
            <a
              href={entityAddress(
                account.config_id,
                view.parent.entity_type,
                view.parent.entity_id,
              )}
            >
              {view.parent.name}
            </a>
          </>
        )}
      </h2>
      <nav class="choices" aria-label="Which and in which order">
        <span>
          {LEVELS.map((level) => (
            <a
              href={link({ level, parent: null })}
              aria-current={level === view.level ? "true" : undefined}
            >
              {LEVEL_FACTS[level].many}
            </a>
          ))}
        </span>
        <span>
          {ORDERS.map((order) => (
            <a href={link({ order })} aria-current={order === view.order ? "true" : undefined}>
              {ORDER_WORDS[order]}
            </a>
          ))}
        </span>
        <span>
          {[true, false].map((activeOnly) => (
            <a
              href={link({ activeOnly })}
              aria-current={activeOnly === view.activeOnly ? "true" : undefined}
            >
              {activeOnly ? "active" : "all"}
            </a>
          ))}
        </span>
      </nav>
      {rows.length === 0
        ? <p class="muted">There are no {view.activeOnly ? "active " : ""}{many} here.</p>
        : <Rows account={account} view={view} rows={rows} reference={reference} />}
      <nav class="pages" aria-label="Pages">
        {view.page > 1 && <a href={link({ page: view.page - 1 })} rel="prev">← Previous</a>}
        {hasNext && <a href={link({ page: view.page + 1 })} rel="next">Next →</a>}
      </nav>
    </section>
  );
}

/** The rows of a table of entities. */
export function Rows({ account, view, rows, reference }: {
  account: Account;
  view: Pick<View, "level">;
  rows: TableRow[];
  reference: number | null;
}) {
  const { config_id: configId, currency } = account;
  const below = LEVELS.find((level) => LEVEL_FACTS[level].parent === view.level);
  return (
    <table class="entities">
      {reference !== null && (
        <caption>
          A bar shows where the true cost of a lead lies, 80 % sure. The line in the middle is the
          reference of {money(reference, currency)}; left of it is cheaper.
        </caption>
      )}
      <thead>
        <tr>
          <th>Name</th>
          <th>Tier and how sure</th>
          <th class="number">Spend, {currency}</th>
          <th class="number">Leads</th>
          <th class="number">Cost per lead</th>
          <th>A lead truly costs, 80 % sure</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr class={row.is_active ? undefined : "paused"}>
            <th scope="row">
              <a href={entityAddress(configId, view.level, row.entity_id)}>{row.name}</a>
              {!row.is_active && <small>not active</small>}
              {below && (
                <a class="below" href={belowAddress(configId, below, row.entity_id)}>
                  {LEVEL_FACTS[below].many} ›
                </a>
              )}
            </th>
            <td>
              <TierChip tier={row.tier} confidence={row.confidence_score} />
            </td>
            <td class="number" data-label="Spend">{amount(row.spend, currency)}</td>
            <td class="number" data-label="Leads">{count(row.leads)}</td>
            <td class="number" data-label="Cost per lead">{amount(row.cpl, currency)}</td>
            <td class="certainty">
              <Certainty row={row} reference={reference} currency={currency} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Certainty({ row, reference, currency }: {
  row: TableRow;
  reference: number | null;
  currency: string;
}) {
  const range = rangeOf(row.cpl_low_80, row.cpl_high_80);
  if (!range) return null;
  return (
    <>
      {reference !== null && <RangeBar range={range} reference={reference} tier={row.tier} />}
      <span>{rangeWords(range, currency)}</span>
    </>
  );
}

/** What to do where there is nothing to show yet. */
export function NothingYet({ account }: { account: Account | undefined }) {
  const config = account?.config_id ?? 1;
  const account_options = account
    ? ""
    : ' --name "My account" --currency USD --time-zone America/New_York';
  return (
    <section class="empty">
      <h1>{account ? `${account.name} has no data yet` : "No ad account yet"}</h1>
      <p>Export your ads from Ads Manager, by day, as CSV, and import the file:</p>
      <pre><code>npx -y deno task import my-export.csv --config {config}{account_options}</code></pre>
      {!account && (
        <>
          <p>Or look around in a made-up account first:</p>
          <pre><code>npx -y deno task demo</code></pre>
        </>
      )}
    </section>
  );
}

/** What to do where there is data but no tier. */
export function NoTiersYet({ account, asOf }: { account: Account; asOf: string }) {
  return (
    <section class="empty">
      <p>Nothing has been classified yet. It happens every morning, or now with</p>
      <pre>
        <code>npx -y deno task job classification --config {account.config_id} --as-of {asOf}</code>
      </pre>
    </section>
  );
}

function addressOf(account: Account, { level, parent, order, activeOnly, page }: View): string {
  const query = new URLSearchParams({ config_id: String(account.config_id), level });
  if (parent) query.set("parent", parent.entity_id);
  if (order !== "spend") query.set("order", order);
  if (!activeOnly) query.set("show", "all");
  if (page > 1) query.set("page", String(page));
  return `/?${query}#table`;
}
