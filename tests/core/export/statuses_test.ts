import { assertEquals } from "@std/assert";
import { readStatus } from "../../../core/export/statuses.ts";

Deno.test("readStatus() gives the same status when the word is in another language", () => {
  for (const cell of ["not_delivering", "Sem veiculação", "Sin entrega", "Keine Auslieferung"]) {
    assertEquals(readStatus(cell), "NOT_DELIVERING", cell);
  }
  assertEquals(readStatus("Actif"), "ACTIVE");
  for (const cell of ["Learning", "Em aprendizado", "Lernphase"]) {
    assertEquals(readStatus(cell), "LEARNING", cell);
  }
});

Deno.test("readStatus() keeps a status that it does not know", () => {
  assertEquals(readStatus("with_issues"), "WITH_ISSUES");
  assertEquals(readStatus("Learning limited"), "LEARNING_LIMITED");
  assertEquals(readStatus(" "), null);
});
