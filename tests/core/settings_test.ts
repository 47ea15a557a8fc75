import { assert, assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { isLoopback, readSettings } from "../../core/settings.ts";

Deno.test("readSettings() gives the defaults when nothing is set", () => {
  assertEquals(readSettings({}), {
    databaseUrl: null,
    dataFolder: ".adstrata",
    host: "127.0.0.1",
    port: 8000,
    concurrency: null,
    secret: null,
    requestsPerMinute: 600,
    corsOrigins: [],
  });
});

Deno.test("readSettings() reads the values when they are set", () => {
  const environment = {
    DATABASE_URL: "postgresql://me:secret@db.example/ads?sslmode=require",
    ADSTRATA_DATA: "/var/lib/adstrata",
    HOST: "0.0.0.0",
    PORT: "0",
    ADSTRATA_CONCURRENCY: "3",
    ADSTRATA_SECRET: "0123456789abcdef0123456789abcdef",
    ADSTRATA_REQUESTS_PER_MINUTE: "60",
    ADSTRATA_CORS_ORIGINS: "https://bi.example, http://localhost:3000",
  };
  assertEquals(readSettings(environment), {
    databaseUrl: "postgresql://me:secret@db.example/ads?sslmode=require",
    dataFolder: "/var/lib/adstrata",
    host: "0.0.0.0",
    port: 0,
    concurrency: 3,
    secret: "0123456789abcdef0123456789abcdef",
    requestsPerMinute: 60,
    corsOrigins: ["https://bi.example", "http://localhost:3000"],
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

Deno.test("isLoopback() is true for every host of the machine itself, and for no other", () => {
  for (const host of ["127.0.0.1", "127.0.1.1", "localhost", "::1"]) assert(isLoopback(host));
  for (const host of ["0.0.0.0", "::", "192.168.0.7", "127.0.0.1.example.com"]) {
    assert(!isLoopback(host));
  }
});

Deno.test("readSettings() refuses a short secret and what is no origin, and shows neither", () => {
  const error = assertThrows(
    () =>
      readSettings({ ADSTRATA_SECRET: "hunter2", ADSTRATA_CORS_ORIGINS: "https://a.example/x" }),
    Refusal,
  );
  assert(/ADSTRATA_SECRET.*ADSTRATA_CORS_ORIGINS/.test(error.message), error.message);
  assert(!error.message.includes("hunter2"));
});
