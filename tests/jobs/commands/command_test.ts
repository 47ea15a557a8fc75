import { assert, assertEquals } from "@std/assert";
import { Refusal } from "../../../core/refusal.ts";
import { explain } from "../../../jobs/commands/command.ts";

Deno.test("explain() gives the sentence and the hint of a refusal, and no stack trace", () => {
  const refusal = new Refusal("not_found", 'There is no file "a.csv"', "Check the path");
  assertEquals(explain(refusal), 'There is no file "a.csv". Check the path');
  assertEquals(explain(new Refusal("conflict", "The port is in use")), "The port is in use");
});

Deno.test("explain() says what to do when the connection to the database is lost", () => {
  const lost = Object.assign(new Error("write CONNECTION_CLOSED"), { code: "CONNECTION_CLOSED" });
  assert(explain(lost).startsWith("The connection to the database was lost"));
});

Deno.test("explain() keeps the stack trace of a defect", () => {
  const defect = new TypeError("x is not a function");
  assertEquals(explain(defect), defect.stack);
});
