import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFolderBlobStore } from "../../src/blob/folder-blob-store.ts";
import { claimStateFolder, readServerFile } from "../../src/embedded/state-folder.ts";
import { ownIdentity } from "../../src/embedded/process-identity.ts";
import { temporaryFolder } from "./temporary-folder.ts";

test("a claimed folder refuses others with the owner's process and address until it is released", async () => {
  await using folder = await temporaryFolder();
  const claim = await claimStateFolder(folder.state);
  await expect(claimStateFolder(folder.state)).rejects.toMatchObject({
    code: "MILLRACE_STATE_IN_USE",
    fields: { pid: process.pid, url: undefined },
  });
  await claim.publish({ url: "http://127.0.0.1:4000" });
  await expect(claimStateFolder(folder.state)).rejects.toMatchObject({
    code: "MILLRACE_STATE_IN_USE",
    message: expect.stringContaining("http://127.0.0.1:4000"),
    fields: { pid: process.pid, url: "http://127.0.0.1:4000" },
  });
  expect(await readServerFile(folder.state)).toEqual({ pid: process.pid, url: "http://127.0.0.1:4000" });

  await Promise.all([claim.release(), claim.release()]);
  expect(await readServerFile(folder.state)).toBeUndefined();
  await (await claimStateFolder(folder.state)).release();
});

test("of many claims at once exactly one is granted, round after round", async () => {
  await using folder = await temporaryFolder();
  for (let round = 0; round < 20; round += 1) {
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => claimStateFolder(folder.state)));
    const granted = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(granted).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected")
        expect(result.reason).toMatchObject({ code: "MILLRACE_STATE_IN_USE" });
    }
    await granted[0]?.release();
  }
  expect(await readdir(join(folder.state, "owner"))).toHaveLength(1);
});

test("an owner that is gone is recognised, also when its process id is another's by now", async () => {
  await using folder = await temporaryFolder();
  await (await claimStateFolder(folder.state)).release();
  const own = await ownIdentity();
  const gone = [
    { ...own, startedAt: "1" },
    { ...own, realm: "another boot" },
    { ...own, pid: 2_000_000_000 },
  ];
  for (const [index, owner] of gone.entries()) {
    const name = `${String(1_000 + index * 1_000).padStart(8, "0")}.json`;
    await writeFile(join(folder.state, "owner", name), JSON.stringify(owner));
    await (await claimStateFolder(folder.state)).release();
  }
});

test("a folder that was removed can still be released", async () => {
  const folder = await temporaryFolder();
  const claim = await claimStateFolder(folder.state);
  await folder[Symbol.asyncDispose]();
  await claim.release();
});

test("what is published by nobody is not there", async () => {
  await using folder = await temporaryFolder();
  expect(await readServerFile(folder.state)).toBeUndefined();
});

test("a file in the folder's place is refused as no folder", async () => {
  await using folder = await temporaryFolder();
  await writeFile(folder.state, "");
  for (const path of [folder.state, join(folder.state, "below")]) {
    await expect(claimStateFolder(path)).rejects.toMatchObject({
      code: "MILLRACE_STATE_FOLDER",
      message: expect.stringContaining("is not a folder"),
    });
  }
});

test.skipIf(!existsSync("/proc/self"))(
  "a folder that can't be made where it is named is refused [on Linux]",
  async () => {
    const refused = {
      code: "MILLRACE_STATE_FOLDER",
      message: expect.stringContaining("can't be made there"),
    };
    await expect(claimStateFolder("/proc/millrace/state")).rejects.toMatchObject(refused);
    await expect(openFolderBlobStore("/proc/millrace")).rejects.toMatchObject(refused);
  },
);

test("folders above a new state folder are made with it", async () => {
  await using folder = await temporaryFolder();
  const claim = await claimStateFolder(join(folder.state, "a", "b"));
  expect(await readServerFile(claim.folder)).toBeUndefined();
  await claim.release();
});
