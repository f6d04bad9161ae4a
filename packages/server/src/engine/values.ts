/** Large values: loads blobs into memory for a while, stores what is too large for a row. */
import { assert, MillraceError, type Json, type StoredValue } from "@millrace/core";
import { inlineBytesMax } from "@millrace/protocol";
import type { BlobStore } from "@millrace/store";

/** Loaded values that are kept, by the length of their texts. */
const cachedBytesMax = 64 * 1024 * 1024;

export class Values {
  readonly #blobs: Pick<BlobStore, "put" | "get">;
  readonly #cache = new Map<string, { readonly value: Json; readonly bytes: number }>();
  readonly #loading = new Map<string, Promise<Json>>();
  #cachedBytes = 0;

  constructor(blobs: Pick<BlobStore, "put" | "get">) {
    this.#blobs = blobs;
  }

  /** Those of `hashes` that are in memory. */
  cached(hash: string): Json | undefined {
    return this.#cache.get(hash)?.value;
  }

  async load(hash: string): Promise<Json> {
    const known = this.#cache.get(hash);
    if (known) return known.value;
    const loading = this.#loading.get(hash) ?? this.#read(hash);
    this.#loading.set(hash, loading);
    try {
      return await loading;
    } finally {
      this.#loading.delete(hash);
    }
  }

  /** A stored value with its content at hand. */
  async loaded(stored: StoredValue): Promise<StoredValue> {
    if (stored.blob === undefined || stored.value !== undefined) return stored;
    return { ...stored, value: await this.load(stored.blob) };
  }

  /** Keeps a value inline when it is small, else as a blob. `text`: what it was read from. */
  async store(value: Json, text = JSON.stringify(value)): Promise<StoredValue> {
    if (text.length <= inlineBytesMax) return { value };
    const hash = await this.#blobs.put(text);
    this.#remember(hash, value, text.length);
    return { blob: hash, bytes: Buffer.byteLength(text) };
  }

  async #read(hash: string): Promise<Json> {
    const bytes = await this.bytes(hash);
    const value = JSON.parse(Buffer.from(bytes).toString("utf8")) as Json;
    this.#remember(hash, value, bytes.length);
    return value;
  }

  /** What a blob holds. Throws MILLRACE_INTERNAL where the store lacks it. */
  async bytes(hash: string): Promise<Uint8Array> {
    const bytes = await this.#blobs.get(hash);
    if (!bytes) {
      throw new MillraceError("MILLRACE_INTERNAL", {
        message: `The blob ${hash} is not in the blob store.`,
        advice: "Check that all servers use one blob store.",
        fields: { hash },
      });
    }
    return bytes;
  }

  #remember(hash: string, value: Json, bytes: number): void {
    if (this.#cache.has(hash)) return;
    this.#cache.set(hash, { value, bytes });
    this.#cachedBytes += bytes;
    for (const [oldest, entry] of this.#cache) {
      if (this.#cachedBytes <= cachedBytesMax || oldest === hash) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= entry.bytes;
    }
    assert(this.#cachedBytes >= 0, "the cache counts what it holds");
  }
}
