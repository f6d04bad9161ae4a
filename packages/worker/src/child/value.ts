/** How values leave and enter a child: small ones in the message, large ones by file. */
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findJsonFault, formatPath, MillraceError, type ErrorCode, type Json } from "@millrace/core";
import type { LocalValue, ProducedValue } from "../pool/child-message.ts";

export interface ValueBounds {
  readonly inlineBytesMax: number;
  readonly bytesMax: number;
  /** Whose value it is, for messages. */
  readonly what: string;
  readonly tooLarge: ErrorCode;
}

export interface Produced {
  readonly carried: ProducedValue;
  /** Its JSON text. */
  readonly text: string;
}

/** Where values of an attempt go, and come from. */
export interface Values {
  /** Checks and writes a value; none is `null`. */
  produce(output: unknown, bounds: ValueBounds): Produced;
  /** Puts bytes where `read` finds them. */
  write(bytes: Uint8Array): { readonly file: string; readonly blob: string; readonly bytes: number };
  read(value: LocalValue): Json;
}

/** Checks a value; what is too long to stay inline is given to `write`. */
export function produceValue(output: unknown, bounds: ValueBounds, write: Values["write"]): Produced {
  const { inlineBytesMax, bytesMax, what, tooLarge } = bounds;
  const value = (output === undefined ? null : output) as Json;
  const fault = findJsonFault(value);
  if (fault) {
    throw new MillraceError("MILLRACE_VALUE_NOT_JSON", {
      message: `${what} can't be carried by JSON: ${formatPath(fault.path)} is ${fault.found}`,
      fields: { path: formatPath(fault.path), found: fault.found },
    });
  }
  const text = JSON.stringify(value);
  if (text.length <= inlineBytesMax && Buffer.byteLength(text) <= inlineBytesMax)
    return { carried: { value }, text };
  const bytes = Buffer.from(text);
  if (bytes.length > bytesMax) {
    throw new MillraceError(tooLarge, {
      message: `${what} is ${bytes.length} bytes of JSON, more than ${bytesMax}`,
      fields: { bytes: bytes.length, bytesMax },
    });
  }
  return { carried: write(bytes), text };
}

export class ValueStore implements Values {
  readonly #folder: string;
  #count = 0;

  /** `folder`: where this child may put files for the worker. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  produce(output: unknown, bounds: ValueBounds): Produced {
    return produceValue(output, bounds, (bytes) => this.write(bytes));
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
