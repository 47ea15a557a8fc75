/** Classifies more ads than one batch holds, written a moment ago, and prints what became of them. */
import { connect } from "../../db/connect.ts";
import { classify } from "../../jobs/classification.ts";
import { print } from "../../jobs/commands/command.ts";
import { testDatabase } from "../database.ts";
import { AS_OF, insertAccount } from "../db/views/rows.ts";

await using database = await testDatabase();
// So that a server does not go on when this process is gone. The embedded engine knows no timeout.
const url = new URL(database.url);
url.searchParams.set("statement_timeout", "30s");
const sql = connect(url.href);
try {
  await insertAccount(sql, 1, { insights: [{ spend: 1 }] });
  await sql`
    insert into ads.insights (config_id, date, campaign_id, adset_id, ad_id, spend, leads)
    select 1, ${AS_OF}, '11', 'adset ' || n / 10, 'ad ' || n, 10, n % 3
    from generate_series(1, 5500) n`;
  const { featuresStored, classified } = await classify(sql, {
    configId: 1,
    entityType: "ad",
    asOf: AS_OF,
  });
  const [stored] = await sql`
    select count(*) as rows, count(distinct entity_id) as entities from ads.ml_classifications`;
  print(JSON.stringify({ featuresStored, classified, ...stored }));
} finally {
  await sql.end();
}
