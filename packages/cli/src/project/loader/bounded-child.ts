/**
 * Starts the loader's child and holds its bounds.
 *
 * L1: the child and all that it started are dead when `runBoundedChild` settles.
 * L2: a child whose parent died ends by itself: the kernel bounds its CPU time, and without work its event loop ends.
 * L3: the child sees only the environment of the allow list.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { SourceLocation } from "@millrace/core";
import { findBusyPlace } from "./busy-place.ts";
import { messageDescriptor, type ChildMessage, type ChildRequest } from "./messages.ts";

export interface ChildBounds {
  readonly timeoutMs: number;
  /** How long one file, or the building of all definitions, may take. */
  readonly fileTimeoutMs: number;
  readonly memoryMb: number;
}

export type ChildEnd =
  /** It said that it had ended. */
  | { readonly kind: "ended" }
  /** With the place in the project's files that it was busy at. */
  | { readonly kind: "timeout"; readonly source?: SourceLocation | undefined }
  | { readonly kind: "memory" }
  | { readonly kind: "crashed"; readonly exitCode: number | null; readonly signal: string | null };

export interface ChildResult {
  readonly messages: readonly ChildMessage[];
  readonly end: ChildEnd;
  /** The last of what it printed. */
  readonly output: string;
}

const environmentAllowed = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "NODE_ENV"];
const outputMax = 8_192;
/** More than this on descriptor 3 is no definition any more. */
const messageBytesMax = 256 * 1024 * 1024;
const memoryPollMs = 100;
/** Node itself, its code and its threads, beside the heap. */
const memoryBesideHeapMb = 128;
const closeGraceMs = 200;

export async function runBoundedChild(request: ChildRequest, bounds: ChildBounds): Promise<ChildResult> {
  const child = start(request, bounds);
  const messages: ChildMessage[] = [];
  let stopped: ChildEnd | undefined;
  const stopWith = (end: ChildEnd) => {
    stopped ??= end;
    killGroup(child);
  };
  const stopLate = () => {
    void findBusyPlace(child, request.folder).then((source) => stopWith({ kind: "timeout", source }));
  };
  const whole = setTimeout(stopLate, bounds.timeoutMs);
  let single = setTimeout(stopLate, bounds.timeoutMs);
  const memory = setInterval(() => {
    if (residentMb(child.pid) > bounds.memoryMb + memoryBesideHeapMb) stopWith({ kind: "memory" });
  }, memoryPollMs);
  readMessages(child, (message) => {
    messages.push(message);
    clearTimeout(single);
    single = setTimeout(stopLate, bounds.fileTimeoutMs);
  });
  const output = keepTail(child);
  try {
    const { exitCode, signal } = await ending(child);
    const last = messages.at(-1)?.kind;
    const said = last === "done" || last === "exiting" || last === "unsettled";
    const outOfHeap = output().includes("heap out of memory");
    const end: ChildEnd = said
      ? { kind: "ended" }
      : (stopped ?? (outOfHeap ? { kind: "memory" } : { kind: "crashed", exitCode, signal }));
    return { messages, end, output: output() };
  } finally {
    clearTimeout(whole);
    clearTimeout(single);
    clearInterval(memory);
  }
}

function start(request: ChildRequest, bounds: ChildBounds): ChildProcess {
  const args = [
    "--enable-source-maps",
    "--no-warnings",
    // Any free one, should it be asked where it is busy.
    "--inspect-port=0",
    `--max-old-space-size=${bounds.memoryMb}`,
    childFile(),
    JSON.stringify(request),
  ];
  const cpuSeconds = Math.ceil(bounds.timeoutMs / 1_000) * 4;
  const limited = `ulimit -t ${cpuSeconds} 2>/dev/null; exec "$0" "$@"`;
  return spawn("/bin/sh", ["-c", limited, process.execPath, ...args], {
    cwd: request.root,
    env: allowedEnvironment(),
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
}

/** Beside this file in the sources; `millrace-loader.js` beside the bundled package. */
function childFile(): string {
  const fromSources = import.meta.url.endsWith(".ts");
  return fileURLToPath(new URL(fromSources ? "./child.ts" : "./millrace-loader.js", import.meta.url));
}

function allowedEnvironment(): NodeJS.ProcessEnv {
  const names = environmentAllowed.filter((name) => process.env[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

function readMessages(child: ChildProcess, onMessage: (message: ChildMessage) => void): void {
  const stream = child.stdio[messageDescriptor] as Readable;
  let rest: Buffer[] = [];
  let bytes = 0;
  stream.on("error", () => undefined);
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > messageBytesMax) return killGroup(child);
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...rest, chunk.subarray(from, at)]).toString("utf8");
      rest = [];
      from = at + 1;
      const message = parseMessage(line);
      if (message) onMessage(message);
    }
    rest.push(chunk.subarray(from));
  });
}

/** Code of the project may write to the descriptor, too: what is no message is passed over. */
function parseMessage(line: string): ChildMessage | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return value !== null && typeof value === "object" && "kind" in value
      ? (value as ChildMessage)
      : undefined;
  } catch {
    return undefined;
  }
}

function keepTail(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => {
      text = (text + chunk).slice(-outputMax);
    });
  }
  return () => text;
}

/** Settles when the child is gone, its group is killed, and what it wrote is read. */
async function ending(child: ChildProcess): Promise<{ exitCode: number | null; signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode, signal) => {
      killGroup(child);
      const done = () => {
        clearTimeout(grace);
        for (const stream of child.stdio) stream?.destroy();
        resolve({ exitCode, signal });
      };
      // A process that left the group may hold the pipes open.
      const grace = setTimeout(done, closeGraceMs);
      child.once("close", done);
    });
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group is gone.
  }
}

/** 0 where the system does not tell. */
function residentMb(pid: number | undefined): number {
  if (process.platform !== "linux" || pid === undefined) return 0;
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}
