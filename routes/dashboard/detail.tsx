/** The page of one campaign, ad set or ad. */
import { cplInterval } from "../../core/evidence.ts";
import { LEVEL_FACTS } from "../../core/level.ts";
import type { Verdict as EntityVerdict } from "../../core/rules/verdict.ts";
import { type Tier, TIERS } from "../../core/tiers.ts";
import type { Account } from "../../db/accounts.ts";
import type { Classification } from "../../db/classifications.ts";
import type { DailyRow, Entity, Period } from "../../db/entities.ts";
import { presentDay } from "../entities.ts";
import { entityAddress, levelTitle, rangeOf, rangeWords, TierChip } from "./parts.tsx";
import { amount, count, money, percent, TIER_WORDS, verdictSentence } from "./words.ts";

/** The way from the account down to the entity. */
export function Trail({ account, entity, above }: {
  account: Account;
  entity: Entity;
  above: Entity[];
}) {
  return (
    <nav class="trail" aria-label="Above">
      <a href={`/?config_id=${account.config_id}&level=${entity.entity_type}`}>
        {levelTitle(entity.entity_type)}
      </a>
      {above.map((parent) => (
        <>
          {" › "}
          <a href={entityAddress(account.config_id, parent.entity_type, parent.entity_id)}>
            {parent.name}
          </a>
        </>
      ))}
    </nav>
  );
}

/** What is known about the entity, in sentences. */
export function Verdict({ account, entity, reference, classification, verdict }: {
  account: Account;
  entity: Entity;
  reference: number | null;
  classification: Classification | undefined;
  /** Null where it does not run. */
  verdict: EntityVerdict | null;
}) {
  const { currency } = account;
  const { one } = LEVEL_FACTS[entity.entity_type];
  const numbers = classification?.metrics_snapshot;
  const likely = rangeOf(numbers?.cpl_low_80, numbers?.cpl_high_80);
  const { alpha, beta } = numbers ?? {};
  const wide = alpha && beta ? cplInterval({ alpha, beta }, 0.95) : undefined;
  const nearlySure = rangeOf(wide?.low, wide?.high);
  return (
    <section class="heading">
      <h1>{entity.name}</h1>
      <p>
        {classification
          ? (
            <TierChip
              tier={classification.tier}
              confidence={classification.confidence_score}
            />
          )
          : <TierChip tier={null} confidence={null} />}
        {!entity.is_active && <span class="chip none">Not active</span>}
      </p>
      {likely
        ? (
          <p class="lead">
            A lead from this {one} costs{" "}
            <strong>{rangeWords(likely, currency)} {currency}</strong>, 80 % sure.
          </p>
        )
        : <p class="lead">There is too little data to say what a lead from this {one} costs.</p>}
      {verdict && <p>{verdictSentence(verdict, one, currency)}</p>}
      <p class="muted">
        {nearlySure && `95 % sure: ${rangeWords(nearlySure, currency)} ${currency}. `}
        {reference !== null && `The account's reference is ${money(reference, currency)}. `}
        {classification?.previous_tier &&
          `Before: ${TIER_WORDS[classification.previous_tier].name}. `}
        {classification && `Decided on ${classification.classified_at.toISOString().slice(0, 10)}.`}
      </p>
      <div class="columns">
        {classification?.tier_probabilities && (
          <Odds probabilities={classification.tier_probabilities} />
        )}
        {classification?.feature_importances && (
          <Reasons importances={classification.feature_importances} />
        )}
      </div>
    </section>
  );
}

function Odds({ probabilities }: {
  probabilities: NonNullable<Classification["tier_probabilities"]>;
}) {
  return (
    <table class="odds">
      <caption>How likely each tier is</caption>
      <tbody>
        {TIERS.map((tier) => (
          <ShareRow {...TIER_WORDS[tier]} share={probabilities[tier]} colour={tier} />
        ))}
      </tbody>
    </table>
  );
}

/** What moved the decision, the most important first. */
function Reasons({ importances }: {
  importances: NonNullable<Classification["feature_importances"]>;
}) {
  const shares = Object.entries(importances)
    .flatMap(([reason, share]) => typeof share === "number" ? [{ reason, share }] : [])
    .toSorted((a, b) => b.share - a.share);
  if (shares.length === 0) return null;
  return (
    <table class="odds">
      <caption>What moved the decision</caption>
      <tbody>
        {shares.map(({ reason, share }) => (
          <ShareRow name={reason.replaceAll("_", " ")} share={share} colour="none" />
        ))}
      </tbody>
    </table>
  );
}

function ShareRow({ name, meaning, share, colour }: {
  name: string;
  meaning?: string;
  share: number;
  colour: Tier | "none";
}) {
  return (
    <tr>
      <th scope="row">{name} {meaning && <small>{meaning}</small>}</th>
      <td>
        <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
          <rect class={colour} width={Math.max(100 * share, 0.5)} height="8" rx="1" />
        </svg>
      </td>
      <td class="number">{percent(share)}</td>
    </tr>
  );
}

/** The days of the entity: a table, of which the script makes a chart. */
export function Days({ account, days, period }: {
  account: Account;
  days: DailyRow[];
  period: Period;
}) {
  const { currency } = account;
  const newestFirst = days.map(presentDay).toReversed();
  return (
    <section>
      <h2>Day by day</h2>
      {days.length === 0
        ? <p class="muted">Nothing was delivered from {period.from} to {period.to}.</p>
        : (
          <>
            <div
              id="chart"
              class="chart"
              data-from={period.from}
              data-to={period.to}
              data-currency={currency}
              role="img"
              aria-label="Spend, leads and cost per lead by day; the table below has the numbers"
            >
            </div>
            <details>
              <summary>The numbers</summary>
              <table class="days">
                <thead>
                  <tr>
                    <th>Day</th>
                    <th class="number">Spend, {currency}</th>
                    <th class="number">Impressions</th>
                    <th class="number">Clicks</th>
                    <th class="number">Leads</th>
                    <th class="number">Cost per lead</th>
                  </tr>
                </thead>
                <tbody id="days">
                  {newestFirst.map((day) => (
                    <tr
                      data-date={day.date}
                      data-spend={day.spend}
                      data-leads={day.leads}
                      data-cpl={day.cpl ?? undefined}
                    >
                      <th scope="row">{day.date}</th>
                      <td class="number">{amount(day.spend, currency)}</td>
                      <td class="number">{count(day.impressions)}</td>
                      <td class="number">{count(day.clicks)}</td>
                      <td class="number">{count(day.leads)}</td>
                      <td class="number">{amount(day.cpl, currency)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </details>
          </>
        )}
    </section>
  );
}
