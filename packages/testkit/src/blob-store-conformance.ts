import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { errorCodeOf } from "@millrace/core";
import type { BlobInfo, BlobStore } from "@millrace/store";
import type { ConformanceCase } from "./conformance.ts";
import { seededRandom } from "./seeded-random.ts";

export interface BlobStoreUnderTest {
  readonly store: BlobStore;
  /** Replaces a stored blob's bytes behind the store's back. */
  corrupt(hash: string, bytes: Uint8Array): Promise<void>;
  dispose(): Promise<void>;
}

/** The rules of `BlobStore`; each case gets an empty store from `makeStore`. */
export function blobStoreConformance(makeStore: () => Promise<BlobStoreUnderTest>): ConformanceCase[] {
  return Object.entries(rules).map(([name, rule]) => ({
    name,
    run: async () => {
      const subject = await makeStore();
      try {
        await rule(subject);
      } finally {
        await subject.dispose();
      }
    },
  }));
}

type Rule = (subject: BlobStoreUnderTest) => Promise<void>;

/** Whatever was put, it was before this. */
const always = Number.MAX_SAFE_INTEGER;
const absent = "0".repeat(64);

const rules: { readonly [name: string]: Rule } = {
  "what was put is read back under its SHA-256": async ({ store }) => {
    const bytes = someBytes(70_000);
    const hash = await store.put(bytes);
    assert.equal(hash, hashOf(bytes));
    assert.ok(await store.has(hash));
    assertSameBytes(await store.get(hash), bytes);
  },

  "text is stored as UTF-8": async ({ store }) => {
    const hash = await store.put("Grüße, 水車 🌊");
    assertSameBytes(await store.get(hash), Buffer.from("Grüße, 水車 🌊", "utf8"));
  },

  "an empty value is a value": async ({ store }) => {
    const hash = await store.put("");
    assert.ok(await store.has(hash));
    assertSameBytes(await store.get(hash), new Uint8Array());
  },

  "a value of 20 MB is stored whole": async ({ store }) => {
    const bytes = Buffer.alloc(20 * 1024 * 1024, "millrace");
    assertSameBytes(await store.get(await store.put(bytes)), bytes);
  },

  "what was never put is not there": async ({ store }) => {
    assert.equal(await store.get(absent), undefined);
    assert.equal(await store.has(absent), false);
    assert.equal(await store.delete(absent, always), false);
  },

  "a deleted blob is gone and can be put again": async ({ store }) => {
    const hash = await store.put("once");
    assert.equal(await store.delete(hash, always), true);
    assert.equal(await store.get(hash), undefined);
    assert.equal(await store.has(hash), false);
    assert.equal(await store.put("once"), hash);
    assertSameBytes(await store.get(hash), Buffer.from("once"));
  },

  "a blob that was put again since is not deleted": async ({ store }) => {
    const hash = await store.put("young");
    const [blob] = await listAll(store);
    assert.equal(await store.delete(hash, blob!.putAt), false);
    assertSameBytes(await store.get(hash), Buffer.from("young"));
    assert.equal(await store.delete(hash, blob!.putAt + 1), true);
  },

  "a blob that is put while it is deleted is there": async ({ store }) => {
    const bytes = someBytes(1_000);
    for (let round = 0; round < 50; round += 1) {
      const old = Date.now() - 60_000;
      const [hash] = await Promise.all([store.put(bytes), store.delete(hashOf(bytes), old)]);
      assertSameBytes(await store.get(hash), bytes);
    }
  },

  "a list holds each blob once, with its size": async ({ store }) => {
    const contents = ["a", "bb", "ccc", "bb"];
    const hashes = await Promise.all(contents.map((content) => store.put(content)));
    const listed = await listAll(store);
    assert.deepEqual(listed.map(({ hash }) => hash).sort(), [...new Set(hashes)].sort());
    for (const { hash, bytes } of listed) assert.equal(bytes, contents[hashes.indexOf(hash)]?.length);
  },

  "an empty store lists nothing": async ({ store }) => {
    assert.deepEqual(await listAll(store), []);
  },

  "putting a blob again renews its time": async ({ store }) => {
    await store.put("again");
    const before = (await listAll(store))[0];
    assert.ok(before !== undefined);
    const repeatUntil = performance.now() + 5_000;
    let after = before;
    while (after.putAt <= before.putAt && performance.now() < repeatUntil) {
      await store.put("again");
      after = (await listAll(store))[0] ?? before;
    }
    assert.ok(after.putAt > before.putAt, "the time stayed as it was");
  },

  "many puts of one value at once give one whole blob": async ({ store }) => {
    const bytes = someBytes(200_000);
    const hashes = await Promise.all(Array.from({ length: 20 }, () => store.put(bytes)));
    assert.equal(new Set(hashes).size, 1);
    assert.equal((await listAll(store)).length, 1);
    assertSameBytes(await store.get(hashes[0] ?? absent), bytes);
  },

  "a reader never sees a part of a blob": async ({ store }) => {
    const bytes = someBytes(500_000);
    const hash = hashOf(bytes);
    const state = { writing: true };
    const write = async () => {
      for (let round = 0; round < 20; round += 1) {
        await store.put(bytes);
        await store.delete(hash, always);
      }
      state.writing = false;
    };
    const read = async () => {
      while (state.writing) {
        const found = await store.get(hash);
        if (found !== undefined) assertSameBytes(found, bytes);
      }
    };
    await Promise.all([write(), read()]);
  },

  "bytes that no longer match their hash are an error, not a value": async (subject) => {
    const { store } = subject;
    const hash = await store.put("good");
    await subject.corrupt(hash, Buffer.from("evil"));
    await assert.rejects(store.get(hash), (error) => errorCodeOf(error) === "MILLRACE_BLOB_CORRUPT");
  },

  "putting the right bytes mends a corrupt blob": async (subject) => {
    const { store } = subject;
    const hash = await store.put("good");
    await subject.corrupt(hash, Buffer.from("evil"));
    await store.put("good");
    assertSameBytes(await store.get(hash), Buffer.from("good"));
  },

  "what is no hash is refused": async ({ store }) => {
    for (const wrong of ["", "../secret", "A".repeat(64), `${absent}0`, `../${"0".repeat(61)}`]) {
      await assert.rejects(store.get(wrong), /64 hex digits/);
      await assert.rejects(store.has(wrong), /64 hex digits/);
      await assert.rejects(store.delete(wrong, always), /64 hex digits/);
    }
  },
};

async function listAll(store: BlobStore): Promise<BlobInfo[]> {
  const listed: BlobInfo[] = [];
  for await (const info of store.list()) listed.push(info);
  return listed;
}

function assertSameBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  assert.ok(actual !== undefined, "the blob is not there");
  assert.equal(Buffer.compare(actual, expected), 0, "the blob's bytes differ");
}

function someBytes(length: number): Uint8Array {
  const random = seededRandom(length);
  return Uint8Array.from({ length }, () => random.below(256));
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
