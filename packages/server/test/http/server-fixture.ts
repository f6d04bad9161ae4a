/** A real server on a database of its own, an HTTP client for it, and a worker whose answers the test gives. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, noRetry, type NodeDefinition, type PipelineDefinition } from "@millrace/core";
import type {
  AttemptOutcome,
  Dispatch,
  Hello,
  RunDetail,
  RunSummary,
  ServerMessage,
  WorkerMessage,
} from "@millrace/protocol";
import { reusedDatabase, testDatabase, type TestDatabase } from "@millrace/testkit";
import { WebSocket } from "ws";
import { startServer, type Server, type ServerOptions } from "../../src/server.ts";
import { requireToldAnswer } from "./told-answer.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of all shapes
  readonly body: any;
}

async function callServer(
  server: Server,
  method: string,
  path: string,
  { body, headers }: { readonly body?: unknown; readonly headers?: object | undefined },
): Promise<Answer> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = text !== "" && /json/.test(response.headers.get("content-type") ?? "");
  const answer = {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
  requireToldAnswer(method, path, answer);
  return answer;
}

// oxlint-disable-next-line typescript/no-explicit-any -- events of all kinds
async function* eventsOf(server: Server, id: string, query = ""): AsyncGenerator<any> {
  yield* eventsAt(server, `/runs/${id}/events${query}`);
}

/** Data of server-sent events, as JSON. */
// oxlint-disable-next-line typescript/no-explicit-any -- events of all kinds
export async function* eventsAt(server: Server, path: string, headers: object = {}): AsyncGenerator<any> {
  const response = await fetch(`${server.url}/api/v1${path}`, { headers: { ...headers } });
  if (!response.ok || !response.body) throw new Error(`events were answered with ${response.status}`);
  let text = "";
  const decoder = new TextDecoder();
  for await (const part of response.body) {
    text += decoder.decode(part, { stream: true });
    for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
      const block = text.slice(0, at);
      text = text.slice(at + 2);
      const data = block.split("\n").find((line) => line.startsWith("data: "));
      if (data !== undefined) yield JSON.parse(data.slice(6));
    }
  }
}

export class ServerFixture implements AsyncDisposable {
  readonly server: Server;
  readonly database: TestDatabase;
  readonly logged: string[];
  readonly #folder: string;
  readonly #workers: HandWorker[] = [];

  constructor(server: Server, parts: { database: TestDatabase; logged: string[]; folder: string }) {
    this.server = server;
    this.database = parts.database;
    this.logged = parts.logged;
    this.#folder = parts.folder;
  }

  call(method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
    return callServer(this.server, method, path, { body, headers });
  }

  /** Uploads code that nobody runs and deploys these pipelines with it. */
  async deploy(pipelines: readonly PipelineDefinition[], parts: object = {}): Promise<Answer> {
    const bundle = bundleOf("test", `// ${JSON.stringify(pipelines)}`);
    await this.call("PUT", `/bundles/${bundle.manifest.hash}`, bundle);
    const definition = { project: "test", pipelines, pools: {}, queues: [], ...parts };
    return this.call("POST", "/deployments", { bundle: bundle.manifest.hash, definition });
  }

  async start(pipeline: string, rest: object = {}): Promise<RunSummary> {
    const answer = await this.call("POST", "/runs", { pipeline, ...rest });
    if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
    return answer.body.run as RunSummary;
  }

