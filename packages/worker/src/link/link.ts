/**
 * Owns the connection to the server: opens it, keeps it alive, opens it again. It runs no user code, so nothing that a
 * task does delays a heartbeat.
 *
 * L1: messages reach the owner only after `welcome`, and nothing is sent before it.
 * L2: the lease is counted from the sending of the last ping (or hello) that the server answered: it had heard from this
 *     worker then, at the earliest. When it is over, the owner hears `leaseLost` once.
 */
import { WebSocket, type RawData } from "ws";
import {
  apiPrefix,
  protocolVersion,
  readServerFrame,
  type DispatchToken,
  type Hello,
  type ServerMessage,
  type Welcome,
  type WorkerMessage,
} from "@millrace/protocol";
import { limits } from "../limits.ts";
import type { WorkerSettings } from "../options.ts";

export interface LinkOwner {
  readonly isDraining: boolean;
  running(): readonly DispatchToken[];
  welcomed(welcome: Welcome): void;
  message(message: Exclude<ServerMessage, Welcome>): void;
  leaseLost(): void;
  /** The server refuses this worker for good. */
  refused(code: string, message: string): void;
}

type Phase = "closed" | "connecting" | "greeting" | "open" | "parting";

export class Link {
  readonly #settings: WorkerSettings;
  readonly #workerId: string;
  readonly #owner: LinkOwner;
  #socket: WebSocket | undefined;
  #phase: Phase = "closed";
  #attempts = 0;
  #helloSentAt = 0;
  #provenAt: number | undefined;
  #leaseMs = 0;
  #heartbeat: NodeJS.Timeout | undefined;
  #leaseTimer: NodeJS.Timeout | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #greetTimer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(settings: WorkerSettings, workerId: string, owner: LinkOwner) {
    this.#settings = settings;
    this.#workerId = workerId;
    this.#owner = owner;
  }

  readonly #ignored = (reason: string): void => {
    this.#settings.onEvent({ kind: "frame_ignored", reason });
  };

  get isOpen(): boolean {
    return this.#phase === "open";
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  connect(): void {
    if (this.#isStopped) return;
    this.#phase = "connecting";
    const { token, webSocketUrl } = this.#settings;
    const socket = new WebSocket(`${webSocketUrl}${apiPrefix}/worker`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      handshakeTimeout: limits.handshakeMs,
      maxPayload: limits.frameBytesMax,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    let problem = "";
    socket.on("open", () => this.#greet());
    socket.on("message", (data) => this.#receive(socket, data));
    socket.on("pong", (data) => this.#prove(Number(data.toString())));
    socket.on("error", (error) => {
      problem = describe(error);
    });
    socket.on("unexpected-response", (request, response) => {
      response.resume();
      if (response.statusCode === 401 && socket === this.#socket) {
        this.#part(false, "MILLRACE_UNAUTHORIZED", "The server does not know this worker's token.");
      }
      request.destroy(new Error(`the server answered ${response.statusCode}`));
    });
    socket.on("close", (code) => {
      if (socket === this.#socket) this.#closed(problem === "" ? `closed with ${code}` : problem);
    });
  }

  send(message: WorkerMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  /** Closes for good. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#leaseTimer);
    const socket = this.#socket;
    if (this.#phase === "open" || this.#phase === "greeting") socket?.close(1000);
    else socket?.terminate();
    this.#leave();
    this.#socket = undefined;
  }

  #greet(): void {
    this.#phase = "greeting";
    this.#helloSentAt = performance.now();
    const { name, version, queues, slots, prefetch, labels } = this.#settings;
    const hello: Hello = {
      kind: "hello",
      protocol: protocolVersion,
      workerId: this.#workerId,
      name,
      version,
      queues,
      slots,
      prefetch,
      labels,
      platform: `${process.platform}-${process.arch}`,
      ...(this.#owner.isDraining ? { draining: true } : {}),
      running: this.#owner.running(),
    };
    this.send(hello);
    this.#greetTimer = setTimeout(() => this.#socket?.terminate(), limits.handshakeMs);
  }

  #receive(socket: WebSocket, data: RawData): void {
    if (socket !== this.#socket || this.#phase === "parting") return;
    const message = readServerFrame(textOf(data), this.#ignored);
    if (!message) return;
    if (message.kind === "welcome") this.#welcome(message);
    else if (message.kind === "goodbye") this.#part(message.retry, message.code, message.message);
    else if (this.#phase === "open") this.#owner.message(message);
  }

  #welcome(welcome: Welcome): void {
    if (this.#phase !== "greeting") return;
    clearTimeout(this.#greetTimer);
    this.#phase = "open";
    this.#attempts = 0;
    this.#leaseMs = welcome.leaseMs;
    this.#prove(this.#helloSentAt);
    clearTimeout(this.#leaseTimer);
    this.#leaseTimer = undefined;
    this.#heartbeat = setInterval(() => this.#beat(), welcome.heartbeatMs);
    this.#settings.onEvent({ kind: "connected", url: this.#settings.httpUrl });
    this.#owner.welcomed(welcome);
  }

  #beat(): void {
    const now = performance.now();
    if (this.#provenAt !== undefined && now - this.#provenAt > this.#leaseMs) {
      // A connection on which nothing is answered is no connection.
      this.#socket?.terminate();
      return;
    }
    const running = this.#owner.running();
    this.send({ kind: "heartbeat", ...(running.length > limits.heartbeatTokensMax ? {} : { running }) });
    this.#socket?.ping(String(now));
  }

  #prove(sentAt: number): void {
    if (Number.isFinite(sentAt) && sentAt > (this.#provenAt ?? 0)) this.#provenAt = sentAt;
  }

  /** Nothing new is taken from here on; what runs goes on, to be told to the next connection. */
  #part(retry: boolean, code: string, message: string): void {
    this.#phase = "parting";
    if (retry) {
      this.#socket?.close(1000);
      return;
    }
    this.#isStopped = true;
    this.#settings.onEvent({ kind: "refused", code, message });
    this.#socket?.close(1000);
    this.#owner.refused(code, message);
  }

  #closed(reason: string): void {
    this.#leave();
    this.#socket = undefined;
    if (this.#isStopped) return;
    this.#watchLease();
    const bound = Math.min(limits.reconnectMaxMs, limits.reconnectBaseMs * 2 ** this.#attempts);
    const retryInMs = Math.round(Math.random() * bound);
    this.#attempts += 1;
    this.#settings.onEvent({ kind: "disconnected", reason, retryInMs });
    this.#retryTimer = setTimeout(() => this.connect(), retryInMs);
  }

  #leave(): void {
    this.#phase = "closed";
    clearInterval(this.#heartbeat);
    clearTimeout(this.#greetTimer);
  }

  #watchLease(): void {
    if (this.#leaseTimer || this.#leaseMs === 0 || this.#provenAt === undefined) return;
    const leftMs = this.#provenAt + this.#leaseMs - performance.now();
    this.#leaseTimer = setTimeout(
      () => {
        this.#leaseTimer = undefined;
        if (this.isOpen) return;
        // A hello under way names what is killed now: the next one tells the truth.
        if (this.#phase === "greeting") this.#socket?.terminate();
        this.#owner.leaseLost();
      },
      Math.max(0, leftMs),
    );
  }
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.isBuffer(data) ? data.toString("utf8") : Buffer.from(data).toString("utf8");
}

/** The message names the code already, but where several addresses failed it is empty. */
function describe(error: Error & { readonly code?: string }): string {
  return error.message === "" ? (error.code ?? error.name) : error.message;
}
