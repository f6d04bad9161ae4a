/** Values of a testbed's attempts: in memory, each a copy that nobody else holds. */
import { createHash } from "node:crypto";
import type { Json } from "@millrace/core";
import {
  produceValue,
  type LocalValue,
  type Produced,
  type ValueBounds,
  type Values,
} from "@millrace/worker/attempt";

export class MemoryValues implements Values {
  readonly #kept = new Map<string, Uint8Array>();

  produce(output: unknown, bounds: ValueBounds): Produced {
    const { carried, text } = produceValue(output, bounds, (bytes) => this.write(bytes));
    return "value" in carried ? { carried: { value: JSON.parse(text) as Json }, text } : { carried, text };
  }

  write(bytes: Uint8Array): { readonly file: string; readonly blob: string; readonly bytes: number } {
    const blob = createHash("sha256").update(bytes).digest("hex");
    this.#kept.set(blob, Uint8Array.from(bytes));
    return { file: blob, blob, bytes: bytes.length };
  }

  read(value: LocalValue): Json {
    if ("value" in value) return structuredClone(value.value);
    return JSON.parse(Buffer.from(this.bytesOf(value.file)).toString("utf8")) as Json;
  }

  bytesOf(file: string): Uint8Array {
    const bytes = this.#kept.get(file);
    if (!bytes) throw new Error("invariant broken: what is read was written");
    return bytes;
  }
}
