/** The connected ad accounts, under the name and with the spelling that existing clients know. */
import { createRoute, z } from "@hono/zod-openapi";
import { listAccounts } from "../db/accounts.ts";
import { errorAnswers } from "./errors.ts";
import { answer, createRouter, type Surroundings } from "./router.ts";

const AccountConfig = z.object({
  id: z.int().openapi({ description: "The `config_id` of all other endpoints" }),
  accountId: z.string().nullable().openapi({
    description: "Meta's id without `act_`, null where no export named it",
  }),
  accountName: z.string(),
  isActive: z.boolean(),
  syncEnabled: z.boolean().openapi({ description: "False while data comes by import only" }),
  syncFrequencyMinutes: z.int().openapi({ description: "0 while nothing syncs" }),
  lastSyncAt: z.iso.datetime().nullable().openapi({ description: "The last import" }),
  tokenExpiresAt: z.iso.datetime().nullable(),
  tokenStatus: z.string().openapi({ description: "`none` while there is no connection to Meta" }),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  currency: z.string(),
  timeZone: z.string(),
  targetCpl: z.number().nullable(),
}).openapi("AccountConfig");

const AccountConfigList = z.object({
  success: z.literal(true),
  total: z.int(),
  data: z.array(AccountConfig),
}).openapi("AccountConfigList");

const configRoute = createRoute({
  method: "get",
  path: "/config",
  summary: "The connected ad accounts",
  tags: ["Accounts"],
  responses: {
    200: answer("All accounts", AccountConfigList),
    ...errorAnswers(),
  },
});

/** The routes under `/facebook-ads`. */
export function configRoutes({ ask }: Surroundings) {
  return createRouter().openapi(configRoute, async (c) => {
    const accounts = await ask(c, listAccounts);
    return c.json({
      success: true as const,
      total: accounts.length,
      data: accounts.map((account) => ({
        id: account.config_id,
        accountId: account.account_id,
        accountName: account.name,
        isActive: account.is_active,
        syncEnabled: false,
        syncFrequencyMinutes: 0,
        lastSyncAt: account.last_import_at?.toISOString() ?? null,
        tokenExpiresAt: null,
        tokenStatus: "none",
        createdAt: account.created_at.toISOString(),
        updatedAt: account.updated_at.toISOString(),
        currency: account.currency,
        timeZone: account.time_zone,
        targetCpl: account.target_cpl,
      })),
    }, 200);
  });
}
