/**
 * Sends what the attempt prints through Node to the worker, in one order with `ctx.log`, and drops it at the source when
 * the attempt's log is full. What native code and further processes print goes through the pipes of descriptors 1 and 2.
 */
import { StringDecoder } from "node:string_decoder";
import { limits } from "../limits.ts";
import type { LogGate } from "./log-gate.ts";

type Callback = (error?: Error | null) => void;

const reportDroppedBytes = 1024 * 1024;

export class OutputCapture {
  readonly #gate: LogGate;
  #active = false;
  #bytes = 0;
  #lines = 0;
  #dropped = 0;

  constructor(gate: LogGate) {
    this.#gate = gate;
  }

  /** Replaces the `write` of stdout and stderr, for the life of the process. */
  install(): void {
    for (const name of ["stdout", "stderr"] as const) {
      const stream = process[name];
      const decoder = new StringDecoder("utf8");
      stream.write = (
        chunk: string | Uint8Array,
        encoding?: BufferEncoding | Callback,
        callback?: Callback,
      ): boolean => {
        const text = typeof chunk === "string" ? chunk : decoder.write(Buffer.from(chunk));
        this.#print(name, text);
        const done = typeof encoding === "function" ? encoding : callback;
        if (done) process.nextTick(done);
        return true;
      };
    }
  }

  begin(): void {
    this.#active = true;
    this.#bytes = 0;
    this.#lines = 0;
    this.#dropped = 0;
  }

  end(): void {
    this.#active = false;
    this.#reportDropped();
  }

  /** Whether a line of `ctx.log` still has room; counts it. */
  admit(bytes: number): boolean {
    if (!this.#active) return false;
    if (this.#bytes < limits.logBytesMax && this.#lines < limits.logLinesMax) {
      this.#bytes += bytes;
      return true;
    }
    this.#dropped += bytes;
    if (this.#dropped >= reportDroppedBytes) this.#reportDropped();
    return false;
  }

  addLine(): void {
    this.#lines += 1;
  }

  #print(stream: "stdout" | "stderr", text: string): void {
    if (text.length === 0 || !this.admit(Buffer.byteLength(text))) return;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) this.#lines += 1;
    const room = limits.logBytesMax;
    const kept = text.length > room ? text.slice(0, room) : text;
    if (kept.length < text.length) this.#dropped += text.length - kept.length;
    for (let at = 0; at < kept.length; at += limits.logFrameBytesMax) {
      this.#gate.post({ kind: "output", stream, text: kept.slice(at, at + limits.logFrameBytesMax) });
    }
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    this.#gate.post({ kind: "dropped", bytes: this.#dropped });
    this.#dropped = 0;
  }
}
