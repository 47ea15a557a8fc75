import { assert, assertEquals } from "@std/assert";
import type { Day, History } from "../../../core/anomalies/history.ts";
import {
  continueIncidents,
  type Incident,
  keyOf,
  type OpenIncident,
} from "../../../core/anomalies/incidents.ts";
import { drawAccount, type Event, incidentsOf, PLAIN } from "./accounts.ts";

const OPTIONS = { asOf: "2026-01-31", historyDays: 30, daysToAnalyze: 1 };
const SCENARIO = { ...PLAIN, entities: 32, leadsPerDay: 15, dispersion: 0.05 };
const LAST = SCENARIO.days - 1;

/** The incidents of an account of 4 campaigns. */
function incidentsOfDrawn(
  eventOf: (ad: number, day: number) => Event,
  change: (ad: History, index: number) => History = (ad) => ad,
): Incident[] {
  return incidentsOf(drawAccount(SCENARIO, 11, eventOf).entities.map(change), OPTIONS);
}

function places(incidents: Incident[]): string[] {
  return incidents.map(({ place, entityId }) => keyOf(place, entityId));
}

Deno.test("findIncidents() finds nothing in noise", () => {
  assertEquals(incidentsOfDrawn(() => ({})), []);
});

Deno.test("findIncidents() tells once what broke, where it broke", () => {
  const where = (isBroken: (ad: number) => boolean) =>
    places(incidentsOfDrawn((ad, day) => day === LAST && isBroken(ad) ? { clicks: 0.1 } : {}));
  assertEquals(where((ad) => ad === 9), ["ad 9"]);
  assertEquals(where((ad) => Math.floor(ad / 4) === 2), ["adset 2"]);
  assertEquals(where((ad) => Math.floor(ad / 8) === 1), ["campaign 1"]);
  assertEquals(where(() => true), ["account account"]);
  assertEquals(where((ad) => ad === 9 || ad === 30).toSorted(), ["ad 30", "ad 9"]);
});

Deno.test("findIncidents() looks through an only ad set for the ad that broke", () => {
  const where = (isBroken: (ad: number) => boolean) => {
    const { entities } = drawAccount(
      SCENARIO,
      11,
      (ad, day) => day === LAST && isBroken(ad) ? { clicks: 0.1 } : {},
    );
    return places(incidentsOf(entities, OPTIONS, undefined, 1));
  };
  assertEquals(where((ad) => ad === 9), ["ad 9"]);
  // Of all that an only ad set did, its campaign is told.
  assertEquals(where((ad) => Math.floor(ad / 4) === 2), ["campaign 2"]);
});

Deno.test("findIncidents() gives each member's share of the deviation", () => {
  const [incident] = incidentsOfDrawn((ad, day) =>
    day === LAST && Math.floor(ad / 4) === 2 ? { spend: 0 } : {}
  );
  const ofAds =
    incident?.members.filter(({ place, alarm }) => place === "ad" && alarm.metric === "spend") ??
      [];
  assertEquals(ofAds.length, 4);
  const total = ofAds.reduce((sum, { contribution }) => sum + (contribution ?? 0), 0);
  assert(Math.abs(total - 1) < 0.2, `${total}`);
  const own = incident?.members.find(({ place }) => place === "adset");
  assertEquals(own?.contribution, 1);
});

Deno.test("findIncidents() takes new ads for what people wanted", () => {
  const isNew = (day: Day | null, index: number) => index < LAST - 2 ? null : day;
  const incidents = incidentsOfDrawn(
    (ad) => ad === 9 ? { spend: 8 } : {},
    (ad, index) => index === 9 ? { ...ad, days: ad.days.map(isNew) } : ad,
  );
  assertEquals(places(incidents), []);
});

Deno.test("findIncidents() takes money that went elsewhere for no change of a rate", () => {
  // Of two ads of different CTR the dull one gets nearly all from here on, in an account of such pairs.
  const incidents = incidentsOfDrawn((ad, day) => {
    const isDull = ad % 2 === 0;
    const clicks = isDull ? 0.3 : 2;
    if (day < LAST - 3 || ad > 1) return { clicks };
    return isDull ? { clicks, spend: 1.7 } : { clicks, spend: 0.3 };
  });
  const ofRates = incidents.filter(({ alarm }) => alarm.metric !== "spend");
  assertEquals(places(ofRates), []);
});

function openIncident(changes: Partial<OpenIncident>): OpenIncident {
  return {
    id: 1,
    place: "ad",
    entityId: "9",
    lastDate: "2026-01-30",
    entities: ["ad 9", "adset 2"],
    ...changes,
  };
}

Deno.test("continueIncidents() goes on with the story of an entity or of its line", () => {
  const found = incidentsOfDrawn((ad, day) => day === LAST && ad === 9 ? { clicks: 0.1 } : {});
  const idsOf = (open: OpenIncident[]) =>
    [...continueIncidents(open, found, "2026-01-31").continued.values()].map(({ id }) => id);
  assertEquals(idsOf([openIncident({})]), [1]);
  assertEquals(
    idsOf([openIncident({ id: 2, place: "adset", entityId: "2" }), openIncident({})]),
    [1],
  );
  assertEquals(idsOf([openIncident({ place: "adset", entityId: "2" })]), [1]);
  assertEquals(idsOf([openIncident({ entityId: "30", entities: ["ad 30"] })]), []);
  assertEquals(idsOf([openIncident({ lastDate: "2026-01-28" })]), []);
});

Deno.test("continueIncidents() ends a story after two days of silence", () => {
  const isOver = (lastDate: string) =>
    continueIncidents([openIncident({ lastDate })], [], "2026-01-31").recovered.length === 1;
  assertEquals(["2026-01-28", "2026-01-29", "2026-01-30"].map(isOver), [true, false, false]);
});
