import { assert, assertEquals, assertRejects } from "@std/assert";
import { importFiles } from "../../jobs/import.ts";
import { explain } from "../../jobs/commands/command.ts";
import { testDatabase } from "../database.ts";
import { startProgram } from "../program.ts";

/** An export that takes more than one piece to read. */
async function exportFile(): Promise<string> {
  const rows = Array.from(
    { length: 5_000 },
    (_, index) =>
      `2024-06-${String(1 + index % 28).padStart(2, "0")},C,S,Ad ${
        Math.floor(index / 28)
      },1.50,100,3,1`,
  );
  const file = await Deno.makeTempFile({ suffix: ".csv" });
  await Deno.writeTextFile(
    file,
    ["Day,Campaign name,Ad set name,Ad name,Spend,Impressions,Clicks,Leads", ...rows].join("\n"),
  );
  return file;
}

for (
  const [signal, step] of [["SIGKILL", "reading"], ["SIGKILL", "storing"], [
    "SIGINT",
    "storing",
  ]] as const
) {
  Deno.test(`importFiles() leaves nothing behind when ${signal} ends it while ${step}`, async () => {
    await using database = await testDatabase();
    const { sql, url } = database;
    const file = await exportFile();
    const program = startProgram("tests/jobs/stalled_import.ts", [file, step], {
      DATABASE_URL: url,
    });
    await program.printed(/stalled/);
    const { code } = await program.stop(signal);
    assert(code !== 0);
    const [left] = await sql`
      select
        (select count(*) from ads.accounts) as accounts,
        (select count(*) from ads.ads) as ads,
        (select count(*) from ads.insights) as insights,
        (select count(*) from pg_class where relname like 'insights_20%') as partitions,
        (select count(*) from pg_class where relname like 'staged_%') as staged`;
    assertEquals(left, { accounts: 0, ads: 0, insights: 0, partitions: 0, staged: 0 });
    const again = await importFiles(sql, {
      configId: 1,
      files: [file],
      account: { currency: "EUR" },
    });
    assertEquals(again.files[0]?.added, 5_000);
    await Deno.remove(file);
  });
}

Deno.test({
  name: "importFiles() leaves nothing behind when the server ends its connection",
  // The embedded engine has one session behind all connections and cannot end a single one.
  ignore: !Deno.env.get("TEST_DATABASE_URL"),
  async fn() {
    await using database = await testDatabase();
    const { sql } = database;
    const file = await exportFile();
    let ended: Promise<unknown> | undefined;
    const options = { configId: 1, files: [file], account: { currency: "EUR" } };
    const error = await assertRejects(() =>
      importFiles(sql, {
        ...options,
        onProgress({ step }) {
          if (step !== "storing") return;
          ended ??= Promise.resolve(sql`
            select pg_terminate_backend(pid)
            from pg_stat_activity
            where datname = current_database()
              and pid <> pg_backend_pid()
              and xact_start is not null`);
        },
      })
    );
    await ended;
    assert(explain(error).startsWith("The connection to the database was lost"), explain(error));
    const [left] = await sql`select count(*) as accounts from ads.accounts`;
    assertEquals(left, { accounts: 0 });
    assertEquals((await importFiles(sql, options)).files[0]?.added, 5_000);
    await Deno.remove(file);
  },
});
