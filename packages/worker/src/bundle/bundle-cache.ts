/**
 * Owns `<cacheFolder>/bundles/<hash>/`: fetches bundles by hash, verifies them, writes them whole or not at all, and removes
 * those that were not used for longest.
 *
 * B1: a folder appears under its hash only when its files are complete (a rename).
 * B2: code from here was compared with its hash in this process before a child imports it.
 */
import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, MillraceError } from "@millrace/core";
import type { BundleManifest, BundleUpload } from "@millrace/protocol";
import { limits } from "../limits.ts";
import type { LoadBundle } from "../pool/child-message.ts";
import { unexpectedAnswer, type Transfer } from "../transfer.ts";
import { findExternals } from "./externals.ts";

/** A bundle that a child can import. */
export interface PreparedBundle {
  readonly hash: string;
  readonly load: LoadBundle;
}

export class BundleCache {
  readonly #folder: string;
  readonly #transfer: Transfer;
  readonly #workFolder: string;
  /** In the order of use, the oldest first. */
  readonly #prepared = new Map<string, PreparedBundle>();
  readonly #preparing = new Map<string, Promise<PreparedBundle>>();

  constructor(folder: string, transfer: Transfer, workFolder: string) {
    this.#folder = folder;
    this.#transfer = transfer;
    this.#workFolder = workFolder;
  }

  /** The bundle, when it was prepared before. */
  peek(hash: string): PreparedBundle | undefined {
    return this.#prepared.get(hash);
  }

  /** Concurrent calls for one hash share the work; a failure is not remembered. */
  prepare(hash: string): Promise<PreparedBundle> {
    const known = this.#preparing.get(hash);
    if (known) return known;
    const preparing = this.#prepare(hash).finally(() => this.#preparing.delete(hash));
    this.#preparing.set(hash, preparing);
    return preparing;
  }

  async #prepare(hash: string): Promise<PreparedBundle> {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw corrupt(hash, "its hash is not 64 hexadecimal digits");
    const manifest = (await this.#readCached(hash)) ?? (await this.#fetch(hash));
    const names = Object.keys(manifest.externals);
    const root = names.length === 0 ? undefined : await findExternals(manifest, this.#workFolder);
    const load: LoadBundle = {
      kind: "load",
      file: join(this.#folder, hash, "bundle.mjs"),
      ...(root === undefined ? {} : { externals: { root, names } }),
    };
    const prepared = { hash, load };
    this.#prepared.set(hash, prepared);
    await this.#removeOld();
    return prepared;
  }

  async #readCached(hash: string): Promise<BundleManifest | undefined> {
    const folder = join(this.#folder, hash);
    try {
      const [manifest, code, map] = await Promise.all([
        readFile(join(folder, "manifest.json"), "utf8"),
        readFile(join(folder, "bundle.mjs"), "utf8"),
        readFile(join(folder, "bundle.mjs.map"), "utf8"),
      ]);
      return verify(hash, { manifest: JSON.parse(manifest) as BundleManifest, code, map });
    } catch {
      // Not there, or damaged by a crash: fetched anew.
      await rm(folder, { recursive: true, force: true });
      return undefined;
    }
  }

  async #fetch(hash: string): Promise<BundleManifest> {
    const path = `/bundles/${hash}`;
    const response = await this.#transfer.get(path);
    if (!response.ok) throw await unexpectedAnswer("GET", path, response);
    const upload = parseUpload(hash, await readBounded(response, limits.bundleBytesMax));
    const manifest = verify(hash, upload);
    await this.#write(hash, upload);
    return manifest;
  }

  async #write(hash: string, upload: BundleUpload): Promise<void> {
    const temporary = join(this.#folder, `.${hash}.${randomUUID()}`);
    await mkdir(temporary, { recursive: true });
    await Promise.all([
      writeFile(join(temporary, "manifest.json"), JSON.stringify(upload.manifest), { flush: true }),
      writeFile(join(temporary, "bundle.mjs"), upload.code, { flush: true }),
      writeFile(join(temporary, "bundle.mjs.map"), upload.map, { flush: true }),
    ]);
    try {
      await rename(temporary, join(this.#folder, hash));
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      // Another worker on this folder was first: equal hashes are equal bytes.
      if (!(await this.#readCached(hash))) throw error;
    }
  }

  async #removeOld(): Promise<void> {
    for (const hash of this.#prepared.keys()) {
      if (this.#prepared.size <= limits.bundleCacheMax) break;
      this.#prepared.delete(hash);
    }
    const names = await readdir(this.#folder);
    const unknown = names.filter((name) => !this.#prepared.has(name) && !this.#preparing.has(name));
    for (const name of unknown.slice(0, Math.max(0, names.length - limits.bundleCacheMax))) {
      await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }
}

function verify(hash: string, upload: BundleUpload): BundleManifest {
  const { hash: named, ...rest } = upload.manifest;
  const found = sha256(canonicalJson(rest));
  if (named !== hash || found !== hash) throw corrupt(hash, `its manifest has the hash ${found}`);
  if (sha256(upload.code) !== rest.codeHash)
    throw corrupt(hash, "its code has another hash than the manifest says");
  if (sha256(upload.map) !== rest.mapHash)
    throw corrupt(hash, "its source map has another hash than the manifest says");
  return upload.manifest;
}

function parseUpload(hash: string, text: string): BundleUpload {
  try {
    const upload = JSON.parse(text) as BundleUpload;
    if (typeof upload.code === "string" && typeof upload.map === "string" && upload.manifest) return upload;
  } catch (cause) {
    throw corrupt(hash, "the server's answer is not JSON", cause);
  }
  throw corrupt(hash, "the server's answer has no manifest, code or map");
}

export async function readBounded(response: Response, bytesMax: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > bytesMax) {
      throw new MillraceError("MILLRACE_BUNDLE_CORRUPT", {
        message: `an answer has more than ${bytesMax} bytes`,
      });
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function corrupt(hash: string, why: string, cause?: unknown): MillraceError {
  return new MillraceError("MILLRACE_BUNDLE_CORRUPT", {
    message: `bundle ${hash} can't be used: ${why}`,
    fields: { bundle: hash },
    ...(cause === undefined ? {} : { cause }),
  });
}
