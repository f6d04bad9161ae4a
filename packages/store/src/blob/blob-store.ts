/** What is known of a stored blob without reading it. */
export interface BlobInfo {
  readonly hash: string;
  readonly bytes: number;
  /** When it was last put, in milliseconds. A sweeper spares the young: their rows may not be committed yet. */
  readonly putAt: number;
}

/**
 * Content-addressed storage of large values: a folder, or an object store. Every implementation passes
 * `blobStoreConformance` of the testkit.
 *
 * B1: A blob's name is the SHA-256 of its bytes, in hex; it never changes, and putting it twice is one blob.
 * B2: When `put` returns, the blob survives a power failure; a reader sees all of it or nothing.
 * B3: `get` returns exactly the bytes that were put, or throws MILLRACE_BLOB_CORRUPT.
 * B4: Putting a blob that exists renews its `putAt`.
 * B5: A blob that is put while it is deleted as old stays, or is there again when `put` returns.
 */
export interface BlobStore {
  /** Text is stored as UTF-8. Returns the hash. */
  put(content: Uint8Array | string): Promise<string>;
  get(hash: string): Promise<Uint8Array | undefined>;
  has(hash: string): Promise<boolean>;
  /** Deletes a blob that was last put before `putBefore` (ms since 1970), and says whether it did. */
  delete(hash: string, putBefore: number): Promise<boolean>;
  /** All blobs, in no order; those put or deleted meanwhile may be missing or not. */
  list(): AsyncIterable<BlobInfo>;
}
