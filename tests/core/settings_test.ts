import { assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { checkHost, readSettings } from "../../core/settings.ts";

Deno.test("readSettings() gives the defaults when nothing is set", () => {
  assertEquals(readSettings({}), {
    databaseUrl: null,
    dataFolder: ".adstrata",
    host: "127.0.0.1",
    port: 8000,
    insecure: false,
    concurrency: null,
  });
});

Deno.test("readSettings() reads the values when they are set", () => {
  const environment = {
    DATABASE_URL: "postgresql://me:secret@db.example/ads?sslmode=require",
    ADSTRATA_DATA: "/var/lib/adstrata",
    HOST: "0.0.0.0",
    PORT: "0",
    ADSTRATA_INSECURE: "1",
    ADSTRATA_CONCURRENCY: "3",
  };
  assertEquals(readSettings(environment), {
    databaseUrl: "postgresql://me:secret@db.example/ads?sslmode=require",
    dataFolder: "/var/lib/adstrata",
    host: "0.0.0.0",
    port: 0,
    insecure: true,
    concurrency: 3,
  });
});

Deno.test("readSettings() takes an empty variable for one that is not set", () => {
  assertEquals(readSettings({ DATABASE_URL: "", PORT: "" }), readSettings({}));
});

Deno.test("readSettings() names every wrong variable and shows no value", () => {
  const error = assertThrows(
    () => readSettings({ DATABASE_URL: "mysql://me:secret@db/ads", PORT: "80000" }),
    Refusal,
  );
  assertEquals(/DATABASE_URL.*PORT/.test(error.message), true);
  assertEquals(error.message.includes("secret"), false);
});

Deno.test("checkHost() accepts every loopback host", () => {
  for (const host of ["127.0.0.1", "127.0.1.1", "localhost", "::1"]) {
    checkHost({ host, insecure: false });
  }
});

Deno.test("checkHost() refuses a host that others can reach unless that is asked for", () => {
  for (const host of ["0.0.0.0", "::", "192.168.0.7", "127.0.0.1.example.com"]) {
    assertThrows(() => checkHost({ host, insecure: false }), Refusal, host);
    checkHost({ host, insecure: true });
  }
});
