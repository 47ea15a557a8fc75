/** The one way to the database, embedded or not: postgres.js with the types converted here only. */
import { type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import postgres from "postgres";

const tracer = trace.getTracer("adstrata");

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
export function connect(
  url: string,
  options: { max?: number | undefined; applicationName?: string } = {},
) {
  const sql = postgres(url, {
    max: options.max ?? 10,
    connect_timeout: 10,
    // Seconds between attempts. The usual growing pause keeps a pool away long after a server is back.
    backoff: () => 1,
    onnotice: () => {},
    connection: {
      application_name: options.applicationName ?? "adstrata",
      search_path: '""',
      TimeZone: "UTC",
      // Compiling a plan over many partitions costs seconds, more than any of our queries.
      jit: "off",
      // Cursors are read to their end. By default their plans are quick to find the first rows, which
      // may cost minutes for all of them.
      cursor_tuple_fraction: "1",
      // Lets the aggregation of 100,000 ads stay in memory.
      work_mem: "64MB",
    },
    types: {
      int8: { to: INT8, from: [INT8], parse: Number, serialize: String },
      numeric: { to: NUMERIC, from: [NUMERIC], parse: Number, serialize: String },
      day: { to: DATE, from: [DATE], parse: String, serialize: String },
    },
  });
  traceQueries(Object.getPrototypeOf(sql``));
  return sql;
}

/** What every query of postgres.js inherits, as far as tracing touches it. */
type Query = {
  tagged: boolean;
  strings: readonly string[];
  executed: boolean;
  /** Sends the query, on the first call only. */
  handle(): Promise<void>;
  resolve(result: unknown): void;
  reject(error: Error): void;
};

let isTraced = false;

/**
 * Gives every query a span, whoever makes it: postgres.js has no hook for the end of a query, but all
 * of them, in transactions and by cursor too, go through one method. Without telemetry it costs well
 * under a microsecond.
 */
function traceQueries(prototype: Query): void {
  if (isTraced) return;
  isTraced = true;
  const { handle } = prototype;
  prototype.handle = function () {
    if (!this.executed) {
      const span = tracer.startSpan("query", { kind: SpanKind.CLIENT });
      if (span.isRecording()) describe(this, span);
    }
    return handle.call(this);
  };
}

/** Names the span of a query by its first word and the first thing of ours in it, never by values. */
function describe(query: Query, span: Span): void {
  const text = query.strings.reduce((text, part, index) => `${text}$${index}${part}`);
  const [verb = "query"] = text.match(/\w+/) ?? [];
  const [subject] = text.match(/\bads\.\w+/) ?? [];
  span.updateName(subject ? `${verb} ${subject}` : verb);
  span.setAttribute("db.system.name", "postgresql");
  // Where values do not stand apart, they would be told.
  if (query.tagged) span.setAttribute("db.query.text", text);
  onSettled(query, "resolve", () => span.end());
  onSettled(query, "reject", (error) => {
    // The code alone: messages repeat values.
    const message = error instanceof Error && "code" in error ? String(error.code) : undefined;
    span.setStatus({ code: SpanStatusCode.ERROR, message });
    span.end();
  });
}

/** Does something before a query settles. A cursor gives its query other callbacks for each batch. */
function onSettled(
  query: Query,
  name: "resolve" | "reject",
  doFirst: (outcome: unknown) => void,
): void {
  let settle: (outcome: never) => void = query[name];
  Object.defineProperty(query, name, {
    get: () => (outcome: never) => {
      doFirst(outcome);
      settle(outcome);
    },
    set: (callback: typeof settle) => settle = callback,
  });
}

/** A pool of connections, as `connect` opens it. */
export type Sql = ReturnType<typeof connect>;

/** A connection inside a transaction, as `sql.begin` hands it out. */
export type Transaction = Parameters<Parameters<Sql["begin"]>[1]>[0];

/** Where queries go: any connection of a pool, or the one of a transaction. */
export type Queries = Sql | Transaction;

/** Whether it is the embedded engine, which has one session for all. */
export async function isEmbedded(sql: Queries): Promise<boolean> {
  const [engine] = await sql<{ version: string }[]>`select version()`;
  return engine?.version.includes("PGlite") ?? false;
}
