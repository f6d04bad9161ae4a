/** How values leave and enter a child: small ones in the message, large ones by file. */
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findJsonFault, formatPath, MillraceError, type Json } from "@millrace/core";
import type { LocalValue, ProducedValue } from "../pool/child-message.ts";

export interface ValueBounds {
  readonly inlineBytesMax: number;
  readonly outputBytesMax: number;
}

export class ValueStore {
  readonly #folder: string;
  #count = 0;

  /** `folder`: where this child may put files for the worker. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Checks and writes a task's answer; no answer is `null`. */
  produce(output: unknown, bounds: ValueBounds): ProducedValue {
    const value = (output === undefined ? null : output) as Json;
    const fault = findJsonFault(value);
    if (fault) {
      throw new MillraceError("MILLRACE_VALUE_NOT_JSON", {
        message: `the task's output can't be carried by JSON: ${formatPath(fault.path)} is ${fault.found}`,
        fields: { path: formatPath(fault.path), found: fault.found },
      });
    }
    const text = JSON.stringify(value);
    if (text.length <= bounds.inlineBytesMax && Buffer.byteLength(text) <= bounds.inlineBytesMax)
      return { value };
    const bytes = Buffer.from(text);
    if (bytes.length > bounds.outputBytesMax) {
      throw new MillraceError("MILLRACE_OUTPUT_TOO_LARGE", {
        message: `the task's output is ${bytes.length} bytes of JSON, more than ${bounds.outputBytesMax}`,
        fields: { bytes: bytes.length, bytesMax: bounds.outputBytesMax },
      });
    }
    return this.write(bytes);
  }

  /** Puts bytes into a file of the worker's folder. */
  write(bytes: Uint8Array): { readonly file: string; readonly blob: string; readonly bytes: number } {
    this.#count += 1;
    const file = join(this.#folder, `${process.pid}-${this.#count}`);
    try {
      writeFileSync(file, bytes, { mode: 0o600 });
    } catch (error) {
      // The disk is full: half a file would keep it so.
      rmSync(file, { force: true });
      throw error;
    }
    return { file, blob: createHash("sha256").update(bytes).digest("hex"), bytes: bytes.length };
  }

  read(value: LocalValue): Json {
    return "value" in value ? value.value : (JSON.parse(readFileSync(value.file, "utf8")) as Json);
  }
}
