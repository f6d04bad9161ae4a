import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, opendir, readFile, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { assert, MillraceError } from "@millrace/core";
import { makeFolder } from "../make-folder.ts";
import { stateFolderFailure } from "../state-failure.ts";
import type { BlobInfo, BlobStore } from "./blob-store.ts";

/** An unfinished file this old was left by a process that was killed. */
const abandonedAfterMs = 3_600_000;

/**
 * Blobs as files `ab/cdef…` of a folder, which is made if it is missing; several processes may share it.
 * Throws MILLRACE_STATE_FOLDER when the disk is full or the folder can't be written.
 */
export async function openFolderBlobStore(folder: string): Promise<BlobStore> {
  const incoming = join(folder, "incoming");
  try {
    await makeFolder(incoming);
    await removeAbandoned(incoming);
  } catch (error) {
    throw await stateFolderFailure(folder, error);
  }
  return new FolderBlobStore(folder);
}

class FolderBlobStore implements BlobStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(content: Uint8Array | string): Promise<string> {
    const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
    const hash = hashOf(bytes);
    const path = this.#pathOf(hash);
    try {
      if (!(await renew(path, bytes))) await this.#write(path, bytes);
    } catch (error) {
      throw await stateFolderFailure(this.#folder, error);
    }
    return hash;
  }

  async get(hash: string): Promise<Uint8Array | undefined> {
    const path = this.#pathOf(hash);
    const bytes = await readIfThere(path);
    if (bytes === undefined || hashOf(bytes) === hash) return bytes;
    throw new MillraceError("MILLRACE_BLOB_CORRUPT", {
      message: `The file ${path} no longer holds what was stored: ${bytes.length} bytes of another hash.`,
      fields: { hash, path, bytes: bytes.length },
    });
  }

  async has(hash: string): Promise<boolean> {
    return (await statIfThere(this.#pathOf(hash))) !== undefined;
  }

  /** Out of reach first, then looked at: whoever puts it meanwhile finds nothing and writes it again (B5). */
  async delete(hash: string, putBefore: number): Promise<boolean> {
    const path = this.#pathOf(hash);
    const aside = join(this.#folder, "incoming", randomUUID());
    const isThere = await rename(path, aside).then(() => true, rethrowUnlessMissing);
    if (!isThere) return false;
    const { mtimeMs } = await stat(aside);
    if (mtimeMs >= putBefore) {
      await rename(aside, path);
      return false;
    }
    await rm(aside);
    return true;
  }

  async *list(): AsyncIterable<BlobInfo> {
    for (const prefix of await readdir(this.#folder)) {
      if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
      for await (const entry of await opendir(join(this.#folder, prefix))) {
        const hash = prefix + entry.name;
        const found = isHash(hash) ? await statIfThere(this.#pathOf(hash)) : undefined;
        if (found !== undefined) yield { hash, bytes: found.size, putAt: found.mtimeMs };
      }
    }
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const draft = join(this.#folder, "incoming", randomUUID());
    try {
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      const made = await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await rename(draft, path);
      await syncFolder(dirname(path));
      if (made !== undefined) await syncFolder(this.#folder);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
  }

  #pathOf(hash: string): string {
    assert(isHash(hash), `a blob's hash is 64 hex digits, not ${hash.slice(0, 80)}`);
    return join(this.#folder, hash.slice(0, 2), hash.slice(2));
  }
}

/** True when the blob was there, whole; its time is then now. */
async function renew(path: string, bytes: Uint8Array): Promise<boolean> {
  const stored = await readIfThere(path);
  if (stored === undefined || !stored.equals(bytes)) return false;
  const now = new Date();
  // A sweeper of another process may delete it in this moment; then it is written again.
  return utimes(path, now, now).then(
    () => true,
    (error: unknown) => rethrowUnlessMissing(error) ?? false,
  );
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeAbandoned(incoming: string): Promise<void> {
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const found = await statIfThere(path);
    if (found !== undefined && Date.now() - found.mtimeMs > abandonedAfterMs) await rm(path, { force: true });
  }
}

function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(rethrowUnlessMissing);
}

function statIfThere(path: string) {
  return stat(path).catch(rethrowUnlessMissing);
}

function rethrowUnlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}

function isHash(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
