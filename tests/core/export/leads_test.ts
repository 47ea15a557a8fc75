import { assertEquals, assertThrows } from "@std/assert";
import { findColumns } from "../../../core/export/columns.ts";
import { leadSourceOf } from "../../../core/export/lead_source.ts";
import { isLeadIndicator, readActions } from "../../../core/export/leads.ts";
import { Refusal } from "../../../core/refusal.ts";

Deno.test("readActions() counts a lead once when Meta names it in several ways", () => {
  const list = [
    { action_type: "onsite_conversion.lead_grouped", value: "159" },
    { action_type: "lead", value: "166" },
    { action_type: "offsite_conversion.fb_pixel_lead", value: "7" },
    { action_type: "omni_purchase", value: 4 },
    { action_type: "purchase", value: 4 },
  ];
  assertEquals(readActions(JSON.stringify(list)), { leads: 166, purchases: 4 });
});

Deno.test("readActions() reads lists as Python prints them", () => {
  const cell =
    "[{'action_type': 'offsite_conversion.fb_pixel_lead', 'value': '2', '7d_click': '2'}]";
  assertEquals(readActions(cell), { leads: 2, purchases: null });
  assertEquals(readActions("[]"), { leads: null, purchases: null });
});

Deno.test("readActions() returns null when the cell is no list of actions", () => {
  for (const cell of ["12", "{}", "[1]", "[{'value': '2'}]", "lead: 2"]) {
    assertEquals(readActions(cell), null, cell);
  }
});

Deno.test("isLeadIndicator() tells leads from other results", () => {
  const leads = [
    "actions:lead",
    "actions:onsite_conversion.lead_grouped",
    "actions:offsite_conversion.fb_pixel_lead",
    "Leads (form)",
    "Website leads",
    "Cadastros",
    "Clientes potenciales",
  ];
  for (const indicator of leads) assertEquals(isLeadIndicator(indicator), true, indicator);
  const others = [
    "actions:link_click",
    "reach",
    "",
    "Landing page views",
    "Purchases",
    "Misleading",
  ];
  for (const indicator of others) assertEquals(isLeadIndicator(indicator), false, indicator);
});

Deno.test("leadSourceOf() prefers lead columns, then actions, then results that say lead", () => {
  const source = (...headers: string[]) => leadSourceOf(findColumns(headers, {}), undefined);
  assertEquals(source("Leads", "Actions", "Results", "Result indicator"), "columns");
  assertEquals(source("Website leads", "actions"), "actions");
  assertEquals(source("Website leads", "Results", "Result type"), "columns");
  assertEquals(source("Results", "Result type"), "lead_results");
});

Deno.test("leadSourceOf() refuses results of an unknown kind unless the person says what they are", () => {
  const header = findColumns(["Day", "Results"], {});
  assertThrows(() => leadSourceOf(header, undefined), Refusal, 'among "Day", "Results"');
  assertEquals(leadSourceOf(header, "results"), "results");
  assertEquals(leadSourceOf(header, "none"), "none");
  assertThrows(() => leadSourceOf(findColumns(["Day"], {}), "results"), Refusal, 'no "Results"');
});
