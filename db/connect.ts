/** The one way to the database, embedded or not: postgres.js with the types converted here only. */
import postgres from "postgres";

const INT8 = 20;
const NUMERIC = 1700;
const DATE = 1082;

/**
 * Opens a pool of connections. Rows come back as plain values: `bigint` and `numeric` as numbers,
 * `date` as `YYYY-MM-DD`, `timestamptz` as `Date`, `jsonb` parsed, ids as the text that they are.
 *
 * The search path is empty, so that unqualified SQL fails loudly instead of finding somebody
 * else's table.
 *
 * @param url `postgres://user:password@host:port/database`.
 */
export function connect(url: string, options: { max?: number; applicationName?: string } = {}) {
  return postgres(url, {
    max: options.max ?? 10,
    connect_timeout: 10,
    onnotice: () => {},
    connection: {
      application_name: options.applicationName ?? "adstrata",
      search_path: '""',
      TimeZone: "UTC",
      // Compiling a plan over many partitions costs seconds, more than any of our queries.
      jit: "off",
      // Lets the aggregation of 100,000 ads stay in memory.
      work_mem: "64MB",
    },
    types: {
      int8: { to: INT8, from: [INT8], parse: Number, serialize: String },
      numeric: { to: NUMERIC, from: [NUMERIC], parse: Number, serialize: String },
      day: { to: DATE, from: [DATE], parse: String, serialize: String },
    },
  });
}

/** A pool of connections, as `connect` opens it. */
export type Sql = ReturnType<typeof connect>;

/** A connection inside a transaction, as `sql.begin` hands it out. */
export type Transaction = Parameters<Parameters<Sql["begin"]>[1]>[0];
