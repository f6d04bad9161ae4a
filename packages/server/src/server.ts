/**
 * One server process: its connections, its engine, its API, its upkeep. It owns their order of coming and going.
 *
 * P1: nothing is served before the engine holds its shards.
 * P2: `stop` takes nothing new, lets the engine hand over, then closes what is left; it ends within seconds.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { assert, MillraceError, runAsksOfPipeline, type SourceConnector } from "@millrace/core";
import { serverSettings, type ServerInfo, type SettingView } from "@millrace/protocol";
import {
  configuredPools,
  connect,
  type Database,
  type DatabaseTarget,
  definitionsChannel,
  deployedProbes,
  deployedSources,
  findDefinition,
  findPipeline,
  endQuarantined,
  findOutputs,
  findRun,
  listAssetDefinitions,
  listEventTypes,
  listDefinitionsWith,
  listWebhooks,
  liveChannel,
  findRunRows,
  migrate,
  openFolderBlobStore,
  openPostgresEngineStore,
  requireDatabase,
  requireSchema,
} from "@millrace/store";
import type { FastifyInstance } from "fastify";
import { systemClock } from "./engine/clock.ts";
import type { DefinitionSource } from "./engine/definitions.ts";
import type { EngineLog } from "./engine/engine-options.ts";
import type { RunArchive } from "./engine/generations.ts";
import { workspaceId } from "./engine/workspace.ts";
import { EngineHost } from "./engine-host.ts";
import { Access, isLoopback } from "./http/access.ts";
import { Activity } from "./http/activity.ts";
import type { ApiContext } from "./http/api-context.ts";
import { makeApp, type Patience } from "./http/app.ts";
import { LiveProgress } from "./http/live-progress.ts";
import { LiveRelay } from "./http/live-relay.ts";
import { LogSink } from "./http/log-sink.ts";
import { Changes } from "./http/preconditions.ts";
import { ParamsCheck } from "./http/params-check.ts";
import { PageFiles } from "./http/page-files.ts";
import type { ProjectSource } from "./http/project-routes.ts";
import { sinceOf } from "./http/run-snapshot.ts";
import { serverInfo } from "./http/server-routes.ts";
import { WebhookBook } from "./http/webhook/webhook-book.ts";
import { WorkerSockets } from "./http/worker-socket.ts";
import { Maintenance } from "./maintenance.ts";

export interface ServerOptions {
  readonly database: DatabaseTarget;
  /** Large values rest here; all servers of one database share it. */
  readonly blobFolder: string;
  /** Beyond loopback `token` and `publicUrl` are needed. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Every request and worker must carry it. */
  readonly token?: string;
  /** The address by which browsers and workers reach the server. */
  readonly publicUrl?: string;
  readonly name: string;
  readonly version: string;
  readonly log: EngineLog;
  /** Runs under way at once on this node. */
  readonly activeRunsMax?: number;
  /** Brings the database to this version's schema first; else it must have it. */
  readonly migrate: boolean;
  /** The environment, from which webhooks take their secrets by name; none when absent. */
  readonly variables?: { readonly [name: string]: string | undefined };
  /** What reads the sources of projects, and what their relative folders are relative to; absent: none is read here. */
  readonly sources?: { readonly connectors: readonly SourceConnector[]; readonly root: string };
  /** The built page; none is served when absent. */
  readonly pageFolder?: string;
  /** How long it waits for slow clients; for tests. */
  readonly patience?: Patience;
  /** Who follows a project's files, on loopback alone; absent: nobody does. */
  readonly project?: ProjectSource;
  /** How long history, logs and artifacts are kept; 30 when absent. */
  readonly retentionDays?: number;
  /** How many requests to the API one address may make in a second. */
  readonly requestsPerSecond?: number;
  /** What it was started with, for people to look at. */
  readonly settings?: readonly SettingView[];
}

const retentionDaysDefault = Number(serverSettings["keep-days"].fallback);
const requestsPerSecondDefault = Number(serverSettings["rate-limit"].fallback);
/** Connections that are lost within this time were lost by one cause. */
const lossesTogetherMs = 5_000;

