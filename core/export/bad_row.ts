/**
 * Why a row cannot be imported, as the end of a sentence that starts with the row's number. It never
 * leaves `core/export/`.
 */
export class BadRow extends Error {
  override name = "BadRow";
}
