import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { blobStoreConformance, canMount, smallDisk } from "@millrace/testkit";
import { describe, expect, test } from "vitest";
import { openFolderBlobStore } from "../src/blob/folder-blob-store.ts";

async function storeInFolder() {
  const folder = await mkdtemp("/tmp/millrace-blobs-");
  return {
    store: await openFolderBlobStore(folder),
    corrupt: (hash: string, bytes: Uint8Array) =>
      writeFile(join(folder, hash.slice(0, 2), hash.slice(2)), bytes),
    dispose: () => rm(folder, { recursive: true }),
  };
}

describe("a folder is a blob store", () => {
  for (const rule of blobStoreConformance(storeInFolder)) test(rule.name, () => rule.run());
});

test("what a killed process left unfinished is removed once it is old", async () => {
  const folder = await mkdtemp("/tmp/millrace-blobs-");
  const incoming = join(folder, "incoming");
  await mkdir(incoming);
  for (const name of ["old", "young"]) await writeFile(join(incoming, name), "half");
  await utimes(join(incoming, "old"), 1_000, 1_000);
  await openFolderBlobStore(folder);
  expect(await readdir(incoming)).toEqual(["young"]);
  await rm(folder, { recursive: true });
});

test.runIf(canMount())(
  "a full disk is an error that names folder and free space, and leaves no half file",
  async () => {
    await using disk = await smallDisk("2m");
    const store = await openFolderBlobStore(join(disk.folder, "blobs"));
    const kept = await store.put("kept");
    await expect(store.put(Buffer.alloc(4 * 1024 * 1024, "x"))).rejects.toMatchObject({
      code: "MILLRACE_STATE_FOLDER",
      fields: { folder: join(disk.folder, "blobs"), freeBytes: expect.any(Number) },
    });
    expect(await readdir(join(disk.folder, "blobs", "incoming"))).toEqual([]);
    expect(await store.get(kept)).toEqual(Buffer.from("kept"));
  },
);

test("a folder that can't be made is an error that names it", async () => {
  const folder = await mkdtemp("/tmp/millrace-blobs-");
  await writeFile(join(folder, "file"), "");
  await expect(openFolderBlobStore(join(folder, "file", "blobs"))).rejects.toMatchObject({
    code: "MILLRACE_STATE_FOLDER",
  });
  await rm(folder, { recursive: true });
});
