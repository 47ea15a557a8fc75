import { assertEquals } from "@std/assert";
import { z } from "zod";
import { openService } from "./service.ts";

Deno.test("GET /facebook-ads/config lists the accounts with every field", async () => {
  await using service = await openService();
  const answer = await service.get("/api/v1/facebook-ads/config");
  assertEquals(answer.status, 200);
  const { success, total, data } = answer.read(
    z.object({ success: z.boolean(), total: z.int(), data: z.array(z.unknown()) }),
  );
  assertEquals([success, total, data.length], [true, 2, 2]);
  assertEquals(data[0], {
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
