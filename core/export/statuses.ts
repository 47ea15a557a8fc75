/** Delivery words of Ads Manager in its languages, as the values that Meta's API uses. */

const WORDS: Record<string, readonly string[]> = {
  ACTIVE: ["active", "ativo", "ativa", "activo", "activa", "aktiv", "actif"],
  LEARNING: [
    "learning",
    "aprendizado",
    "em aprendizado",
    "aprendizaje",
    "en aprendizaje",
    "lernphase",
    "in der lernphase",
    "apprentissage",
    "en apprentissage",
  ],
  INACTIVE: ["inactive", "inativo", "inativa", "inactivo", "inactiva", "inaktiv", "inactif"],
  PAUSED: ["paused", "pausado", "pausada", "en pausa", "em pausa", "pausiert", "en pause"],
  OFF: ["off", "desativado", "desativada", "desactivado", "desactivada", "aus", "desactive"],
  ARCHIVED: [
    "archived",
    "arquivado",
    "arquivada",
    "archivado",
    "archivada",
    "archiviert",
    "archive",
  ],
  COMPLETED: [
    "completed",
    "concluido",
    "concluida",
    "completado",
    "completada",
    "abgeschlossen",
    "termine",
    "terminee",
  ],
  RECENTLY_COMPLETED: [
    "recently completed",
    "concluido recentemente",
    "concluida recentemente",
    "completado recientemente",
    "completada recientemente",
    "kurzlich abgeschlossen",
    "recemment termine",
    "recemment terminee",
  ],
  NOT_DELIVERING: [
    "not delivering",
    "sem veiculacao",
    "nao esta em veiculacao",
    "sin entrega",
    "no se entrega",
    "keine auslieferung",
    "wird nicht ausgeliefert",
    "aucune diffusion",
    "non diffuse",
    "non diffusee",
  ],
  DELETED: ["deleted", "excluido", "excluida", "eliminado", "eliminada", "geloscht", "supprime"],
};

const STATUS_OF_WORD = new Map(
  Object.entries(WORDS).flatMap(([status, words]) => words.map((word) => [word, status] as const)),
);

/**
 * Reads a status: `not_delivering` and `Keine Auslieferung` are both `NOT_DELIVERING`. An unknown one
 * is kept, in upper case; an empty one is null.
 */
export function readStatus(cell: string): string | null {
  const words = cell.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase().replace(/[\s_-]+/g, " ")
    .trim();
  if (words === "") return null;
  return STATUS_OF_WORD.get(words) ?? words.toUpperCase().replaceAll(" ", "_");
}
