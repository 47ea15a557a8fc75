/** The frame of every page. */
import type { Child } from "hono/jsx";
import type { Account } from "../../db/accounts.ts";
import type { Session } from "../sessions.ts";

/** More accounts than this are a list to choose from. */
const LINKS = 6;

/** A whole page: the head, the bar on top with the accounts, and what it is about. */
export function Layout({ title, accounts = [], account, session, scripts = [], children }: {
  title: string;
  accounts?: Account[];
  account?: Account;
  /** Where somebody has signed in. */
  session?: Session;
  scripts?: string[];
  children: Child;
}) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href="/assets/icon.svg" />
        <link rel="stylesheet" href="/assets/dashboard.css" />
        {scripts.map((source) => <script key={source} src={source} defer></script>)}
      </head>
      <body>
        <header class="bar">
          <a class="brand" href={account ? `/?config_id=${account.config_id}` : "/"}>
            <img src="/assets/icon.svg" alt="" width="22" height="22" /> adstrata
          </a>
          <Accounts accounts={accounts} account={account} />
          <a class="api" href="/docs">API</a>
          {session && (
            <form method="post" action="/sign-out">
              <input type="hidden" name="csrf_token" value={session.csrfToken} />
              <button type="submit">Sign out</button>
            </form>
          )}
        </header>
        <main>{children}</main>
      </body>
    </html>
  );
}

function Accounts({ accounts, account }: { accounts: Account[]; account?: Account }) {
  const chosen = account?.config_id;
  if (accounts.length > LINKS) {
    return (
      <form action="/" aria-label="Accounts">
        <select name="config_id" aria-label="Account">
          {accounts.map(({ config_id, name }) => (
            <option value={config_id} selected={config_id === chosen}>{name}</option>
          ))}
        </select>
        <button type="submit">Show</button>
      </form>
    );
  }
  return (
    <nav aria-label="Accounts">
      {accounts.map(({ config_id, name }) => (
        <a
          href={`/?config_id=${config_id}`}
          aria-current={config_id === chosen ? "page" : undefined}
        >
          {name}
        </a>
      ))}
    </nav>
  );
}
