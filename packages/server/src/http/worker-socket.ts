/**
 * `WS /api/v1/worker`: carries the worker protocol between a socket and the engine's hub.
 *
 * W1: nothing but `hello` is taken first, and `welcome` is the first thing that is sent.
 * W2: a worker that takes nothing is cut when `workerBufferBytesMax` wait for it; its lease decides what becomes of
 *     its dispatches.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { catalogue, unreachable, type ErrorCode } from "@millrace/core";
import {
  apiPrefix,
  protocolVersion,
  readWorkerFrame,
  type Artifact,
  type Goodbye,
  type Hello,
  type ServerMessage,
  type WorkerMessage,
} from "@millrace/protocol";
import { addArtifact } from "@millrace/store";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import type { Alarm } from "../engine/clock.ts";
import type { ConnectedWorker, WorkerLink } from "../engine/dispatcher.ts";
import type { Engine } from "../engine/engine.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { Access } from "./access.ts";
import { ofWorkers } from "./activity.ts";
import type { ApiContext } from "./api-context.ts";
import { closeMs, frameBytesMax, helloMs, workerBufferBytesMax } from "./limits.ts";
import { problemOf, problemType } from "./problem.ts";

export class WorkerSockets {
  readonly #context: ApiContext;
  readonly #access: Access;
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: frameBytesMax,
    clientTracking: true,
  });

  constructor(context: ApiContext, access: Access) {
    this.#context = context;
    this.#access = access;
  }

  /** For the `upgrade` event of the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      this.#access.checkWorker(request);
      const path = (request.url ?? "").split("?")[0];
      if (path !== `${apiPrefix}/worker`) {
        refuse(socket, "MILLRACE_NOT_FOUND", "Workers connect to /api/v1/worker.");
        return;
      }
    } catch (error) {
      writeProblem(socket, error);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      if ("setNoDelay" in socket) (socket as { setNoDelay(on: boolean): void }).setNoDelay(true);
      new WorkerSocket(this.#context, webSocket, socket).open();
    });
  }

  /** Says goodbye to whoever has not heard it from the engine, and closes. */
  stop(): void {
    for (const socket of this.#server.clients) socket.close(1001);
    this.#server.close();
    // What does not answer the close is cut.
    this.#context.clock.after(closeMs, () => {
      for (const socket of this.#server.clients) socket.terminate();
    });
  }
}

class WorkerSocket implements WorkerLink {
  readonly #context: ApiContext;
  readonly #socket: WebSocket;
  readonly #carrier: Duplex;
  #engine: Engine | undefined;
  #worker: ConnectedWorker | undefined;
  #helloAlarm: Alarm | undefined;

  /** `carrier`: the connection under the socket. */
  constructor(context: ApiContext, socket: WebSocket, carrier: Duplex) {
    this.#context = context;
    this.#socket = socket;
    this.#carrier = carrier;
  }

