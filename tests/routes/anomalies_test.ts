import { assertEquals } from "@std/assert";
import { z } from "zod";
import { Anomaly, AnomalyList } from "../../routes/anomalies.ts";
import { Incident } from "../../routes/incidents.ts";
import { addKey, openService, type Service } from "./service.ts";

const LIST = "/api/v1/anomalies?config_id=1&entity_type=ad";

/** Three anomalies of ads, the first two of which are one incident at their ad set. */
async function openWithAnomalies(): Promise<Service> {
  const service = await openService();
  await service.sql`
    insert into ads.ml_anomalies (
      config_id, id, entity_type, entity_id, parent_id, anomaly_type, metric_name, anomaly_date,
      observed_value, expected_value, deviation_score, window_days, baseline_window_days, p_value,
      q_value, severity, model_version, detected_at, updated_at
    )
    values
      (1, 1, 'ad', '31', '21', 'cpl_spike', 'cpl', '2026-03-09', null, 5, -5, 1, 30, 1e-6, 1e-4,
        'HIGH', 'test', '2026-03-10T06:00Z', '2026-03-10T06:00Z'),
      (1, 2, 'ad', '32', '21', 'cpl_spike', 'cpl', '2026-03-10', 40, 20, 4, 2, 30, 1e-5, 1e-3,
        'CRITICAL', 'test', '2026-03-11T06:00Z', '2026-03-11T06:00Z'),
      (1, 3, 'ad', '33', '22', 'ctr_drop', 'ctr', '2026-03-10', 0.4, 1.1, -4, 1, 30, 1e-5, 1e-3,
        'LOW', 'test', '2026-03-11T07:00Z', '2026-03-11T07:00Z')`;
  await service.sql`
    insert into ads.incidents (
      config_id, id, entity_type, entity_id, anomaly_type, severity, first_date, last_date, sentence,
      detected_at, updated_at
    )
    values (1, 5, 'adset', '21', 'cpl_spike', 'CRITICAL', '2026-03-09', '2026-03-10', 'Leads cost more',
      '2026-03-10T06:00Z', '2026-03-11T06:00Z')`;
  await service.sql`
    insert into ads.incident_members (config_id, incident_id, anomaly_id, contribution)
    values (1, 5, 1, 0.8), (1, 5, 2, 0.2)`;
  return service;
}

/** What two days of ads and one of the account were compared with. */
async function addLuck({ sql }: Service): Promise<void> {
  await sql`
    insert into ads.anomaly_luck (
      config_id, entity_type, anomaly_date, entities, alarms, shuffles, expected_by_luck,
      model_version, updated_at
    )
    values
      (1, 'ad', '2026-03-03', 3, 9, 10, 9, 'test', '2026-03-04T06:00Z'),
      (1, 'ad', '2026-03-09', 3, 1, 10, 0.2, 'test', '2026-03-10T06:00Z'),
      (1, 'ad', '2026-03-10', 3, 2, 10, 0.55, 'test', '2026-03-11T06:00Z'),
      (1, 'account', '2026-03-10', 1, 0, 10, 0.5, 'test', '2026-03-11T06:00Z')`;
}

async function list(service: Service, query: string) {
  const { data, ...facts } = (await service.get(`${LIST}${query}`)).read(AnomalyList.schema);
  return { ids: data.map(({ id }) => id), ...facts };
}

Deno.test("GET /anomalies answers newest first with the names of both wire formats", async () => {
  await using service = await openWithAnomalies();
  const { data } = (await service.get(LIST)).read(AnomalyList.schema);
  assertEquals(data.map(({ id }) => id), [3, 2, 1]);
  const [newest] = data;
  assertEquals(newest?.type, newest?.anomaly_type);
  assertEquals([newest?.current_value, newest?.baseline_value], [0.4, 1.1]);
  assertEquals([newest?.entity_name, newest?.incident_id], ["Carousel", null]);
  assertEquals(data[2]?.observed_value, null);
});

Deno.test("GET /anomalies filters, and counts severities whatever severity is asked for", async () => {
  await using service = await openWithAnomalies();
  const high = await list(service, "&severity=HIGH");
  assertEquals([high.ids, high.total, high.unacknowledged_count], [[1], 1, 1]);
  assertEquals(high.by_severity, { LOW: 1, MEDIUM: 0, HIGH: 1, CRITICAL: 1 });
  for (
    const [query, ids] of [
      ["&entity_id=32", [2]],
      ["&campaign_id=32", [2]],
      ["&type=ctr_drop", [3]],
      ["&anomaly_type=cpl_spike", [2, 1]],
      ["&days=1", [3, 2]],
      ["&date_from=2026-03-09&date_to=2026-03-09", [1]],
      ["&start_date=2026-03-10&end_date=2026-03-10", [3, 2]],
      ["&status=closed", []],
      ["&acknowledged=true", []],
    ] as const
  ) assertEquals([query, (await list(service, query)).ids], [query, [...ids]]);
});

Deno.test("GET /anomalies/summary counts all levels unless one is asked for", async () => {
  await using service = await openWithAnomalies();
  const Summary = z.looseObject({
    total: z.int(),
    by_type: z.record(z.string(), z.int()),
    critical_count: z.int(),
    unacknowledged: z.int(),
    last_detected_at: z.string().nullable(),
  });
  const ask = async (query: string) =>
    (await service.get(`/api/v1/anomalies/summary?config_id=1${query}`)).read(Summary);
  const { total, by_type, critical_count, last_detected_at } = await ask("");
  assertEquals([total, by_type.cpl_spike, by_type.spend_drop, critical_count], [3, 2, 0, 1]);
  assertEquals(last_detected_at, "2026-03-11T07:00:00.000Z");
  assertEquals((await ask("&entity_type=campaign")).total, 0);
});

