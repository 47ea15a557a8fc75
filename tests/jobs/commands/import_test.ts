import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { testDatabase } from "../../database.ts";
import { runProgram } from "../../program.ts";

const IMPORT = "jobs/commands/import.ts";
const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const EXPORT = "tests/fixtures/export_with_ids.csv";

Deno.test("import prints what it did, and the second time that nothing changed", async () => {
  await using database = await testDatabase();
  const env = { DATABASE_URL: database.url };
  const first = await runProgram(IMPORT, [EXPORT, "--config", "7"], env);
  assertEquals([first.code, first.stderr], [0, ""]);
  const [report, summary = ""] = first.stdout.split("\n\n");
  assertEquals(
    report,
    `${EXPORT}: 3 rows, 1 day (2024-06-01)
  1 campaign, 1 ad set, 2 ads
  daily rows: 2 new, 0 changed, 0 unchanged
  1 summary row dropped
  The file has no column for all clicks: link clicks count instead
Account 7 is new, its days are in UTC (change it with --time-zone)`,
  );
  assertMatch(summary, /^Acme, 7 days to 2024-06-01, in USD\. Reference CPL 612\.25$/);
  assertMatch(first.stdout, /^ads( +\d+){4}$/m);
  const second = await runProgram(IMPORT, [EXPORT, "--config", "7"], env);
  assertMatch(second.stdout, /daily rows: 0 new, 0 changed, 2 unchanged/);
});

Deno.test("import reads standard input, packed or not, and leaves no temporary file", async () => {
  await using database = await testDatabase();
  const TMPDIR = await Deno.makeTempDir();
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: [
      "-c",
      `gzip -c ${EXPORT} | "$0" run -A --no-check ${IMPORT} --config 1`,
      Deno.execPath(),
    ],
    cwd: ROOT,
    env: { DATABASE_URL: database.url, TMPDIR },
  }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  assertMatch(new TextDecoder().decode(stdout), /^standard input: 3 rows/);
  assertEquals(await Array.fromAsync(Deno.readDir(TMPDIR)), []);
  await Deno.remove(TMPDIR);
});

Deno.test("import refuses arguments that make no sense before it opens the database", async () => {
  // No database is there to be opened.
  const env = { DATABASE_URL: "postgres://me@127.0.0.1:1/ads" };
  const cases: [string[], RegExp][] = [
    [[EXPORT], /^--config is missing/],
    [[EXPORT, "--config", "0"], /^--config "0" is wrong: it must be 1 or more/],
    [[EXPORT, "--config", "1", "--currency", "euro"], /three letters/],
    [[EXPORT, "--config", "1", "--time-zone", "Berlin"], /such as Europe\/Lisbon/],
    [[EXPORT, "--config", "1", "--target-cpl", "-3"], /target-cpl/],
    [[EXPORT, "--config", "1", "--dates", "ymd"], /dmy or mdy/],
    [[EXPORT, "--config", "1", "--map", "cost=Spend"], /unknown field "cost"/],
    [[EXPORT, "--config", "1", "--results", "leads", "--no-leads"], /exclude each other/],
    [[EXPORT, "--config", "1", "--skip-bad"], /'--skip-bad'/],
    [["-", "-", "--config", "1"], /only once/],
  ];
  await Promise.all(cases.map(async ([args, sentence]) => {
    const { code, stdout, stderr } = await runProgram(IMPORT, args, env);
    assertEquals([code, stdout], [1, ""], stderr);
    assertMatch(stderr, sentence);
  }));
});

Deno.test("import explains itself", async () => {
  const { code, stdout } = await runProgram(IMPORT, ["--help"], {});
  assertEquals(code, 0);
  for (const word of ["--skip-bad-rows", "--map FIELD=HEADER", "result_indicator"]) {
    assert(stdout.includes(word), word);
  }
});
