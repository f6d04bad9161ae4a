/**
 * The PostgreSQL server of one test run. The run's set-up starts it in the background, so that suites without a
 * database don't wait; `ready.json` in the run's folder tells the test processes where it is, or why it is not.
 */
import { randomUUID } from "node:crypto";
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type EmbeddedConnection, migrate, startEmbedded } from "@millrace/store";
import { Client } from "pg";
import { debianServerFolder, startDebianServer } from "./debian-server.ts";

/** Where test processes look for the run's folder. */
export const testRunVariable = "MILLRACE_TEST_RUN";
/** Set to anything: tests run on Debian's PostgreSQL 15 instead of the embedded 18. */
export const debianVariable = "MILLRACE_TEST_PG15";

export const templateDatabase = "millrace_template";

/** The run's databases need not survive a power failure; making and dropping one is several times faster. */
const fleeting = { fsync: "off" } as const;

type Readiness =
  | { readonly kind: "ready"; readonly connection: EmbeddedConnection }
  | { readonly kind: "failed"; readonly message: string };

/** A server with a migrated template database. */
export interface TestServer {
  readonly folder: string;
  stop(): Promise<void>;
}

/** Starts the run's server in the background. `stop` waits for its start, then ends it and removes the folder. */
export async function startTestServer(): Promise<TestServer> {
  const folder = await mkdtemp("/tmp/millrace-test-");
  // Passable, so that root's server can have its data in it.
  await chmod(folder, 0o711);
  const started = start(folder).then(
    async (server) => {
      await announce(folder, { kind: "ready", connection: server.connection });
      return server;
    },
    async (error: unknown) => {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      await announce(folder, { kind: "failed", message });
      return undefined;
    },
  );
  return {
    folder,
    stop: async () => {
      await (await started)?.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until the run's server is there. */
export async function awaitTestServer(folder: string, timeoutMs = 60_000): Promise<EmbeddedConnection> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    const text = await readFile(join(folder, "ready.json"), "utf8").catch(() => undefined);
    if (text === undefined) {
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
      continue;
    }
    const readiness = JSON.parse(text) as Readiness;
    if (readiness.kind === "ready") return readiness.connection;
    throw new Error(`the test run's PostgreSQL did not start: ${readiness.message}`);
  }
  throw new Error(`the test run's PostgreSQL was not there after ${timeoutMs} ms`);
}

interface Started {
  readonly connection: EmbeddedConnection;
  stop(): Promise<void>;
}

async function start(folder: string): Promise<Started> {
  const server = await (process.env[debianVariable] === undefined
    ? startEmbedded({ folder: join(folder, "state"), settings: fleeting })
    : startDebianServer(folder, debianServerFolder));
  try {
    await makeTemplate(server.connection);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

async function makeTemplate(connection: EmbeddedConnection): Promise<void> {
  await query(connection, `create database ${templateDatabase}`);
  const client = new Client({ ...connection, database: templateDatabase });
  await client.connect();
  try {
    await migrate(client, { now: Date.now() });
  } finally {
    await client.end();
  }
}

/** One statement on a connection of its own. */
export async function query(connection: EmbeddedConnection, text: string): Promise<void> {
  const client = new Client({ ...connection });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

async function announce(folder: string, readiness: Readiness): Promise<void> {
  const draft = join(folder, `ready-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(readiness));
  await rename(draft, join(folder, "ready.json"));
}