export interface Server {
  /** With the port that was taken. */
  readonly url: string;
  info(): ServerInfo;
  /** Hands over and ends, within seconds. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a server; resolves when it serves. Throws MILLRACE_CONFIG_INVALID, MILLRACE_DATABASE_UNREACHABLE or _REFUSED,
 * MILLRACE_PORT_TAKEN, and what migrating or requiring the schema throws.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const access = new Access({ host: options.host, token: options.token, publicUrl: options.publicUrl });
  assert(
    options.project === undefined || isLoopback(options.host),
    "a project's code leaves by loopback alone",
  );
  let server: RunningServer | undefined;
  let lossToldAt = Number.NEGATIVE_INFINITY;
  const database = connect(options.database, {
    applicationName: `millrace ${options.name}`.slice(0, 60),
    onIdleError: (error) => {
      // A signal to the whole process group ends the embedded PostgreSQL while we stop.
      if (server?.isStopping) return;
      // A database that ends takes all connections along: one line is enough.
      const now = performance.now();
      if (now - lossToldAt < lossesTogetherMs) return;
      lossToldAt = now;
      options.log.warn({ err: error }, "a database connection was lost while idle");
    },
  });
  try {
    await requireDatabase(database, options.database);
    if (options.migrate) await migrate(database.api, { now: Date.now() });
    const { serverVersion } = await requireSchema(database.api);
    server = new RunningServer({ options, access, database, serverVersion });
    return await server.start();
  } catch (error) {
    await database.close();
    throw error;
  }
}

interface Parts {
  readonly options: ServerOptions;
  readonly access: Access;
  readonly database: Database;
  readonly serverVersion: number;
}

class RunningServer implements Server {
  readonly #parts: Parts;
  #context!: ApiContext;
  #app!: FastifyInstance;
  #sockets!: WorkerSockets;
  #host!: EngineHost;
  #maintenance!: Maintenance;
  #url = "";
  #stopped: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get url(): string {
    return this.#url;
  }

  get isStopping(): boolean {
    return this.#stopped !== undefined;
  }

  info(): ServerInfo {
    return serverInfo(this.#context);
  }

  async start(): Promise<this> {
    const { options, access, database } = this.#parts;
    const blobs = await openFolderBlobStore(options.blobFolder);
    const params = new ParamsCheck();
    this.#host = new EngineHost({
      store: openPostgresEngineStore(database),
      blobs,
      definitions: definitionSource(database),
      archive: runArchive(database),
      clock: systemClock,
      random: Math.random,
      onRunChanged: ({ identity: { id, pipeline } }) => {
        live.runChanged(id);
        activity.changed(pipeline);
      },
      checkParams: (pipeline, given) => params.check(pipeline, given),
      log: options.log,
      name: options.name,
      url: options.publicUrl,
      version: options.version,
      ...(options.activeRunsMax === undefined ? {} : { activeRunsMax: options.activeRunsMax }),
      ...(options.sources === undefined
        ? {}
        : { sources: { ...options.sources, find: () => deployedSources(database, workspaceId) } }),
      probes: () => deployedProbes(database, workspaceId),
      prepare: async (engine) => {
        engine.setConfiguredPools(await configuredPools(database, workspaceId));
        engine.assets.replace(await listAssetDefinitions(database, workspaceId));
        engine.eventTypes.set(await listEventTypes(database, workspaceId));
      },
    });
    const now = (): number => this.#host.running?.now() ?? Date.now();
    const processId = randomUUID();
    const committed = async (): Promise<void> => this.#host.running?.committed();
    const progress = new LiveProgress();
    const logs: LogSink = new LogSink({
      database,
      clock: systemClock,
      log: options.log,
      now,
      onStored: (chunks) => live.chunksStored(chunks),
    });
    const live: LiveRelay = new LiveRelay({
      database,
      clock: systemClock,
      log: options.log,
      logs,
      progress,
      now,
      // One that is between two engines does not know; it is not alone, as a lease was taken from it.
      liveServers: () => this.#host.running?.liveServers ?? 2,
      id: processId,
      committed,
      onActivity: (pipelines) => activity.heard(pipelines),
    });
    const activity: Activity = new Activity({
      clock: systemClock,
      committed,
      isAwaitedElsewhere: () => live.isActivityAwaited,
      tellOthers: (pipelines) => live.tellActivity(pipelines),
    });
    this.#context = {
      changes: new Changes(database),
      processId,
      version: options.version,
      embedded: !("databaseUrl" in options.database),
      databaseVersion: versionText(this.#parts.serverVersion),
      settings: options.settings ?? [],
      retentionDays: options.retentionDays ?? retentionDaysDefault,
      requestsPerSecond: options.requestsPerSecond ?? requestsPerSecondDefault,
      database,
      blobs,
      host: this.#host,
      clock: systemClock,
      log: options.log,
      logs,
      progress,
      live,
      activity,
      params,
      webhooks: new WebhookBook({
        read: () => listWebhooks(database, workspaceId),
        variables: options.variables ?? {},
        publicUrl: options.publicUrl,
        clock: systemClock,
        log: options.log,
      }),
      ...(options.project === undefined ? {} : { project: options.project }),
      definitionsChanged: () => this.#reloadDefinitions(),
    };
    this.#maintenance = new Maintenance({
      database,
      blobs,
      clock: systemClock,
      log: options.log,
      now,
      retentionDays: options.retentionDays ?? retentionDaysDefault,
    });
    const page = options.pageFolder === undefined ? undefined : new PageFiles(options.pageFolder);
    this.#app = makeApp(this.#context, access, { page, patience: options.patience });
    this.#sockets = new WorkerSockets(this.#context, access);
    try {
      await this.#app.ready();
      await this.#requirePort();
      await this.#maintenance.prepare();
      await this.#host.start();
      await database.listen({
        channels: [definitionsChannel, liveChannel],
        onNotification: (channel, payload) => {
          if (channel === liveChannel) this.#context.live.hear(payload);
          else void this.#reloadDefinitions();
        },
        onCatchUp: () => {
          this.#context.live.catchUp();
          void this.#reloadDefinitions();
        },
      });
      await this.#listen();
      this.#maintenance.start();
    } catch (error) {
      await this.#host.stop().catch(() => {});
      await this.#app.close();
      throw error;
    }
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const upkeep = this.#maintenance.stop();
    await this.#host.stop();
    this.#sockets.stop();
    this.#context.live.stop();
    this.#context.activity.stop();
    await this.#context.logs.stop();
    await this.#app.close();
    await upkeep;
    await this.#parts.database.close();
  }

  /** The port is tried before the engine takes shards, so that a second server on one port disturbs nobody. */
  async #requirePort(): Promise<void> {
    const { host, port } = this.#parts.options;
    if (port === 0) return;
    const probe = createServer();
    await new Promise<void>((resolve, reject) => {
      probe.once("error", (error) => reject(listenError(error, host, port)));
      probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
    });
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#parts.options;
    this.#app.server.on("upgrade", (request, socket, head) => this.#sockets.upgrade(request, socket, head));
    this.#app.server.on("connection", (socket) => socket.setNoDelay(true));
    try {
      await this.#app.listen({ host, port });
    } catch (error) {
      throw listenError(error, host, port);
    }
    const address = this.#app.server.address();
    const taken = typeof address === "object" && address ? address.port : port;
    this.#url = `http://${host.includes(":") ? `[${host}]` : host}:${taken}`;
  }

  async #reloadDefinitions(): Promise<void> {
    await this.#context.webhooks.refresh().catch((error: unknown) => {
      this.#tellUnread(error, "the webhooks could not be read");
    });
    const engine = this.#host.running;
    if (!engine) return;
    try {
      // First: what a newly deployed run tells of an asset is judged by what was deployed with it.
      engine.assets.replace(await listAssetDefinitions(this.#parts.database, workspaceId));
    } catch (error) {
      this.#tellUnread(error, "the assets could not be read");
    }
    engine.definitions.forgetActive();
    void engine.sources.refresh();
    void engine.probes.refresh();
    try {
      engine.setConfiguredPools(await configuredPools(this.#parts.database, workspaceId));
    } catch (error) {
      this.#tellUnread(error, "the pools could not be read");
    }
    try {
      engine.eventTypes.set(await listEventTypes(this.#parts.database, workspaceId));
    } catch (error) {
      this.#tellUnread(error, "the declared event types could not be read");
    }
    try {
      await engine.asks.refresh();
    } catch (error) {
      this.#tellUnread(error, "what triggers ask for could not be read");
    }
  }

  /** A server that stops closes its connections while it reads. */
  #tellUnread(error: unknown, message: string): void {
    if (!this.isStopping) this.#parts.options.log.warn({ err: error }, message);
  }
}

function runArchive(database: Database): RunArchive {
  return {
    findRun: async (id) => {
      const found = await findRun(database, workspaceId, id, sinceOf(id));
      return found.live ?? found.ended[0];
    },
    findRunRows: (id) => findRunRows(database, workspaceId, id, sinceOf(id)),
    findOutputs: (id, names) => findOutputs(database, workspaceId, id, { since: sinceOf(id), names }),
    endQuarantined: (id, end) => endQuarantined(database, workspaceId, id, end),
  };
}

function definitionSource(database: Database): DefinitionSource {
  return {
    findActive: async (workspace, name) => {
      const row = await findPipeline(database, workspace, name);
      return row && !row.retired
        ? { project: row.project, bundle: row.bundle, paused: row.paused, definition: row.definition }
        : undefined;
    },
    definitionOf: (workspace, bundle, name) => findDefinition(database, workspace, bundle, name),
    runAsks: async (workspace) => {
      const definitions = await listDefinitionsWith(database, workspace, '"millrace.');
      return definitions.flatMap(runAsksOfPipeline);
    },
  };
}

function listenError(error: unknown, host: string, port: number): unknown {
  if (!(error instanceof Error && "syscall" in error && "code" in error)) return error;
  if (error.code !== "EADDRINUSE") {
    return new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `Can't listen on ${host}:${port}: ${error.message}.`,
      advice: "Choose an address of this machine and a port that this user may open.",
      fields: { host, port },
      cause: error,
    });
  }
  return new MillraceError("MILLRACE_PORT_TAKEN", {
    message: `Another program listens on ${host}:${port}.`,
    fields: { host, port },
    cause: error,
  });
}

/** 180004 is 18.4, 150017 is 15.17. */
function versionText(serverVersion: number): string {
  return `${Math.floor(serverVersion / 10_000)}.${serverVersion % 10_000}`;
}