  /** The run once it has ended, as its event stream tells. */
  async ended(id: string): Promise<RunDetail> {
    let last = "";
    for await (const event of this.events(id)) last = event.kind;
    if (last !== "end") throw new Error(`the events of ${id} ended with ${last}`);
    return (await this.call("GET", `/runs/${id}`)).body as RunDetail;
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- events of all kinds
  events(id: string, query = ""): AsyncGenerator<any> {
    return eventsOf(this.server, id, query);
  }

  async worker(options: WorkerOptions = {}): Promise<HandWorker> {
    const worker = await HandWorker.connect(this.server.url, options);
    this.#workers.push(worker);
    return worker;
  }

  /** A second server on the same database and blobs. It must be disposed of before this one. */
  async anotherServer(
    options: Partial<ServerOptions> = {},
  ): Promise<AsyncDisposable & Pick<ServerFixture, "call" | "events" | "server">> {
    const parts = { folder: this.#folder, logged: this.logged };
    const server = await startFixtureServer(this.database, parts, options);
    return {
      server,
      events: (id, query) => eventsOf(server, id, query),
      call: (method, path, body, headers) => callServer(server, method, path, { body, headers }),
      [Symbol.asyncDispose]: () => server.stop(),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.#workers) worker.socket.terminate();
    await this.server.stop();
    await this.database.drop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export async function startFixture(options: Partial<ServerOptions> = {}): Promise<ServerFixture> {
  return startFixtureOn(await reusedDatabase(), options);
}

/** On a database that was never used, for tests that change its tables or end it. */
export async function startFreshFixture(options: Partial<ServerOptions> = {}): Promise<ServerFixture> {
  return startFixtureOn(await testDatabase(), options);
}

async function startFixtureOn(
  database: TestDatabase,
  options: Partial<ServerOptions>,
): Promise<ServerFixture> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-server-"));
  const logged: string[] = [];
  const server = await startFixtureServer(database, { folder, logged }, options);
  return new ServerFixture(server, { database, logged, folder });
}

function startFixtureServer(
  database: TestDatabase,
  { folder, logged }: { readonly folder: string; readonly logged: string[] },
  options: Partial<ServerOptions> = {},
): Promise<Server> {
  const note = (fields: object, message: string): void => {
    const { err } = fields as { err?: unknown };
    logged.push(err instanceof Error ? `${message}: ${err.stack}` : message);
  };
  return startServer({
    database: database.connection,
    blobFolder: join(folder, "blobs"),
    host: "127.0.0.1",
    port: 0,
    name: "test",
    version: "0.1.0",
    log: { info: note, warn: note, error: note },
    migrate: true,
    ...options,
  });
}

export interface WorkerOptions {
  readonly hello?: Partial<Hello>;
  readonly token?: string;
  /** What each dispatch is answered with; without it the test answers itself. */
  readonly answer?: (dispatch: Dispatch) => AttemptOutcome | undefined;
}

export class HandWorker {
  readonly socket: WebSocket;
  readonly received: ServerMessage[] = [];
  readonly #answer: WorkerOptions["answer"];
  #wake: (() => void)[] = [];

  private constructor(socket: WebSocket, answer: WorkerOptions["answer"]) {
    this.socket = socket;
    this.#answer = answer;
    socket.on("message", (data: Buffer) => this.#receive(JSON.parse(data.toString()) as ServerMessage));
  }

  static async connect(url: string, options: WorkerOptions): Promise<HandWorker> {
    const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/worker`, {
      headers: options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
    });
    const worker = new HandWorker(socket, options.answer);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    worker.send({
      kind: "hello",
      protocol: 1,
      workerId: "w1",
      name: "hand",
      version: "0.1.0",
      queues: ["default"],
      slots: 10,
      labels: {},
      platform: "any",
      running: [],
      ...options.hello,
    });
    await worker.find((message) => message.kind === "welcome" || message.kind === "goodbye");
    return worker;
  }

  send(message: WorkerMessage): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The first message of this kind, also one that has come. */
  async find(wanted: (message: ServerMessage) => boolean): Promise<ServerMessage> {
    for (;;) {
      const found = this.received.find(wanted);
      if (found) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** The first dispatch of a node. */
  async dispatch(node: string, generation = 1): Promise<Dispatch> {
    for (;;) {
      for (const message of this.received) {
        if (message.kind !== "dispatches") continue;
        const found = message.dispatches.find(
          ({ token }) => token.node === node && token.generation === generation,
        );
        if (found) return found;
      }
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  finish(dispatch: Dispatch, outcome: AttemptOutcome = succeeded(null)): void {
    this.send({
      kind: "results",
      results: [{ token: dispatch.token, outcome, times: { startedAt: 1, endedAt: 2 } }],
    });
  }

  #receive(message: ServerMessage): void {
    this.received.push(message);
    for (const wake of this.#wake.splice(0)) wake();
    if (message.kind !== "dispatches" || !this.#answer) return;
    for (const dispatch of message.dispatches) {
      const outcome = this.#answer(dispatch);
      if (outcome) this.finish(dispatch, outcome);
    }
  }
}

export function succeeded(value: null | number | string | object): AttemptOutcome {
  return { kind: "succeeded", output: { value: value as never } };
}

export const failed: AttemptOutcome = { kind: "failed", error: { name: "Error", message: "it broke" } };

export function node(id: string, parts: Partial<NodeDefinition> = {}): NodeDefinition {
  return {
    id,
    kind: "task",
    name: id,
    input: { kind: "value", value: null },
    after: [],
    rule: "all_success",
    options: { retry: noRetry, priority: 0, queue: "default", env: [], connections: [] },
    ...parts,
  };
}

/** A node whose input is another one's output. */
export function reads(id: string, parent: string): NodeDefinition {
  return node(id, { input: { kind: "output", node: parent, path: [] } });
}

export function pipeline(
  name: string,
  nodes: readonly NodeDefinition[],
  parts: Partial<PipelineDefinition> = {},
): PipelineDefinition {
  return { name, tags: [], paused: false, nodes, regions: [], ...parts };
}

export function bundleOf(
  project: string,
  code: string,
  map = "{}",
): { manifest: { hash: string }; code: string; map: string } {
  const content = {
    formatVersion: 1,
    project,
    codeHash: sha256(code),
    mapHash: sha256(map),
    codeBytes: Buffer.byteLength(code),
    externals: {},
    platform: "any",
    nodeMajor: 24,
    projectRoot: "",
  };
  return { manifest: { hash: sha256(canonicalJson(content)), ...content }, code, map };
}

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