Deno.test("GET /anomalies/luck tells how many of the alarms are luck, by level and in all", async () => {
  await using service = await openWithAnomalies();
  await addLuck(service);
  const nothing = { entity_days: 0, alarms: 0, expected_by_luck: 0, share: null };
  const ofAds = { entity_days: 6, alarms: 3, expected_by_luck: 0.75, share: 0.25 };
  const ofAccount = { entity_days: 1, alarms: 0, expected_by_luck: 0.5, share: null };
  const ask = async (query: string) =>
    (await service.get(`/api/v1/anomalies/luck?config_id=1${query}`)).body;
  assertEquals(await ask(""), {
    config_id: 1,
    date_from: "2026-03-04",
    date_to: null,
    entity_days: 7,
    alarms: 3,
    expected_by_luck: 1.25,
    share: 1.25 / 3,
    by_entity_type: { campaign: nothing, adset: nothing, ad: ofAds, account: ofAccount },
  });
  assertEquals(await ask("&entity_type=ad&date_to=2026-03-03"), {
    config_id: 1,
    date_from: null,
    date_to: "2026-03-03",
    entity_days: 3,
    alarms: 9,
    expected_by_luck: 9,
    share: 1,
    by_entity_type: {
      campaign: nothing,
      adset: nothing,
      ad: { entity_days: 3, alarms: 9, expected_by_luck: 9, share: 1 },
      account: nothing,
    },
  });
});

Deno.test("GET /anomalies/luck answers 404 to a stranger", async () => {
  await using service = await openWithAnomalies();
  await addLuck(service);
  const ask = async (configId: number) => {
    const key = await addKey(service, { configIds: [configId] });
    const headers = { "x-api-key": key };
    return (await service.request("/api/v1/anomalies/luck?config_id=1", { headers })).status;
  };
  assertEquals([await ask(1), await ask(2)], [200, 404]);
});

Deno.test("POST /anomalies/{id}/acknowledge closes it, and keeps who did so first", async () => {
  await using service = await openWithAnomalies();
  const acknowledge = (user_id: number, notes?: string) =>
    service.post("/api/v1/anomalies/1/acknowledge", { user_id, notes });
  assertEquals((await acknowledge(7, "Sale")).body, { status: "acknowledged", anomaly_id: 1 });
  assertEquals((await acknowledge(8, "Other")).status, 200);
  const Page = z.object({ data: z.array(Anomaly) });
  const [closed] = (await service.get(`${LIST}&acknowledged=1`)).read(Page).data;
  assertEquals(
    [closed?.id, closed?.status, closed?.acknowledged_by, closed?.resolution_notes],
    [1, "closed", 7, "Sale"],
  );
  assertEquals(
    (await service.post("/api/v1/anomalies/99/acknowledge", { user_id: 7 })).status,
    404,
  );
});

Deno.test("GET /incidents/{id} has the anomalies with what each explains", async () => {
  await using service = await openWithAnomalies();
  const Members = Incident.extend({
    members: z.array(z.looseObject({ id: z.int(), contribution: z.number().nullable() })),
  });
  const incident = (await service.get("/api/v1/incidents/5")).read(Members);
  assertEquals([incident.entity_name, incident.duration_days], ["Parents", 2]);
  assertEquals(incident.members.map(({ id, contribution }) => [id, contribution]), [
    [2, 0.2],
    [1, 0.8],
  ]);
});

Deno.test("POST /incidents/{id}/acknowledge closes its members and no others", async () => {
  await using service = await openWithAnomalies();
  const path = "/api/v1/incidents/5/acknowledge";
  assertEquals((await service.post(path, { user_id: 7 })).body, {
    status: "acknowledged",
    incident_id: 5,
  });
  assertEquals((await list(service, "&status=closed")).ids, [2, 1]);
  assertEquals((await list(service, "&status=open")).ids, [3]);
  const Page = z.object({ total: z.int(), data: z.array(Incident) });
  const { total, data: [incident] } = (await service.get(
    "/api/v1/incidents?config_id=1&is_acknowledged=true",
  )).read(Page);
  assertEquals([total, incident?.acknowledged_by, incident?.state], [1, 7, "open"]);
});

Deno.test("POST /anomalies/detect answers with what is stored for the days looked at", async () => {
  await using service = await openWithAnomalies();
  const Detected = z.looseObject({ detected_count: z.int(), anomalies: z.array(Anomaly) });
  const detect = async (body: Record<string, unknown>) =>
    await service.post("/api/v1/anomalies/detect", { config_id: 1, entity_type: "ad", ...body });
  // Nothing of these constant days stands out, so what was stored before is closed.
  const { anomalies } = (await detect({ days: 2 })).read(Detected);
  assertEquals(anomalies.map(({ id, status }) => [id, status]), [
    [3, "closed"],
    [2, "closed"],
    [1, "closed"],
  ]);
  assertEquals((await detect({ entity_ids: ["33"] })).read(Detected).detected_count, 1);
  assertEquals((await detect({ entity_ids: ["99"] })).status, 404);
  assertEquals((await detect({ as_of: "2026-03-11" })).status, 400);
});
