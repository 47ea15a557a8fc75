/** What to do, as a list. */
import type { Account } from "../../db/accounts.ts";
import type { Recommendation } from "../../db/recommendations.ts";
import { entityAddress } from "./parts.tsx";
import { percent } from "./words.ts";

/** Recommendations, the most urgent first. */
export function Advice({ account, advice, named = false }: {
  account: Account;
  advice: Recommendation[];
  /** Whether each leads to the entity that it is about. */
  named?: boolean;
}) {
  if (advice.length === 0) return null;
  return (
    <section class="advice">
      <h2>What to do</h2>
      <ul>
        {advice.map((each) => (
          <li>
            <details open={!named}>
              <summary>
                {each.title} <span class="muted">{percent(each.confidence_score)} sure</span>
              </summary>
              <p>{each.description}</p>
              <Steps action={each.suggested_action} />
              {named && (
                <p>
                  <a href={entityAddress(account.config_id, each.entity_type, each.entity_id)}>
                    {each.entity_name ?? each.entity_id}
                  </a>
                </p>
              )}
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Steps({ action }: { action: Recommendation["suggested_action"] }) {
  const steps = action?.recommendations;
  if (!Array.isArray(steps)) return null;
  return <ul>{steps.map(String).map((step) => <li key={step}>{step}</li>)}</ul>;
}