  readonly #ignored = (reason: string): void => {
    this.#context.log.warn({ worker: this.#worker?.info.id, reason }, "a worker's frame is ignored");
  };

  open(): void {
    const socket = this.#socket;
    socket.on("message", (data) => this.#receive(data));
    socket.on("error", (error) =>
      this.#context.log.warn({ err: error, worker: this.#worker?.info.id }, "a worker's connection failed"),
    );
    socket.on("close", () => {
      this.#helloAlarm?.cancel();
      if (!this.#worker) return;
      this.#engine?.hub.disconnected(this.#worker, this);
      this.#context.activity.changed(ofWorkers);
    });
    // A ping is as good as a heartbeat.
    socket.on("ping", () => {
      if (this.#worker) this.#engine?.hub.heard(this.#worker);
    });
    this.#helloAlarm = this.#context.clock.after(helloMs, () => {
      if (!this.#worker) socket.terminate();
    });
  }

  send(...messages: ServerMessage[]): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > workerBufferBytesMax) {
      this.#context.log.warn({ worker: this.#worker?.info.id }, "a worker takes nothing and is cut");
      socket.terminate();
      return;
    }
    // One write: each wakes the worker, which costs more than the frame.
    this.#carrier.cork();
    for (const message of messages) socket.send(JSON.stringify(message));
    this.#carrier.uncork();
  }

  close(): void {
    const socket = this.#socket;
    socket.close(1000);
    // Who does not answer the close is cut: a frozen process would keep the connection for half a minute.
    const alarm = this.#context.clock.after(closeMs, () => socket.terminate());
    socket.once("close", () => alarm.cancel());
  }

  #receive(data: RawData): void {
    const message = readWorkerFrame(textOf(data), this.#ignored);
    try {
      if (!this.#worker) this.#greet(message);
      else if (message) this.#take(this.#worker, message);
    } catch (error) {
      this.#context.log.error(
        { err: error, worker: this.#worker?.info.id },
        "a worker's frame broke its reader",
      );
      this.#socket.terminate();
    }
  }

  #greet(message: WorkerMessage | undefined): void {
    if (message?.kind !== "hello") {
      this.#part("MILLRACE_REQUEST_INVALID", "The first frame must be a valid `hello`.", false);
      return;
    }
    if (message.protocol !== protocolVersion) {
      this.#part(
        "MILLRACE_PROTOCOL_VERSION",
        `The worker speaks version ${message.protocol} of the protocol, this server version ${protocolVersion}.`,
        false,
      );
      return;
    }
    const engine = this.#context.host.running;
    if (!engine || engine.info.state === "starting" || engine.info.state === "stopping") {
      this.#part("MILLRACE_LEASE_LOST", "The server is starting or stopping.", true);
      return;
    }
    this.#connect(engine, message);
  }

  #connect(engine: Engine, hello: Hello): void {
    this.#helloAlarm?.cancel();
    const { worker, welcome } = engine.hub.connect(hello, this);
    this.#engine = engine;
    this.#worker = worker;
    this.send(welcome);
    this.#context.activity.changed(ofWorkers);
  }

  #part(code: ErrorCode, message: string, retry: boolean): void {
    const goodbye: Goodbye = { kind: "goodbye", code, message, retry };
    this.send(goodbye);
    this.#socket.close(1008);
  }

  #take(worker: ConnectedWorker, message: WorkerMessage): void {
    const engine = this.#engine;
    // The worker came back over another connection, or its engine is gone.
    if (!engine || worker.link !== this) return;
    if (message.kind === "draining") this.#context.activity.changed(ofWorkers);
    switch (message.kind) {
      case "results":
        for (const { token } of message.results) this.#context.progress.forget(token);
        return engine.hub.results(worker, message);
      case "heartbeat":
        return engine.hub.heartbeat(worker, message);
      case "logs":
        engine.hub.heard(worker);
        return this.#context.logs.take(message);
      case "progress":
        engine.hub.heard(worker);
        this.#context.progress.set(message);
        return this.#context.live.progressTold(message);
      case "artifact":
        engine.hub.heard(worker);
        return this.#keep(engine, message);
      case "draining":
        return engine.hub.drain(worker);
      case "steps":
        return engine.hub.steps(worker, message);
      case "rehearsed":
        engine.hub.heard(worker);
        return engine.rehearsals.answered(message);
      case "hello":
        return this.#ignored("a second hello on one connection");
      default:
        return unreachable(message);
    }
  }

  #keep(engine: Engine, message: Artifact): void {
    const { runId, node, item, generation } = message.token;
    const { attempt, name, type, mediaType, blob, bytes } = message;
    const row = {
      workspace: workspaceId,
      runId,
      node,
      item,
      generation,
      attempt,
      name,
      type,
      mediaType,
      blob,
      bytes,
    };
    void addArtifact(this.#context.database, row, engine.now()).catch((error: unknown) =>
      this.#context.log.warn(
        { err: error, run: runId, node, artifact: name },
        "an artifact could not be recorded",
      ),
    );
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.isBuffer(data) ? data.toString("utf8") : Buffer.from(data).toString("utf8");
}

function refuse(socket: Duplex, code: ErrorCode, message: string): void {
  writeProblem(socket, Object.assign(new Error(message), { code }));
}

function writeProblem(socket: Duplex, error: unknown): void {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${catalogue[problem.code as ErrorCode].meaning}`,
    `content-type: ${problemType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.on("error", () => socket.destroy());
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
