/** The embedded engine: PostgreSQL in WebAssembly behind its own wire protocol on a loopback socket. */
import { PGlite, type PGliteOptions } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

/** A running engine. Everything else talks to it by its URL, like to any server. */
export type Engine = {
  /** `postgres://` URL of its socket, good for postgres.js, dbmate and psql alike. */
  url: string;
  /** Its whole data folder as a tar file, from which `startEngine` makes the same database again. */
  snapshot(): Promise<Blob>;
  /** Ends all connections, rolls back what they left open, and closes the data folder properly. */
  close(): Promise<void>;
};

type ProtocolOptions = Parameters<PGlite["execProtocolRawStream"]>[1];

// Frontend messages of the extended query protocol: Parse, Bind, Describe, Execute, Close, Flush.
const EXTENDED_MESSAGES = new Set([..."PBDECH"].map((letter) => letter.charCodeAt(0)));
const SYNC = new Uint8Array(["S".charCodeAt(0), 0, 0, 0, 4]);
const QUERY = "Q".charCodeAt(0);

/**
 * PGlite has one session, and its socket server passes on single protocol messages in the order of
 * their arrival; only inside a transaction block does it stay with one client. Two clients that
 * send Parse, Bind and Execute at once would execute each other's portals, and an error would
 * swallow the other client's messages up to the next Sync. Here a turn lasts until Sync, too.
 */
class TurnTakingPGlite extends PGlite {
  #awaitsSync = false;

  override isInTransaction(): boolean {
    return this.#awaitsSync || super.isInTransaction();
  }

  override async execProtocolRawStream(message: Uint8Array, options: ProtocolOptions) {
    const kind = message[0] ?? 0;
    if (kind === QUERY && isCopyFromStdin(message)) {
      // The engine would wait for the rows for ever, and with it every other client.
      const query = `do $$ begin raise exception using errcode = 'feature_not_supported', ` +
        `message = 'The embedded engine cannot copy from standard input'; end $$`;
      return await super.execProtocolRawStream(queryMessage(query), options);
    }
    this.#awaitsSync = EXTENDED_MESSAGES.has(kind);
    await super.execProtocolRawStream(message, options);
  }

  /** The socket server rolls back by this for a client that left in the middle of its turn. */
  override async exec(...args: Parameters<PGlite["exec"]>) {
    // After an error the session ignores everything up to Sync, which that client never sent.
    if (this.#awaitsSync) await this.execProtocolRaw(SYNC);
    this.#awaitsSync = false;
    return await super.exec(...args);
  }
}

function isCopyFromStdin(message: Uint8Array): boolean {
  const start = new TextDecoder().decode(message.subarray(5, 2000));
  return /^\s*copy\s[^;]*\sfrom\s+stdin\b/i.test(start);
}

function queryMessage(query: string): Uint8Array {
  const text = new TextEncoder().encode(query + "\0");
  const message = new Uint8Array(5 + text.length);
  message[0] = QUERY;
  new DataView(message.buffer).setInt32(1, 4 + text.length);
  message.set(text, 5);
  return message;
}

/**
 * Starts an engine on an ephemeral loopback port. The caller sees to it that no other process has
 * the same data folder open (see `db/database.ts`).
 *
 * @param source Where the data lies; neither of both means an empty database in memory.
 */
export async function startEngine(
  source: { dataDir?: string; snapshot?: Blob } = {},
): Promise<Engine> {
  const options: PGliteOptions = {
    // One session serves all connections, so what `connect` asks for has to be its default.
    startParams: [...PGlite.defaultStartParams, "-c", "search_path=", "-c", "TimeZone=UTC"],
  };
  if (source.dataDir) options.dataDir = source.dataDir;
  if (source.snapshot) options.loadDataDir = source.snapshot;
  const db = new TurnTakingPGlite(options);
  await db.waitReady;

  const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0, maxConnections: 100 });
  await server.start();
  return {
    url: `postgres://postgres@${server.getServerConn()}/postgres?sslmode=disable`,
    snapshot: () => db.dumpDataDir("none"),
    async close() {
      await server.stop();
      await db.close();
    },
  };
}
