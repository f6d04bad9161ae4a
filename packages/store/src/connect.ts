import { MillraceError } from "@millrace/core";
import { type ClientConfig, Pool, type PoolConfig } from "pg";
import { isConnectionLoss } from "./connection-loss.ts";
import type { EmbeddedConnection } from "./embedded/server.ts";
import { type Listener, type ListenerOptions, startListener } from "./listener.ts";
import { valueTypes } from "./value-types.ts";

/** A PostgreSQL server: by address, or embedded. */
export type DatabaseTarget = { readonly databaseUrl: string } | EmbeddedConnection;

export interface ConnectOptions {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections of the engine: its flush, loads, leases. Default 4. */
  readonly engineConnectionsMax?: number;
  /** Connections of the API. Default 8. */
  readonly apiConnectionsMax?: number;
  /** A connection failed while nobody used it; it is replaced by itself. */
  readonly onIdleError?: (error: Error) => void;
}

/** Connections of one process to its database. */
export interface Database {
  /** Pipelined: statements on one connection need not wait for each other's answers. */
  readonly engine: Pool;
  /** Statements end after 15 s, so that no reader can hold the engine up for long. */
  readonly api: Pool;
  /** LISTEN on a connection of its own. */
  listen(options: ListenerOptions): Promise<Listener>;
  /** Ends listeners and pools, and waits. May be called twice. */
  close(): Promise<void>;
}

/**
 * `URL` would refuse an address without a host, which is PostgreSQL's way to name a socket. All before the last `@` may
 * be password, as one may hold `/`, `?` or `@` by mistake.
 */
const urlParts = /^postgres(?:ql)?:\/\/(?:.*@)?([^?]*)/s;

/**
 * Plans of the engine's statements are made once per session, maybe while tables are empty: a sequential scan that was
 * chosen then would stay, as would a join that reads a whole index. As settings of the flush's functions these took 20 µs
 * of each flush.
 */
export const enginePlanning = [
  "enable_seqscan=off",
  "enable_hashjoin=off",
  "enable_mergejoin=off",
  "plan_cache_mode=force_generic_plan",
];
const engineStatementTimeoutMs = 60_000;
const apiStatementTimeoutMs = 15_000;
const connectTimeoutMs = 10_000;
/** A session of PostgreSQL keeps 2 to 12 MB of catalogue and plans; the one that renews the leases stays by itself. */
const sessionIdleMs = 15_000;
/** A transaction that idles this long belongs to a node that hangs: its locks are needed by others. */
const idleInTransactionTimeoutMs = 5_000;

/** Makes the pools; connects nothing yet. Errors of later use are judged with `isConnectionLoss`. */
export function connect(target: DatabaseTarget, options: ConnectOptions): Database {
  const engine = makePool(target, options, {
    max: options.engineConnectionsMax ?? 4,
    statement_timeout: engineStatementTimeoutMs,
    pipeline: true,
    ...sessionConfig(target, options.applicationName, enginePlanning),
  });
  const api = makePool(target, options, {
    max: options.apiConnectionsMax ?? 8,
    statement_timeout: apiStatementTimeoutMs,
  });
  const listeners = new Set<Listener>();
  let closing: Promise<void> | undefined;
  const close = async () => {
    await Promise.all([...listeners].map((listener) => listener.stop()));
    await Promise.all([engine.end(), api.end()]);
  };
  return {
    engine,
    api,
    listen: async (listenerOptions) => {
      const listener = await startListener(sessionConfig(target, options.applicationName), listenerOptions);
      listeners.add(listener);
      return listener;
    },
    close: () => (closing ??= close()),
  };
}

/**
 * Waits for one answer. Throws MILLRACE_DATABASE_UNREACHABLE, or MILLRACE_DATABASE_REFUSED with what the server said;
 * both name the server but no password.
 */
export async function requireDatabase(database: Database, target: DatabaseTarget): Promise<void> {
  try {
    await database.api.query("select 1");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (isConnectionLoss(cause)) {
      throw new MillraceError("MILLRACE_DATABASE_UNREACHABLE", {
        message: `The database at ${describeTarget(target)} does not answer: ${reason}`,
        cause,
      });
    }
    const advice = refusalAdvice[(cause as { readonly code?: string }).code ?? ""];
    throw new MillraceError("MILLRACE_DATABASE_REFUSED", {
      message: `The database at ${describeTarget(target)} refused the connection: ${reason}`,
      ...(advice === undefined ? {} : { advice }),
      cause,
    });
  }
}

const refusalAdvice: { readonly [sqlState: string]: string } = {
  "28P01": "Correct the user and the password in DATABASE_URL.",
  "28000": "Correct the user in DATABASE_URL, or let it in by the server's pg_hba.conf.",
  "3D000": "Make the database with `createdb`, or correct its name in DATABASE_URL.",
  "42501": "Grant the user the right to connect to the database, or correct DATABASE_URL.",
};

/** A target for messages: without user and password. */
export function describeTarget(target: DatabaseTarget): string {
  if (!("databaseUrl" in target)) return target.host;
  const parts = urlParts.exec(target.databaseUrl);
  return parts === null ? "DATABASE_URL (not a PostgreSQL address)" : (parts[1] ?? "");
}

function makePool(target: DatabaseTarget, options: ConnectOptions, config: PoolConfig): Pool {
  const pool = new Pool({
    ...sessionConfig(target, options.applicationName),
    idleTimeoutMillis: sessionIdleMs,
    ...config,
  });
  pool.on("error", (error) => options.onIdleError?.(error));
  // A loss between two statements of a borrowed connection is reported by the next statement.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

function sessionConfig(
  target: DatabaseTarget,
  applicationName: string,
  settings: readonly string[] = [],
): ClientConfig {
  const session = ["search_path=millrace", "timezone=UTC", "jit=off", ...settings].map(
    (setting) => `-c ${setting}`,
  );
  return {
    ...addressOf(target, session.join(" ")),
    application_name: applicationName,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    types: valueTypes(),
  };
}

/** The URL's own `options` would replace ours, so both are put together in it. */
function addressOf(target: DatabaseTarget, sessionOptions: string): ClientConfig {
  if (!("databaseUrl" in target)) {
    return { host: target.host, user: target.user, database: target.database, options: sessionOptions };
  }
  if (!urlParts.test(target.databaseUrl)) {
    throw invalidAddress("is not", "Correct DATABASE_URL, or unset it to use the embedded database.");
  }
  const [address = "", query = ""] = target.databaseUrl.split("?", 2);
  if (!URL.canParse(address.replace("@/", "@socket/").replace(/\/\/(?=\/|$)/, "//socket"))) {
    throw invalidAddress(
      "can't be read as",
      "Encode special characters of its user and password: %40 for @, %2F for /, %3F for ?, %23 for #, %25 for %.",
    );
  }
  const parameters = new URLSearchParams(query);
  const given = parameters.get("options");
  parameters.set("options", given === null ? sessionOptions : `${given} ${sessionOptions}`);
  return { connectionString: `${address}?${parameters.toString()}` };
}

function invalidAddress(what: string, advice: string): MillraceError {
  return new MillraceError("MILLRACE_CONFIG_INVALID", {
    message: `DATABASE_URL ${what} an address like postgresql://user:password@host:5432/database.`,
    advice,
  });
}
