/** A server in this process, on the embedded PostgreSQL of a state folder or on DATABASE_URL. */
import { join } from "node:path";
import { errorCodeOf } from "@millrace/core";
import type { SettingView } from "@millrace/protocol";
import type { ProjectSource, ServerOptions } from "@millrace/server";
import {
  claimStateFolder,
  startEmbedded,
  type DatabaseTarget,
  type EmbeddedServer,
  type StateFolderClaim,
} from "@millrace/store";

export interface LocalServerOptions {
  readonly stateFolder: string;
  readonly databaseUrl: string | undefined;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly token: string | undefined;
  readonly publicUrl: string | undefined;
  readonly version: string;
  /** Several servers may share a state folder when DATABASE_URL is set: only the first is found through it. */
  readonly shareFolder: boolean;
  /** Where webhooks find their secrets. */
  readonly variables: { readonly [name: string]: string | undefined };
  /** What relative folders of sources are relative to; absent: it reads no sources. */
  readonly sourceRoot?: string;
  /** Absent: the server's default. */
  readonly retentionDays?: number;
  readonly requestsPerSecond?: number;
  /** The built page; it serves none when absent. */
  readonly pageFolder?: string;
  /** As they are in effect, for people to look at. */
  readonly settings?: readonly SettingView[];
  /** Who follows a project's files, of which the page tells. */
  readonly project?: ProjectSource;
  readonly onNote: (message: string) => void;
}

export interface LocalServer {
  readonly url: string;
  readonly stateFolder: string;
  /** `PostgreSQL 18.4, embedded`, or where it is. */
  readonly database: string;
  stop(): Promise<void>;
}

export async function startLocalServer(options: LocalServerOptions): Promise<LocalServer> {
  // The server's code is read while PostgreSQL starts: before, its reading would hold the start up.
  const code = lazily(() => import("@millrace/server"));
  const sources = lazily(() => loadSources(options.sourceRoot));
  const load = (): void => {
    code().catch(() => undefined);
    sources().catch(() => undefined);
  };
  const claim = await claimUnlessShared(options);
  let embedded: EmbeddedServer | undefined;
  try {
    if (options.databaseUrl === undefined && claim) {
      embedded = await startEmbedded({ folder: claim.folder, claim, log: options.onNote, onSpawn: load });
    }
    const database = embedded?.connection ?? { databaseUrl: options.databaseUrl ?? "" };
    const { boundProcessMemory, startServer } = await code();
    const stateFolder = claim?.folder ?? options.stateFolder;
    const server = await startServer({
      ...serverOptions(options, database),
      ...(await sources()),
      blobFolder: join(stateFolder, "blobs"),
    });
    await claim?.publish({ url: server.url });
    const memory = boundProcessMemory();
    return {
      url: server.url,
      stateFolder,
      database: embedded
        ? `PostgreSQL ${embedded.version}, embedded${embedded.adopted ? ", taken over" : ""}`
        : describeDatabase(options.databaseUrl ?? ""),
      stop: async () => {
        memory.stop();
        try {
          await server.stop();
        } finally {
          await embedded?.stop();
          await claim?.release();
        }
      },
    };
  } catch (error) {
    await embedded?.stop();
    await claim?.release();
    throw error;
  }
}

function lazily<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
}

function serverOptions(options: LocalServerOptions, database: DatabaseTarget) {
  const {
    host,
    port,
    token,
    publicUrl,
    version,
    variables,
    retentionDays,
    requestsPerSecond,
    pageFolder,
    settings,
    project,
  } = options;
  return {
    database,
    host,
    port,
    name: `${process.pid}`,
    version,
    migrate: true,
    variables,
    log: logOf(options.onNote),
    ...(token === undefined ? {} : { token }),
    ...(publicUrl === undefined ? {} : { publicUrl }),
    ...(retentionDays === undefined ? {} : { retentionDays }),
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
    ...(pageFolder === undefined ? {} : { pageFolder }),
    ...(settings === undefined ? {} : { settings }),
    ...(project === undefined ? {} : { project }),
  };
}

async function loadSources(root: string | undefined): Promise<Pick<ServerOptions, "sources">> {
  if (root === undefined) return {};
  const { filesConnector } = await import("@millrace/connectors/files");
  return { sources: { connectors: [filesConnector()], root } };
}

/** What operators should know; the rest is for who debugs the server. */
function logOf(onNote: (message: string) => void) {
  const tell = (fields: object, message: string): void => {
    const { err } = fields as { err?: unknown };
    onNote(err instanceof Error ? `${message}: ${err.message}` : message);
  };
  return { info: () => undefined, warn: tell, error: tell };
}

async function claimUnlessShared(options: LocalServerOptions): Promise<StateFolderClaim | undefined> {
  try {
    return await claimStateFolder(options.stateFolder);
  } catch (error) {
    const mayShare = options.shareFolder && options.databaseUrl !== undefined;
    if (mayShare && errorCodeOf(error) === "MILLRACE_STATE_IN_USE") return undefined;
    throw error;
  }
}

function describeDatabase(databaseUrl: string): string {
  const url = URL.parse(databaseUrl);
  return url === null ? "DATABASE_URL" : `PostgreSQL at ${url.host || "the default host"}${url.pathname}`;
}
