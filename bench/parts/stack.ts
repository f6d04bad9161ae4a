/** The real parts of a benchmark: an embedded PostgreSQL, servers and workers as processes of their own. */
import type { EventTypeDefinition } from "@millrace/core";
import { chmod, mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type EmbeddedConnection } from "@millrace/store";
import { Api } from "./api.ts";
import { benchBundle } from "./bundle.ts";
import { startChild, type Child } from "./child.ts";
import type { DatabaseStarted } from "./database-process.ts";

export interface Durability {
  readonly fsync: string;
  readonly synchronousCommit: string;
}

export interface Versions {
  readonly node: string;
  readonly postgres: string;
  readonly millrace: string;
}

/** Its keeper ends it, also when the benchmark is killed. */
export interface BenchDatabase {
  readonly connection: EmbeddedConnection;
  readonly version: string;
  /** The process id of its first process. */
  pid(): number;
}

export interface ServerChild extends Child {
  readonly name: string;
  readonly url: string;
  readonly api: Api;
}

export interface ServerMore {
  /** It reads sources, whose relative folders are below. */
  readonly sourceRoot?: string;
  readonly options?: {
    readonly port?: number;
    readonly pageFolder?: string;
    readonly retentionDays?: number;
  };
}

export type WorkerKind = "real" | "stub";

export const version = "0.1.0";
export const realIsolation = "warm child process, one attempt at a time";
/** What a worker with two cores would choose: a child per slot. */
const realSlots = Number(process.env["BENCH_SLOTS"] ?? 2);
const stubSlots = 512;

export class Stack implements AsyncDisposable {
  readonly folder: string;
  readonly postgres: BenchDatabase;
  readonly children: Child[] = [];
  readonly #keeper: Child;

  private constructor(folder: string, postgres: BenchDatabase, keeper: Child) {
    this.folder = folder;
    this.postgres = postgres;
    this.#keeper = keeper;
  }

  /** In a folder that stays if it is named. */
  static async start(kept?: string): Promise<Stack> {
    const folder = kept ?? (await mkdtemp(join(tmpdir(), "millrace-bench-")));
    await mkdir(folder, { recursive: true });
    // Passable for the user that runs PostgreSQL in root's place: else its data would outlive this folder elsewhere.
    await chmod(folder, 0o711);
    const keeper = startChild(new URL("./database-process.ts", import.meta.url));
    const {
      connection,
      version: postgres,
      pid,
    } = await keeper.ask<DatabaseStarted>({ kind: "start", folder, keep: kept !== undefined });
    return new Stack(folder, { connection, version: postgres, pid: () => pid }, keeper);
  }

  async startServer(more: ServerMore = {}): Promise<ServerChild> {
    const child = startChild(new URL("./server-process.ts", import.meta.url), {
      arguments: ["--expose-gc", ...profiling("server")],
    });
    this.children.push(child);
    const name = `bench-${this.children.length}`;
    const url = await child.ask<string>({
      kind: "start",
      ...(more.sourceRoot === undefined ? {} : { sourceRoot: more.sourceRoot }),
      options: {
        database: this.postgres.connection,
        blobFolder: join(this.folder, "blobs"),
        host: "127.0.0.1",
        port: 0,
        name,
        version,
        migrate: true,
        ...more.options,
      },
    });
    return Object.assign(child, { name, url, api: new Api(url) });
  }

  async deploy(server: ServerChild, eventTypes: readonly EventTypeDefinition[] = []): Promise<void> {
    const { upload, definition } = await benchBundle();
    const { hash } = upload.manifest;
    await server.api.send("PUT", `/bundles/${hash}`, upload);
    await server.api.send("POST", "/deployments", {
      bundle: hash,
      definition: { ...definition, eventTypes },
    });
  }

  async startWorker(
    server: ServerChild,
    kind: WorkerKind,
    environment: { readonly [name: string]: string } = {},
  ): Promise<Child> {
    const file = kind === "real" ? "./worker-process.ts" : "./stub-worker.ts";
    const child = startChild(new URL(file, import.meta.url), {
      arguments: profiling(kind),
      environment,
    });
    this.children.push(child);
    const { url } = server;
    await child.ask(
      kind === "real"
        ? {
            kind: "start",
            options: { url, slots: realSlots, cacheFolder: join(this.folder, "cache"), version },
          }
        : { kind: "start", url, slots: stubSlots },
    );
    return child;
  }

  /** One server, the pipelines deployed, one worker. */
  async startAll(kind: WorkerKind): Promise<{ readonly server: ServerChild; readonly worker: Child }> {
    const server = await this.startServer();
    await this.deploy(server);
    return { server, worker: await this.startWorker(server, kind) };
  }

  query<Row extends object>(text: string): Promise<Row[]> {
    return query<Row>(this.postgres.connection, text);
  }

  durability(): Promise<Durability> {
    return durabilityOf(this.postgres.connection);
  }

  versions(): Versions {
    return { node: process.versions.node, postgres: this.postgres.version, millrace: version };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.children.toReversed()) await child.stop();
    // Its folder goes with it.
    await this.#keeper.stop();
  }
}

/** As the server says, not as we set it. */
export async function durabilityOf(connection: EmbeddedConnection): Promise<Durability> {
  const [row] = await query<Durability>(
    connection,
    `select current_setting('fsync') as "fsync", current_setting('synchronous_commit') as "synchronousCommit"`,
  );
  return row!;
}

export async function query<Row extends object>(
  connection: EmbeddedConnection,
  text: string,
): Promise<Row[]> {
  const database = connect(connection, { applicationName: "bench" });
  try {
    return (await database.api.query<Row>(text)).rows;
  } finally {
    await database.close();
  }
}

/** `BENCH_CPU_PROFILE=folder` leaves a profile of each process there. */
function profiling(name: string): string[] {
  const folder = process.env["BENCH_CPU_PROFILE"];
  if (folder === undefined) return [];
  return ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`];
}
