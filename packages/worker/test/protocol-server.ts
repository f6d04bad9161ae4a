/** The server's side of the worker protocol, driven by hand: HTTP for bundles and blobs, one WebSocket at a time. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { canonicalJson, type CloudEvent } from "@millrace/core";
import type {
  AttemptOutcome,
  BundleManifest,
  BundleUpload,
  CarriedValue,
  Dispatch,
  DispatchToken,
  Hello,
  LogLine,
  RecordedOutcome,
  ServerMessage,
  StepName,
  StepRecord,
  Steps,
  WorkerMessage,
} from "@millrace/protocol";
import { tokenKey } from "@millrace/protocol";
import { WebSocketServer, type WebSocket } from "ws";

type Waiter = { readonly test: (message: WorkerMessage) => boolean; readonly resolve: () => void };

export class ProtocolServer {
  readonly bundles = new Map<string, BundleUpload>();
  readonly blobs = new Map<string, Buffer>();
  /** Events that were to be recorded at once, and what the next ones are refused with. */
  readonly emitted: CloudEvent[] = [];
  /** Members of firings, of which a page holds two. */
  members: { readonly operand: string; readonly value: object }[] = [];
  refusesEvents: { readonly status: number; readonly code: string }[] = [];
  /** What the next blobs that are sent are refused with. */
  readonly refusals: string[] = [];
  readonly received: WorkerMessage[] = [];
  readonly requests: string[] = [];
  readonly hellos: Hello[] = [];
  /** Welcomes whoever says hello. */
  welcomes = true;
  /** Acknowledge results as they come. */
  acknowledges = true;
  /** Record steps as they come, and say so. */
  records = true;
  leaseMs = 5_000;
  heartbeatMs = 1_000;
  revoked: DispatchToken[] = [];
  /** Answers upgrade requests; off, connections are refused. */
  accepts = true;
  /** Knows no token: upgrade requests are answered with 401. */
  knowsNobody = false;
  socket: WebSocket | undefined;
  readonly #recorded = new Map<string, StepRecord[]>();
  readonly #http: Server;
  readonly #waiters: Waiter[] = [];

  private constructor(http: Server) {
    this.#http = http;
  }

  static async start(): Promise<ProtocolServer> {
    const http = createServer();
    const server = new ProtocolServer(http);
    const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    http.on("request", (request, response) => void server.#answer(request, response));
    http.on("upgrade", (request, socket, head) => {
      if (!server.accepts) {
        socket.destroy();
        return;
      }
      if (server.knowsNobody) {
        socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        return;
      }
      server.requests.push(`UPGRADE ${request.url} ${request.headers.authorization ?? ""}`);
      sockets.handleUpgrade(request, socket, head, (accepted) => server.#open(accepted));
    });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.socket?.terminate();
    this.#http.closeAllConnections();
    this.#http.close();
    await once(this.#http, "close");
  }

  send(message: ServerMessage): void {
    this.socket?.send(JSON.stringify(message));
  }

  /** The next message that passes, counting those that have come. */
  async until<Kind extends WorkerMessage["kind"]>(
    kind: Kind,
    test: (message: Extract<WorkerMessage, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<WorkerMessage, { kind: Kind }>> {
    type Wanted = Extract<WorkerMessage, { kind: Kind }>;
    const matches = (message: WorkerMessage): boolean => message.kind === kind && test(message as Wanted);
    const known = this.received.find(matches);
    if (known) return known as Wanted;
    await new Promise<void>((resolve) => this.#waiters.push({ test: matches, resolve }));
    return this.received.find(matches) as Wanted;
  }

  async outcome(token: DispatchToken): Promise<AttemptOutcome> {
    const key = tokenKey(token);
    const frame = await this.until("results", (message) =>
      message.results.some((one) => tokenKey(one.token) === key),
    );
    const found = frame.results.find((one) => tokenKey(one.token) === key);
    if (!found) throw new Error("no such result");
    return found.outcome;
  }

  /** The attempt's log as the server would store it: by position, repeats recognised. */
  log(token: DispatchToken): LogLine[] {
    const lines: LogLine[] = [];
    for (const message of this.received) {
      if (message.kind !== "logs" || tokenKey(message.token) !== tokenKey(token)) continue;
      for (const [offset, line] of message.lines.entries()) lines[message.from + offset] = line;
    }
    return lines;
  }

  /** What the task run of `token` has recorded, in the order of commit. */
  recordsOf(token: DispatchToken): readonly StepRecord[] {
    return this.#recorded.get(taskRunKey(token)) ?? [];
  }

  /** Appends a record; a repeat changes nothing. */
  record(token: DispatchToken, kind: StepRecord["kind"], step: StepName, outcome: RecordedOutcome): void {
    const records = this.#recorded.get(taskRunKey(token)) ?? [];
    this.#recorded.set(taskRunKey(token), records);
    const { name, occurrence } = step;
    if (records.some((one) => one.name === name && one.occurrence === occurrence)) return;
    records.push({ seq: records.length + 1, kind, name, occurrence, outcome });
  }

  /** Records what came with `steps`, and says so. */
  take({ token, steps }: Steps): void {
    for (const step of steps) this.record(token, "step", step, step.outcome);
    this.send({
      kind: "recorded",
      token,
      steps: steps.map(({ name, occurrence }) => ({ name, occurrence })),
    });
  }

  /** Stores a bundle made from a module's text. */
  addBundle(code: string, more: Partial<BundleManifest> = {}): string {
    const map = JSON.stringify({ version: 3, sources: [], names: [], mappings: "" });
    const rest: Omit<BundleManifest, "hash"> = {
      formatVersion: 1,
      project: "test",
      codeHash: sha256(code),
      mapHash: sha256(map),
      codeBytes: Buffer.byteLength(code),
      externals: {},
      platform: "any",
      nodeMajor: 24,
      projectRoot: "",
      ...more,
    };
    const hash = sha256(canonicalJson(rest));
    this.bundles.set(hash, { manifest: { hash, ...rest }, code, map });
    return hash;
  }

  addBlob(bytes: Buffer): CarriedValue {
    const blob = sha256(bytes);
    this.blobs.set(blob, bytes);
    return { blob, bytes: bytes.length };
  }

  #open(socket: WebSocket): void {
    this.socket = socket;
    socket.on("message", (data) =>
      this.#receive(JSON.parse((data as Buffer).toString("utf8")) as WorkerMessage),
    );
  }

  #receive(message: WorkerMessage): void {
    // Of heartbeats that follow each other the last one counts.
    if (message.kind === "heartbeat" && this.received.at(-1)?.kind === "heartbeat") this.received.pop();
    this.received.push(message);
    if (message.kind === "hello") {
      this.hellos.push(message);
      const { leaseMs, heartbeatMs, revoked } = this;
      if (this.welcomes) this.send({ kind: "welcome", protocol: 1, leaseMs, heartbeatMs, revoked });
    }
    if (message.kind === "steps" && this.records) this.take(message);
    if (message.kind === "results" && this.acknowledges) {
      this.send({ kind: "ack", tokens: message.results.map((result) => result.token) });
    }
    for (const waiter of this.#waiters.splice(0)) {
      if (waiter.test(message)) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  #answerMembers(query: URLSearchParams, response: ServerResponse): void {
    const operand = query.get("operand");
    const from = Number(query.get("cursor") ?? 0);
    const found = this.members.filter((member) => operand === null || member.operand === operand);
    const next = from + 2;
    const page = {
      items: found.slice(from, next),
      ...(next < found.length ? { nextCursor: `${next}` } : {}),
    };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(page));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`);
    if (request.method === "POST" && request.url === "/api/v1/events") {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const refusal = this.refusesEvents.shift();
      if (!refusal) this.emitted.push(JSON.parse(Buffer.concat(parts).toString("utf8")) as CloudEvent);
      const body = refusal ? { code: refusal.code, detail: "refused" } : { position: this.emitted.length };
      response.writeHead(refusal?.status ?? 200, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
      return;
    }
    const asked = new URL(request.url ?? "/", "http://localhost");
    if (asked.pathname.endsWith("/firing/members")) return this.#answerMembers(asked.searchParams, response);
    const [, kind, hash = ""] = /^\/api\/v1\/(bundles|blobs)\/([0-9a-f]+)$/.exec(request.url ?? "") ?? [];
    if (request.method === "PUT" && kind === "blobs") {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const refusal = this.refusals.shift();
      if (refusal !== undefined) {
        response.writeHead(500, { "content-type": "application/problem+json" });
        response.end(JSON.stringify({ detail: refusal }));
        return;
      }
      this.blobs.set(hash, Buffer.concat(parts));
      response.writeHead(204).end();
      return;
    }
    const bundle = this.bundles.get(hash);
    const blob = this.blobs.get(hash);
    if (kind === "bundles" && bundle) response.writeHead(200).end(JSON.stringify(bundle));
    else if (kind === "blobs" && blob) response.writeHead(200).end(blob);
    else response.writeHead(404).end();
  }
}

function taskRunKey(token: DispatchToken): string {
  return tokenKey({ ...token, dispatch: 0 });
}

/** The next hand-over of the same attempt, with what is recorded. */
export function resumed(server: ProtocolServer, dispatch: Dispatch, more: Partial<Dispatch> = {}): Dispatch {
  const token = { ...dispatch.token, dispatch: dispatch.token.dispatch + 1 };
  const records = server.recordsOf(token);
  return { ...dispatch, ...more, token, ...(records.length === 0 ? {} : { records }) };
}

export function sha256(bytes: string | Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

let dispatched = 0;

/** A dispatch of node `node` of pipeline `p`; each has a run of its own. */
export function dispatchOf(bundle: string, node: string, more: Partial<Dispatch> = {}): Dispatch {
  dispatched += 1;
  const token = { runId: `run-${dispatched}`, node, item: "", generation: 1, dispatch: 1 };
  return {
    token,
    pipeline: "p",
    bundle,
    attempt: 1,
    input: { value: null },
    env: [],
    connections: [],
    idempotencyKey: `${token.runId}/${node}//1`,
    ...more,
  };
}

/** A bundle whose pipeline `p` has the tasks that `tasks`, the text of an object of functions, holds. */
export function bundleCode(tasks: string, prelude = ""): string {
  return `${prelude}
const tasks = ${tasks};
export const modules = { "p.ts": tasks };
export const settings = { project: "test", pools: {}, queues: [] };
export function loadProject(modules) {
  return {
    errors: [],
    taskFunction: (pipeline, node) => (pipeline === "p" ? modules["p.ts"][node] : undefined),
    validateParams: async (pipeline, params) =>
      params.bad
        ? { issues: [{ path: ["bad"], message: "is not allowed" }] }
        : { value: { ...params, validated: pipeline } },
    conditionOf: (value) => (value && value.kind ? value : undefined),
    formSchema: (form) => form.schema,
    validateForm: async (form, value) => form.validate(value),
  };
}
`;
}
