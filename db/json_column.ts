/** Passing many JSON documents to the server. */
import type { Queries } from "./connect.ts";

/**
 * A column of JSON documents for `unnest`, as text. In lines, because in an array every quote of them
 * has to be marked and read again, which takes three times as long.
 */
export function jsonColumn(sql: Queries, documents: readonly unknown[]) {
  const lines = documents.map((document) => JSON.stringify(document)).join("\n");
  return sql`string_to_array(${lines}::text, E'\n')`;
}
