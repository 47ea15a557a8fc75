/** A worker in a process of its own that claims a run, writes and never ends. */
import { connect } from "../../db/connect.ts";
import { print } from "../../jobs/commands/command.ts";
import { startWorker } from "../../jobs/worker.ts";

const [url = ""] = Deno.args;
const sql = connect(url);
startWorker(sql, [{
  name: "classification",
  version: "hanging",
  waitsFor: [],
  recomputes: true,
  schedule: {},
  run: async (transaction) => {
    await transaction`update ads.accounts set name = 'half done'`;
    print("half done");
    await new Promise(() => {});
    return {};
  },
}], { concurrency: 1 });
