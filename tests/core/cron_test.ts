import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { checkCron, cronForDeno, lastTime, nextTime } from "../../core/cron.ts";
import { Refusal } from "../../core/refusal.ts";

const at = (text: string) => new Date(`${text}Z`);

Deno.test("nextTime() is the first time after the instant", () => {
  assertEquals(nextTime("30 5 * * *", at("2026-03-01T05:29:59")), at("2026-03-01T05:30:00"));
  assertEquals(nextTime("30 5 * * *", at("2026-03-01T05:30:00")), at("2026-03-02T05:30:00"));
  assertEquals(nextTime("0 */2 * * *", at("2026-03-01T23:00:01")), at("2026-03-02T00:00:00"));
});

Deno.test("lastTime() is the last time until the instant, which counts itself", () => {
  assertEquals(lastTime("30 5 * * *", at("2026-03-01T05:30:00")), at("2026-03-01T05:30:00"));
  assertEquals(lastTime("30 5 * * *", at("2026-03-01T05:29:59")), at("2026-02-28T05:30:00"));
});

Deno.test("lastTime() and nextTime() agree wherever they meet", () => {
  const crons = ["30 5 * * *", "15 * * * *", "0 */2 * * *", "0 8 * * 1", "0 0 1 * *", "5 4 * * 0"];
  const instants = fc.date({
    min: at("2024-01-01T00:00:00"),
    max: at("2030-01-01T00:00:00"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(fc.constantFrom(...crons), instants, (cron, instant) => {
    const next = nextTime(cron, instant);
    assertEquals(next && lastTime(cron, next), next);
    const last = lastTime(cron, instant);
    assertEquals(last !== null && last <= instant, true);
    // Between the two there is no other.
    assertEquals(last && nextTime(cron, last), next);
  }));
});

Deno.test("checkCron() refuses with the name what is no time of a schedule", () => {
  checkCron("0 */2 * * MON-FRI", "ADSTRATA_CRON_AD_CLASSIFICATION");
  for (const wrong of ["", "5", "60 5 * * *", "0 5 * * 8", "0 5 * * * *", "0 0 31 2 *", "@daily"]) {
    const error = assertThrows(() => checkCron(wrong, "ADSTRATA_CRON_AD_CLASSIFICATION"), Refusal);
    assertEquals(error.message.startsWith(`ADSTRATA_CRON_AD_CLASSIFICATION is "${wrong}"`), true);
  }
});

Deno.test("cronForDeno() names weekdays and leaves everything else", () => {
  assertEquals(cronForDeno("0 5 * * *"), "0 5 * * *");
  assertEquals(cronForDeno(" 0 5  1 7 0,3"), "0 5 1 7 SUN,WED");
  assertEquals(cronForDeno("0 5 * * 1-5"), "0 5 * * MON,TUE,WED,THU,FRI");
  assertEquals(cronForDeno("0 5 * * FRI-7"), "0 5 * * SUN,FRI,SAT");
  assertEquals(cronForDeno("*/7 5 * * */2"), "*/7 5 * * SUN,TUE,THU,SAT");
  assertEquals(cronForDeno("0 5 * * 0-7"), "0 5 * * *");
});

Deno.test("cronForDeno() is understood by Deno.cron", () => {
  for (const cron of ["0 5 * * *", "15 * * * *", "0 */2 * * 1-5", "0 0 1 1 *", "5 4 * * 7"]) {
    const signal = AbortSignal.abort();
    Deno.cron(`test ${cron.replaceAll(/[^0-9]/g, "-")}`, cronForDeno(cron), { signal }, () => {});
  }
});
