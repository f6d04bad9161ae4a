/**
 * The log of one attempt on its way to the server: cut into lines, numbered, bounded, sent in frames, and kept for a
 * while in case the connection breaks.
 */
import { StringDecoder } from "node:string_decoder";
import type { LogLine } from "@millrace/protocol";
import { limits } from "../limits.ts";

type Stream = "stdout" | "stderr";

export interface LogFrame {
  readonly from: number;
  readonly lines: readonly LogLine[];
}

interface OpenLine {
  readonly decoder: StringDecoder;
  text: string;
  at: number;
}

export class LogBuffer {
  readonly #open = new Map<string, OpenLine>();
  #pending: LogLine[] = [];
  #pendingBytes = 0;
  #kept: { readonly frame: LogFrame; readonly bytes: number }[] = [];
  #keptBytes = 0;
  #bytes = 0;
  #lines = 0;
  #next = 0;
  #dropped = 0;

  get hasLines(): boolean {
    return this.#pending.length > 0;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get isEmpty(): boolean {
    return this.#next === 0 && this.#open.size === 0 && this.#dropped === 0;
  }

  /** Text that the child captured; `raw` chunks come from pipes and may end inside a character. */
  addText(stream: Stream, text: string, now: number): void {
    this.#append(`text ${stream}`, stream, text, now);
  }

  addRaw(stream: Stream, chunk: Buffer, now: number): void {
    if (this.#isFull()) {
      this.drop(chunk.length, now);
      return;
    }
    this.#append(`raw ${stream}`, stream, this.#openLine(`raw ${stream}`, now).decoder.write(chunk), now);
  }

  addLine(line: LogLine): void {
    const bytes = sizeOf(line);
    if (this.#isFull()) return this.drop(bytes, line.at);
    this.#push(line, bytes);
  }

  /** Counts output that nobody will see; the first time, a line says so. */
  drop(bytes: number, now: number): void {
    if (this.#dropped === 0) {
      const bound = `${limits.logBytesMax / 1024 / 1024} MiB or ${limits.logLinesMax} lines`;
      this.#push(
        systemLine(
          now,
          "warn",
          `The log of this attempt reached its bound (${bound}): what follows is dropped.`,
        ),
        0,
      );
    }
    this.#dropped += bytes;
  }

  /** Ends open lines, and says how much was dropped. */
  finish(now: number): void {
    for (const [key, open] of this.#open) {
      const text = open.text + open.decoder.end();
      if (text !== "") this.#addOutput(streamOf(key), text, open.at);
    }
    this.#open.clear();
    if (this.#dropped > 0) this.#push(systemLine(now, "warn", `… ${this.#dropped} bytes dropped`), 0);
    this.#dropped = 0;
  }

  /** What is to be sent now; it is kept until newer frames push it out. */
  take(): LogFrame[] {
    const frames: LogFrame[] = [];
    while (this.#pending.length > 0) {
      const frame = this.#takeFrame();
      frames.push(frame.frame);
      this.#kept.push(frame);
      this.#keptBytes += frame.bytes;
    }
    this.#pendingBytes = 0;
    while (this.#keptBytes > limits.logKeptBytesMax && this.#kept.length > 1) {
      this.#keptBytes -= this.#kept.shift()?.bytes ?? 0;
    }
    return frames;
  }

  /** What may have been lost with a connection. */
  kept(): LogFrame[] {
    return this.#kept.map(({ frame }) => frame);
  }

  #takeFrame(): { readonly frame: LogFrame; readonly bytes: number } {
    let bytes = 0;
    let count = 0;
    while (count < this.#pending.length && (count === 0 || bytes < limits.logFrameBytesMax)) {
      bytes += sizeOf(this.#pending[count] as LogLine);
      count += 1;
    }
    const lines = count === this.#pending.length ? this.#pending : this.#pending.slice(0, count);
    this.#pending = count === this.#pending.length ? [] : this.#pending.slice(count);
    const from = this.#next;
    this.#next += count;
    return { frame: { from, lines }, bytes };
  }

  #append(key: string, stream: Stream, text: string, now: number): void {
    const open = this.#openLine(key, now);
    if (open.text === "") open.at = now;
    const parts = (open.text + text).split("\n");
    open.text = parts.pop() ?? "";
    for (const part of parts) this.#addOutput(stream, part, now);
    if (open.text.length > limits.logLineBytesMax) {
      this.#addOutput(stream, open.text, now);
      open.text = "";
    }
  }

  #addOutput(stream: Stream, text: string, at: number): void {
    const line = text.endsWith("\r") ? text.slice(0, -1) : text;
    const level = stream === "stderr" ? "error" : "info";
    for (let from = 0; from === 0 || from < line.length; from += limits.logLineBytesMax) {
      this.addLine({ at, stream, level, text: line.slice(from, from + limits.logLineBytesMax) });
    }
  }

  #openLine(key: string, now: number): OpenLine {
    let open = this.#open.get(key);
    if (!open) {
      open = { decoder: new StringDecoder("utf8"), text: "", at: now };
      this.#open.set(key, open);
    }
    return open;
  }

  #push(line: LogLine, bytes: number): void {
    this.#pending.push(line);
    this.#pendingBytes += bytes;
    this.#bytes += bytes;
    this.#lines += 1;
  }

  #isFull(): boolean {
    return this.#bytes >= limits.logBytesMax || this.#lines >= limits.logLinesMax;
  }
}

function streamOf(key: string): Stream {
  return key.endsWith("stderr") ? "stderr" : "stdout";
}

function sizeOf(line: LogLine): number {
  return line.text.length + 1 + (line.fields === undefined ? 0 : JSON.stringify(line.fields).length);
}

function systemLine(at: number, level: LogLine["level"], text: string): LogLine {
  return { at, stream: "system", level, text };
}
