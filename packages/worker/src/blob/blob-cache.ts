/**
 * Owns `<cacheFolder>/blobs/`: large values on this machine, by hash. Inputs come from the server once; outputs that were
 * made here stay here, for the next task often reads them. Bounded by bytes; what an attempt uses is pinned.
 */
import { createHash, randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { MillraceError } from "@millrace/core";
import { limits } from "../limits.ts";
import { unexpectedAnswer, type Transfer } from "../transfer.ts";

interface Entry {
  readonly bytes: number;
  pins: number;
}

export class BlobCache {
  readonly #folder: string;
  readonly #transfer: Transfer;
  /** In the order of use, the oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #fetching = new Map<string, Promise<void>>();
  #bytes = 0;

  constructor(folder: string, transfer: Transfer) {
    this.#folder = folder;
    this.#transfer = transfer;
  }

  /** Makes the folder. What an earlier process left is dropped: its files were not verified by this one. */
  async open(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    for (const name of await readdir(this.#folder))
      await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  /** The file of a blob, fetched and verified when it is not here. Call `unpin` when it was read. */
  async pin(hash: string): Promise<string> {
    if (!this.#entries.has(hash)) await this.#fetchOnce(hash);
    const entry = this.#entries.get(hash);
    if (!entry) return this.pin(hash);
    entry.pins += 1;
    this.#touch(hash, entry);
    return this.#file(hash);
  }

  unpin(hash: string): void {
    const entry = this.#entries.get(hash);
    if (entry) entry.pins -= 1;
  }

  /** Uploads a file that a child made, and keeps it here under its hash. */
  async store(file: string, hash: string, bytes: number): Promise<void> {
    await this.#transfer.putFile(`/blobs/${hash}`, file);
    await rename(file, this.#file(hash));
    await this.#add(hash, bytes);
  }

  #fetchOnce(hash: string): Promise<void> {
    const known = this.#fetching.get(hash);
    if (known) return known;
    const fetching = this.#fetch(hash).finally(() => this.#fetching.delete(hash));
    this.#fetching.set(hash, fetching);
    return fetching;
  }

  async #fetch(hash: string): Promise<void> {
    const path = `/blobs/${hash}`;
    const response = await this.#transfer.get(path);
    if (!response.ok || !response.body) throw await unexpectedAnswer("GET", path, response);
    const temporary = join(this.#folder, `.${randomUUID()}`);
    const digest = createHash("sha256");
    try {
      const body = Readable.from(response.body as AsyncIterable<Uint8Array>);
      body.on("data", (chunk: Uint8Array) => digest.update(chunk));
      await pipeline(body, createWriteStream(temporary, { mode: 0o600 }));
      const found = digest.digest("hex");
      if (found !== hash) {
        throw new MillraceError("MILLRACE_BLOB_CORRUPT", {
          message: `blob ${hash} came with other bytes: their hash is ${found}`,
          fields: { blob: hash, found },
        });
      }
      await rename(temporary, this.#file(hash));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await this.#add(hash, (await stat(this.#file(hash))).size);
  }

  async #add(hash: string, bytes: number): Promise<void> {
    const known = this.#entries.get(hash);
    if (known) return this.#touch(hash, known);
    this.#entries.set(hash, { bytes, pins: 0 });
    this.#bytes += bytes;
    for (const [old, entry] of this.#entries) {
      if (this.#bytes <= limits.blobCacheBytesMax) return;
      if (entry.pins > 0 || old === hash) continue;
      this.#entries.delete(old);
      this.#bytes -= entry.bytes;
      await rm(this.#file(old), { force: true });
    }
  }

  #touch(hash: string, entry: Entry): void {
    this.#entries.delete(hash);
    this.#entries.set(hash, entry);
  }

  #file(hash: string): string {
    return join(this.#folder, hash);
  }
}
