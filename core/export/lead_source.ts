/** Where a file's leads come from, decided once per file. */
import { Refusal } from "../refusal.ts";
import { type Header, quoteHeaders } from "./columns.ts";

/**
 * `columns`: lead columns; `actions`: the lists of Meta's API; `lead_results`: results whose indicator
 * says lead; `results`: all results, because the person says so; `none`: nothing in the file counts.
 */
export type LeadSource = "columns" | "actions" | "lead_results" | "results" | "none";

/** What the person says about leads. */
export type LeadChoice = "results" | "none" | undefined;

/** Decides where the leads are and refuses a file in which nothing says so. */
export function leadSourceOf({ cells, columns }: Header, choice: LeadChoice): LeadSource {
  if (choice === "none") return "none";
  if (choice === "results") {
    if (columns.results !== undefined) return "results";
    throw new Refusal(
      "invalid_parameter",
      `The file has no "Results" column that could count as leads; it has ${quoteHeaders(cells)}`,
      "Name the column with --map leads=HEADER",
      { parameter: "results" },
    );
  }
  const has = (...indexes: (number | undefined)[]) => indexes.some((index) => index !== undefined);
  if (has(columns.leads)) return "columns";
  if (has(columns.actions)) return "actions";
  if (has(columns.leads_on_facebook, columns.leads_on_website)) return "columns";
  if (has(columns.results) && has(columns.result_indicator, columns.result_type)) {
    return "lead_results";
  }
  throw new Refusal(
    "invalid_parameter",
    `No column tells which results are leads among ${quoteHeaders(cells)}`,
    has(columns.results)
      ? 'Export "Leads" or "Result indicator" too, or pass --results leads if every result is a lead'
      : 'Export the column "Leads", name one with --map leads=HEADER, or pass --no-leads',
  );
}
