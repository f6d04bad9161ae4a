/**
 * The worker as a process of its own, so that task code never shares the server's.
 *
 * P1: it stops when its channel to us closes, so it never outlives us, however we end.
 * P2: it stands in a process group of its own: the terminal's Ctrl-C reaches us alone, and we decide.
 * P3: when it dies it is started again, later each time, until it has lived for a while.
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { WorkerEvent } from "@millrace/worker";
import { ownCommandFile } from "../own-version.ts";
import { pause } from "../pause.ts";
import type { StartWorkerMessage, WorkerProcessMessage } from "./worker-message.ts";

export interface WorkerProcessOptions {
  readonly onEvent: (event: WorkerEvent) => void;
  readonly onProblem: (message: string) => void;
}

const backoffMsMin = 200;
const backoffMsMax = 10_000;
const steadyMs = 10_000;
const stopGraceMs = 4_000;

export class WorkerProcess {
  readonly #options: WorkerProcessOptions;
  readonly #stopping = new AbortController();
  #child: ChildProcess | undefined;
  #start: StartWorkerMessage | undefined;
  #backoffMs = backoffMsMin;
  #restarting: Promise<void> | undefined;
  #isReplacing = false;
  #isAwake = false;
  readonly connected: Promise<void>;
  #markConnected: () => void = () => undefined;

  /** Starts the process at once; it loads its code while the server's address is still unknown. */
  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    this.connected = new Promise((resolve) => {
      this.#markConnected = resolve;
    });
    this.#spawn();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Tells it where the server is. With other options than before, a new process takes its place. */
  start(options: StartWorkerMessage["options"]): void {
    const isFirst = this.#start === undefined;
    if (JSON.stringify(this.#start?.options) === JSON.stringify(options)) return;
    this.#start = { kind: "start", options };
    if (isFirst) {
      if (this.#isAwake) this.#child?.send(this.#start);
      return;
    }
    // A process that is about to be started again takes the new options anyway.
    if (!this.#child?.connected) return;
    this.#isReplacing = true;
    this.#child.disconnect();
  }

  /** Ends what it runs, and waits until it is gone. May be called twice. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#restarting;
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    if (child.connected) child.disconnect();
    const timeout = new AbortController();
    await Promise.race([gone, pause(stopGraceMs, timeout.signal)]);
    timeout.abort();
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await gone;
    }
  }

  /** Without waiting: for a second Ctrl-C. */
  kill(): void {
    this.#stopping.abort();
    this.#child?.kill("SIGKILL");
  }

  #spawn(): void {
    const startedAt = Date.now();
    const child = spawn(process.execPath, [ownCommandFile(), "worker-process"], {
      detached: true,
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child = child;
    this.#isAwake = false;
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4_096);
    });
    child.on("message", (message) => this.#hear(message as WorkerProcessMessage));
    child.on("error", (error) => {
      said = error.message;
    });
    child.on("exit", (code, signal) => {
      if (this.#stopping.signal.aborted) return;
      if (this.#isReplacing) {
        this.#isReplacing = false;
        this.#spawn();
        return;
      }
      if (Date.now() - startedAt > steadyMs) this.#backoffMs = backoffMsMin;
      const why = said.trim() === "" ? "" : `\n${said.trim()}`;
      const how = signal === null ? `exit code ${code}` : signal;
      this.#options.onProblem(
        `The worker's process ended (${how}); it starts again in ${this.#backoffMs} ms.${why}`,
      );
      this.#restarting = this.#respawn();
    });
  }

  async #respawn(): Promise<void> {
    const wait = this.#backoffMs;
    this.#backoffMs = Math.min(wait * 2, backoffMsMax);
    await pause(wait, this.#stopping.signal);
    if (!this.#stopping.signal.aborted) this.#spawn();
  }

  #hear(message: WorkerProcessMessage): void {
    if (message.kind === "awake") {
      this.#isAwake = true;
      if (this.#start) this.#child?.send(this.#start);
      return;
    }
    if (message.kind === "failed") {
      this.#options.onProblem(`${message.code} ${message.message}\n  ${message.advice}`);
      return;
    }
    if (message.event.kind === "connected") this.#markConnected();
    this.#options.onEvent(message.event);
  }
}
