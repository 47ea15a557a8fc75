/** What to do, as a list, and what somebody makes of it. */
import type { Account } from "../../db/accounts.ts";
import type { Recommendation } from "../../db/recommendations.ts";
import type { Session } from "../sessions.ts";
import { entityAddress } from "./parts.tsx";
import { percent } from "./words.ts";

/** Recommendations of an account, each leading to the entity that it is about. */
export function Advice({ account, advice }: { account: Account; advice: Recommendation[] }) {
  if (advice.length === 0) return null;
  return (
    <section class="advice">
      <h2>What to do</h2>
      <ol>
        {advice.map((each) => (
          <li>
            <a href={entityAddress(account.config_id, each.entity_type, each.entity_id)}>
              {each.title}
            </a>{" "}
            <span class="muted">
              {percent(each.confidence_score)} sure
              {each.entity_type !== "campaign" && ` · ${each.campaign_name ?? ""}`}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** The recommendations of one entity in full. */
export function EntityAdvice({ account, advice, session, canReact }: {
  account: Account;
  advice: Recommendation[];
  session: Session | undefined;
  /** Whether who looks at it may say what became of it. */
  canReact: boolean;
}) {
  if (advice.length === 0) return null;
  return (
    <section class="advice">
      <h2>What to do</h2>
      <ol>
        {advice.map((each) => (
          <li>
            <h3>
              {each.title} <span class="muted">{percent(each.confidence_score)} sure</span>
            </h3>
            <p>{each.description}</p>
            <Steps action={each.suggested_action} />
            {canReact && <Reactions account={account} recommendation={each} session={session} />}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Steps({ action }: { action: Recommendation["suggested_action"] }) {
  const steps = action?.recommendations;
  if (!Array.isArray(steps)) return null;
  return <ul>{steps.map(String).map((step) => <li key={step}>{step}</li>)}</ul>;
}

function Reactions({ account, recommendation, session }: {
  account: Account;
  recommendation: Recommendation;
  session: Session | undefined;
}) {
  const { id, entity_type, entity_id } = recommendation;
  const address = entityAddress(account.config_id, entity_type, entity_id);
  const [path, query] = address.split("?");
  return (
    <form class="reactions" method="post" action={`${path}/recommendations/${id}?${query}`}>
      {session && <input type="hidden" name="csrf_token" value={session.csrfToken} />}
      <button type="submit" name="reaction" value="applied">Done</button>
      <input name="words" maxlength={2000} placeholder="Why not" aria-label="Why not" />
      <button type="submit" name="reaction" value="dismissed">Not now</button>
    </form>
  );
}
