import { assertEquals } from "@std/assert";
import { openService } from "./service.ts";

Deno.test("GET /facebook-ads/config lists the accounts with every field", async () => {
  await using service = await openService();
  const { status, body } = await service.get("/api/v1/facebook-ads/config");
  assertEquals(status, 200);
  assertEquals([body.success, body.total, body.data.length], [true, 2, 2]);
  assertEquals(body.data[0], {
    id: 1,
    accountId: "1234567890",
    accountName: "Sunrise",
    isActive: true,
    syncEnabled: false,
    syncFrequencyMinutes: 0,
    lastSyncAt: null,
    tokenExpiresAt: null,
    tokenStatus: "none",
    createdAt: "2026-01-01T00:00:00.000Z",
    updatedAt: "2026-01-02T00:00:00.000Z",
    currency: "USD",
    timeZone: "America/New_York",
    targetCpl: null,
  });
});
