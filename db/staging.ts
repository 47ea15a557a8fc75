/** Loading many rows into a table as fast as each engine takes them. */
import { once } from "node:events";
import { finished } from "node:stream/promises";
import { isEmbedded, type Transaction } from "./connect.ts";

/** A value of a staged row. */
export type Cell = string | number | boolean | null;

/** A temporary table: its columns with their types. */
export type StagingTable = { name: string; columns: Record<string, string> };

/**
 * Rows on their way into one table, their cells in the order of its columns. Nothing else can use
 * the transaction until `end`; leaving the block without it drops what was on its way.
 */
export type Loading = AsyncDisposable & {
  /** Takes in one row. */
  add(row: readonly Cell[]): void;
  /** Passes rows on; resolves when there is room for more. */
  flush(): Promise<void>;
  end(): Promise<void>;
};

/** Begins to load a table. */
export type Loader = (table: StagingTable) => Promise<Loading>;

/** Creates a temporary table that vanishes with the transaction; an older one is replaced. */
export async function createStaging(tx: Transaction, table: StagingTable): Promise<void> {
  const columns = Object.entries(table.columns).map(([name, type]) => `${name} ${type}`);
  await tx.unsafe(`drop table if exists pg_temp.${table.name}`);
  await tx.unsafe(`create temp table ${table.name} (${columns.join(", ")}) on commit drop`);
}

/**
 * Prepares a transaction for many rows and hands out the fastest way in: `copy` on a server; the
 * embedded engine cannot copy from its socket, and its memory is part of this program's.
 */
export async function openLoader(tx: Transaction): Promise<Loader> {
  const isSmall = await isEmbedded(tx);
  // Sorting and hashing a large file needs more than a server's usual 4 MB.
  await tx`select set_config('work_mem', ${isSmall ? "32MB" : "256MB"}, true)`;
  return isSmall ? insertInto(tx) : copyInto(tx);
}

function copyInto(tx: Transaction): Loader {
  return async (table) => {
    const columns = Object.keys(table.columns);
    const target = await tx`copy pg_temp.${tx(table.name)} (${tx(columns)}) from stdin`.writable();
    let isOpen = true;
    let lines = "";
    const flush = async () => {
      const text = lines;
      lines = "";
      if (!target.write(text)) await once(target, "drain");
    };
    return {
      add(row) {
        lines += copyLine(row);
      },
      flush,
      async end() {
        await flush();
        isOpen = false;
        target.end();
        await finished(target);
      },
      async [Symbol.asyncDispose]() {
        if (!isOpen) return;
        // The server waits for rows until it is told that none will come.
        target.destroy(new Error("The import was given up"));
        await finished(target).catch(() => {});
      },
    };
  };
}

function copyLine(row: readonly Cell[]): string {
  let line = "";
  let separator = "";
  for (const cell of row) {
    line += separator + (typeof cell === "string" ? escapeText(cell) : cell ?? "\\N");
    separator = "\t";
  }
  return line + "\n";
}

function escapeText(text: string): string {
  return TO_ESCAPE.test(text)
    ? text.replace(/[\\\t\n\r]/g, (sign) => COPY_ESCAPES[sign] ?? sign)
    : text;
}

const TO_ESCAPE = /[\\\t\n\r]/;
const COPY_ESCAPES: Record<string, string> = {
  "\\": "\\\\",
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
};

/** One statement for this many rows: about 50,000 rows a second on the embedded engine. */
const INSERT_BATCH = 5_000;

function insertInto(tx: Transaction): Loader {
  return (table) => {
    const names = Object.keys(table.columns);
    const arrays = Object.values(table.columns).map((type, index) =>
      `$${index + 1}::text[]::${type}[]`
    );
    const statement = `insert into pg_temp.${table.name} (${names.join(", ")}) ` +
      `select * from unnest(${arrays.join(", ")})`;
    let columns: (string | null)[][] = names.map(() => []);
    const send = async () => {
      const values = columns;
      columns = names.map(() => []);
      await tx.unsafe(statement, values);
    };
    return Promise.resolve({
      add(row) {
        for (const [index, column] of columns.entries()) {
          const cell = row[index] ?? null;
          column.push(cell === null ? null : String(cell));
        }
      },
      async flush() {
        if ((columns[0]?.length ?? 0) >= INSERT_BATCH) await send();
      },
      end: send,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  };
}
