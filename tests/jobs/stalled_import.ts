/** Imports a file and stops for ever, in the middle of the transaction, at the step that is named. */
import { connect } from "../../db/connect.ts";
import { print } from "../../jobs/commands/command.ts";
import { importFiles } from "../../jobs/import.ts";

const [file = "", step = ""] = Deno.args;
await importFiles(connect(Deno.env.get("DATABASE_URL") ?? ""), {
  configId: 1,
  files: [file],
  account: { currency: "EUR" },
  onProgress(progress) {
    if (progress.step !== step || (step === "reading" && progress.rows === 0)) return;
    print("stalled");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
