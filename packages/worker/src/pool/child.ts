/**
 * One child process: how it is started, spoken to and ended. It leads a process group of its own, so that a kill takes
 * what it forked along.
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { limits } from "../limits.ts";
import type { FromChild, ToChild } from "./child-message.ts";

export interface ChildSettings {
  readonly folder: string;
  readonly workFolder: string;
  readonly memoryMb: number;
  readonly environment: { readonly [name: string]: string | undefined };
  readonly compileCacheFolder: string;
}

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** V8 gave up for lack of memory, or the worker killed it for its resident size. */
  readonly outOfMemory: boolean;
  /** The system could not start it. */
  readonly startError?: Error;
}

/** Who hears a child. */
export interface ChildListener {
  message(child: Child, message: FromChild): void;
  /** Raw output of descriptors 1 and 2: native code and further processes. */
  output(child: Child, stream: "stdout" | "stderr", chunk: Buffer): void;
  exited(child: Child, exit: ChildExit): void;
}

const standardVariables =
  /^(?:PATH|HOME|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TEMP|TMP|USER|LOGNAME|SHELL|LD_LIBRARY_PATH|SYSTEMROOT|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|NODE_ENV)$/;

const errorTailBytes = 8 * 1024;

export class Child {
  readonly #process: ChildProcess;
  readonly #listener: ChildListener;
  readonly #toChild: Writable;
  #rest: Buffer | undefined;
  #errorTail = "";
  #tooLarge = false;
  #exited = false;
  #endTimer: NodeJS.Timeout | undefined;

  constructor(settings: ChildSettings, listener: ChildListener) {
    this.#listener = listener;
    this.#process = spawn(process.execPath, childArguments(settings), {
      cwd: settings.workFolder,
      detached: true,
      env: childEnvironment(settings),
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
    });
    const [, stdout, stderr, toChild, fromChild] = this.#process.stdio;
    this.#toChild = toChild as Writable;
    // A write to a process that just died fails; its exit is what counts.
    this.#toChild.on("error", () => {});
    (stdout as Readable).on("data", (chunk: Buffer) => listener.output(this, "stdout", chunk));
    (stderr as Readable).on("data", (chunk: Buffer) => this.#receiveErrors(chunk));
    (fromChild as Readable).on("data", (chunk: Buffer) => this.#receive(chunk));
    for (const stream of [stdout, stderr, fromChild]) stream?.on("error", () => {});
    this.#process.on("error", (error) => this.#exit(null, null, error));
    // `close` would wait for further processes that hold the pipes.
    this.#process.on("exit", (code, signal) => this.#exitAfterOutput(code, signal));
  }

  /** 0 when the system could not start it. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  send(message: ToChild): void {
    this.#toChild.write(`${JSON.stringify(message)}\n`);
  }

  /** Asks it to go, and kills it when it does not. */
  end(): void {
    if (this.#exited || this.#endTimer) return;
    this.send({ kind: "end" });
    this.#endTimer = setTimeout(() => this.kill(), limits.childEndMs);
  }

  /** Kills the process and all of its group, at once. */
  kill(): void {
    if (this.pid > 0) killGroup(this.pid);
  }

  killForMemory(): void {
    this.#tooLarge = true;
    this.kill();
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    const end = bytes.lastIndexOf(10);
    this.#rest = end === bytes.length - 1 ? undefined : bytes.subarray(end + 1);
    if (this.#rest && this.#rest.length > limits.childMessageBytesMax) return this.kill();
    if (end === -1) return;
    for (const line of bytes.toString("utf8", 0, end).split("\n")) {
      const message = parseMessage(line);
      if (!message) return this.kill();
      this.#listener.message(this, message);
    }
  }

  #receiveErrors(chunk: Buffer): void {
    this.#errorTail = (this.#errorTail + chunk.toString("latin1")).slice(-errorTailBytes);
    this.#listener.output(this, "stderr", chunk);
  }

  /** What it wrote before it died is in the pipes and is read within two turns. */
  #exitAfterOutput(code: number | null, signal: NodeJS.Signals | null): void {
    setImmediate(() => setImmediate(() => this.#exit(code, signal)));
  }

  #exit(code: number | null, signal: NodeJS.Signals | null, startError?: Error): void {
    if (this.#exited) return;
    this.#exited = true;
    clearTimeout(this.#endTimer);
    this.kill();
    for (const stream of this.#process.stdio) stream?.destroy();
    const aborted =
      signal === "SIGABRT" || signal === "SIGTRAP" || signal === "SIGILL" || code === 134 || code === 133;
    const outOfMemory =
      this.#tooLarge || (aborted && /out of memory|OOM|Allocation failed/.test(this.#errorTail));
    this.#listener.exited(this, { code, signal, outOfMemory, ...(startError ? { startError } : {}) });
  }
}

export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // No process of the group is left.
  }
}

function childArguments(settings: ChildSettings): string[] {
  return [
    "--enable-source-maps",
    "--disable-warning=ExperimentalWarning",
    `--max-old-space-size=${settings.memoryMb}`,
    runnerFile(),
    settings.folder,
    String(settings.memoryMb),
  ];
}

/** Beside this file in the sources; `millrace-runner.js` beside the bundled package. */
function runnerFile(): string {
  const fromSources = import.meta.url.endsWith(".ts");
  return fileURLToPath(new URL(fromSources ? "../child/runner.ts" : "./millrace-runner.js", import.meta.url));
}

function childEnvironment(settings: ChildSettings): { [name: string]: string } {
  const kept: { [name: string]: string } = { NODE_COMPILE_CACHE: settings.compileCacheFolder };
  for (const [name, value] of Object.entries(settings.environment)) {
    if (value !== undefined && standardVariables.test(name)) kept[name] = value;
  }
  return kept;
}

function parseMessage(line: string): FromChild | undefined {
  try {
    return JSON.parse(line) as FromChild;
  } catch {
    return undefined;
  }
}
