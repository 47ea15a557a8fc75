/** What an import did, as lines for a person. */
import { LEVEL_FACTS, LEVELS } from "../../core/level.ts";
import { DEFAULT_TIME_ZONE } from "../../db/account_import.ts";
import type { FileReport, ImportOptions, ImportReport } from "../import.ts";

/** The summary of an import. */
export function reportLines(report: ImportReport, options: ImportOptions): string[] {
  const lines = report.files.flatMap(fileLines);
  if (report.isNewAccount) {
    const zone = options.account?.timeZone;
    lines.push(
      zone
        ? `Account ${report.configId} is new, its days are in ${zone}`
        : `Account ${report.configId} is new, its days are in ${DEFAULT_TIME_ZONE} ` +
          "(change it with --time-zone)",
    );
  }
  return lines;
}

function fileLines(file: FileReport): string[] {
  const { days, dateFrom, dateTo, added, changed, unchanged } = file;
  const entities = LEVELS.filter((level) => file.entities[level] > 0).map((level) =>
    count(file.entities[level], LEVEL_FACTS[level].one, LEVEL_FACTS[level].many)
  );
  const period = dateFrom === dateTo ? dateFrom : `${dateFrom} to ${dateTo}`;
  const lines = [
    `${file.file}: ${count(file.rows, "row")}, ${count(days, "day")} (${period})`,
    `  ${entities.join(", ")}`,
    `  daily rows: ${number(added)} new, ${number(changed)} changed, ${
      number(unchanged)
    } unchanged`,
  ];
  if (file.replaced > 0) {
    lines.push(
      `  ${count(file.replaced, "earlier daily row")} replaced: the file tells the same delivery ` +
        `${file.entities.ad > 0 ? "by ad" : "by ad set"}`,
    );
  }
  if (file.addedUp > 0) {
    lines.push(`  ${count(file.addedUp, "row")} added to others of the same entity and day`);
  }
  if (file.summaryRows > 0) {
    lines.push(`  ${count(file.summaryRows, "summary row")} dropped`);
  }
  lines.push(...file.notes.map((note) => `  ${note}`));
  if (file.badRows > 0) {
    lines.push(`  ${count(file.badRows, "bad row")} left out:`);
    lines.push(...file.badRowList.map(({ row, reason }) => `    row ${row}: ${reason}`));
    const more = file.badRows - file.badRowList.length;
    if (more > 0) lines.push(`    and ${number(more)} more`);
  }
  return lines;
}

function count(amount: number, one: string, many = `${one}s`): string {
  return `${number(amount)} ${amount === 1 ? one : many}`;
}

function number(amount: number): string {
  return amount.toLocaleString("en");
}
