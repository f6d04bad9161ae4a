/** The reader of folders on real folders; a file system that fails stands in only where a test can't make a real one fail. */
import {
  appendFileSync,
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { errorCodeOf } from "@millrace/core";
import { expect, test } from "vitest";
import { nodeDirectory } from "../../src/files/index.ts";
import { Stage } from "./stage.ts";

test("what is there at the start, and what comes later, is told once, with all that a task needs", async () => {
  const stage = new Stage();
  stage.write("a.csv", "12345");
  stage.write("deep/er/b.csv");
  stage.write("c.txt");
  await stage.start();
  expect(stage.host.begun).toBe(1);
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1", "deep/er/b.csv 1"]));
  stage.write("later.csv");
  stage.write("new/folder/d.csv");
  await stage.until(() =>
    expect(stage.host.arrivals()).toEqual([
      "a.csv 1",
      "deep/er/b.csv 1",
      "later.csv 1",
      "new/folder/d.csv 1",
    ]),
  );
  const { data } = stage.host.told.find(({ subject }) => subject === "deep/er/b.csv")!;
  expect(data).toEqual({
    path: stage.path("deep/er/b.csv"),
    relative: "deep/er/b.csv",
    name: "b.csv",
    folder: stage.path("deep/er"),
    size: 13,
    mtime: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    version: 1,
    fingerprint: expect.stringMatching(/^13-\d+$/),
  });
});

test("folders that come with folders in them are watched, too", async () => {
  const stage = new Stage({ rescanMs: 600_000 });
  await stage.start();
  stage.write("2026/11/27/08/a.csv");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["2026/11/27/08/a.csv 1"]));
  stage.write("2026/11/27/08/b.csv");
  stage.write("2026/11/c.csv");
  await stage.until(() => expect(stage.host.arrivals()).toHaveLength(3));
  mkdirSync(join(stage.root, "tree", "deep", "er"), { recursive: true });
  renameSync(join(stage.root, "tree"), stage.path("tree"));
  stage.write("tree/d.csv");
  await stage.until(() => expect(stage.host.arrivals()).toHaveLength(4));
  stage.write("tree/deep/er/e.csv");
  stage.write("tree/deep/f.csv");
  await stage.until(() => expect(stage.host.arrivals()).toHaveLength(6));
});

test("another reader with the same memory tells nothing again, only what came and changed meanwhile (F1)", async () => {
  const stage = new Stage();
  for (const file of ["a.csv", "b.csv", "c.csv"]) stage.write(file);
  await stage.start();
  await stage.until(() => expect(stage.host.arrivals()).toHaveLength(3));
  await stage.stop();
  stage.write("b.csv", "changed");
  stage.write("d.csv");
  rmSync(stage.path("c.csv"));
  await stage.start();
  await stage.until(() =>
    expect(stage.host.arrivals()).toEqual(["a.csv 1", "b.csv 1", "b.csv 2", "c.csv 1", "d.csv 1"]),
  );
  await stage.until(() =>
    expect([...stage.host.memory.keys()].toSorted()).toEqual(["a.csv", "b.csv", "d.csv"]),
  );
  expect(stage.host.gone()).toEqual([]);
});

test("a changed file is a new version, by its size or its time", async () => {
  const stage = new Stage();
  stage.write("a.csv", "1");
  await stage.start();
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1"]));
  appendFileSync(stage.path("a.csv"), "2");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1", "a.csv 2"]));
  stage.touch("a.csv", 1_700_000_000);
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1", "a.csv 2", "a.csv 3"]));
});

test("a deleted file is forgotten and told where that is asked for; under its name a new one begins anew", async () => {
  const stage = new Stage({ goneType: "file.gone" });
  stage.write("a.csv");
  stage.write("sub/b.csv");
  await stage.start();
  await stage.until(() => expect(stage.host.arrivals()).toHaveLength(2));
  rmSync(stage.path("a.csv"));
  rmSync(stage.path("sub"), { recursive: true });
  await stage.until(() => expect(stage.host.gone()).toEqual(["a.csv 1", "sub/b.csv 1"]));
  expect(stage.host.memory.size).toBe(0);
  stage.write("a.csv");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1", "a.csv 1", "sub/b.csv 1"]));
});

test("a file that grows is told when it has been quiet, and not before (F2)", async () => {
  const stage = new Stage({ quietMs: 600 });
  await stage.start();
  const sizes: number[] = [];
  for (let part = 1; part <= 4; part += 1) {
    appendFileSync(stage.path("a.csv"), "part");
    // The reader has seen this part, and starts to wait anew.
    await stage.until(() => expect(stage.host.detail?.settling).toBe(1));
    sizes.push(stage.host.told.length);
  }
  expect(sizes).toEqual([0, 0, 0, 0]);
  await stage.until(() => expect(stage.host.told).toHaveLength(1));
  expect(stage.host.told[0]!.data).toMatchObject({ size: 16 });
});

test("with the protocol rename a file is told as soon as it has its name", async () => {
  const stage = new Stage({ protocol: "rename", glob: "*.csv" });
  stage.write("a.csv.part", "half");
  await stage.start();
  renameSync(stage.path("a.csv.part"), stage.path("a.csv"));
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1"]));
});

test.each([
  ["*.done", "a.csv.done"],
  ["*.done", "a.done"],
  ["_SUCCESS", "_SUCCESS"],
  [".ok-*", ".ok-a.csv"],
])("with the marker %s a file waits for %s", async (marker, file) => {
  const stage = new Stage({ protocol: "marker", marker, glob: "**" });
  stage.write("day/a.csv");
  stage.write("day2/a.csv");
  await stage.start();
  expect(stage.host.told).toEqual([]);
  expect(stage.host.detail?.waiting).toBe(2);
  stage.write(`day/${file}`, "");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["day/a.csv 1"]));
  // An older marker does not speak for a later version.
  stage.write("day/a.csv", "changed");
  stage.touch(`day/${file}`, 1_700_000_000);
  stage.write("day2/other", "");
  stage.write(`day2/${file}`, "");
  await stage.until(() => expect(stage.host.arrivals()).toContain("day2/a.csv 1"));
  expect(stage.host.arrivals()).not.toContain("day/a.csv 2");
  stage.write(`day/${file}`, "");
  await stage.until(() => expect(stage.host.arrivals()).toContain("day/a.csv 2"));
  expect(stage.host.arrivals().filter((one) => one.includes(file))).toEqual([]);
});

test("the marker of a file that is gone does not speak for a new one of its name (F2)", async () => {
  const stage = new Stage({ protocol: "marker", marker: "*.done", glob: "*.csv" });
  stage.write("a.csv", "whole");
  stage.write("a.csv.done", "");
  await stage.start();
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1"]));
  rmSync(stage.path("a.csv"));
  await stage.until(() => expect(stage.host.memory.size).toBe(0));
  stage.touch("a.csv.done", 1_700_000_000);
  stage.write("a.csv", "half");
  stage.write("b.csv");
  stage.write("b.csv.done", "");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1", "b.csv 1"]));
  appendFileSync(stage.path("a.csv"), ", and the rest");
  stage.write("a.csv.done", "");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1", "a.csv 1", "b.csv 1"]));
  expect(stage.host.told.at(-1)!.data).toMatchObject({ size: 18 });
});

test("a marker that was copied before its file speaks for it after a minute's rest", async () => {
  const rested = new Set<string>();
  const stage = new Stage(
    { protocol: "marker", marker: "_SUCCESS", glob: "part-*", rescanMs: 100 },
    {
      look: async (path) => {
        const look = await nodeDirectory.look(path);
        return look && rested.has(path) ? { ...look, changedAt: Date.now() - 61_000 } : look;
      },
    },
  );
  stage.write("_SUCCESS", "");
  stage.touch("_SUCCESS", 1_600_000_000);
  for (const file of ["part-1", "part-2"]) {
    stage.write(file);
    stage.touch(file, 1_700_000_000);
  }
  rested.add(stage.path("part-1"));
  await stage.start();
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["part-1 1"]));
  expect(stage.host.detail?.waiting).toBe(1);
  rested.add(stage.path("part-2"));
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["part-1 1", "part-2 1"]));
});

test("a file that is completed and marked between two looks is told as it is then, once", async () => {
  let isFirst = true;
  const stage: Stage = new Stage(
    { protocol: "marker", marker: "_SUCCESS", glob: "**" },
    {
      look: async (path) => {
        const look = await nodeDirectory.look(path);
        if (isFirst && path.endsWith("part-1")) {
          isFirst = false;
          stage.write("part-1", "whole");
          stage.write("_SUCCESS", "");
        }
        return look;
      },
    },
  );
  stage.write("part-1", "");
  await stage.start();
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["part-1 1"]));
  expect(stage.host.told[0]!.data).toMatchObject({ size: 5 });
});

test("what the glob does not name, what is ignored, and what begins with a dot is not told", async () => {
  const stage = new Stage({
    glob: "{in,out}/*.{csv,json}",
    ignore: ["**/skip*", "out/private/**"],
    protocol: "rename",
  });
  for (const file of [
    "in/a.csv",
    "out/b.json",
    "in/c.txt",
    "in/deep/d.csv",
    "e.csv",
    "in/skip.csv",
    "out/private/f.csv",
    "in/.hidden.csv",
    ".in/g.csv",
  ])
    stage.write(file);
  await stage.start();
  expect(stage.host.arrivals()).toEqual(["in/a.csv 1", "out/b.json 1"]);
  expect(stage.host.detail).toMatchObject({ things: 2 });
});

test("files with odd names are told; one that is not UTF-8 is left out and told as a problem", async () => {
  const stage = new Stage({ protocol: "rename", glob: "**" });
  const odd = ["wörld\n.csv", "a b'\"\\.csv", "\u{1f600}", "e\u0301.csv", "-rf", "$(x)"];
  for (const file of odd) stage.write(file);
  writeFileSync(Buffer.concat([Buffer.from(`${stage.path("")}/`), Buffer.from([0xff, 0xfe])]), "x");
  await stage.start();
  // A subject has no control characters.
  const subjects = odd.map((file) => (file.includes("\n") ? undefined : file));
  expect(stage.host.arrivals()).toEqual(subjects.map((subject) => `${subject} 1`).toSorted());
  const names = stage.host.told.map(({ data }) => (data as { readonly relative: string }).relative);
  expect(names.toSorted()).toEqual(odd.toSorted());
  expect(stage.host.detail?.problem).toMatchObject({ code: "MILLRACE_FILE_NAME" });
});

test("a link to a file is that file; links to folders, and links to nothing, are passed over", async () => {
  const stage = new Stage({ protocol: "rename" });
  writeFileSync(join(stage.root, "outside.csv"), "12");
  symlinkSync(join(stage.root, "outside.csv"), stage.path("link.csv"));
  symlinkSync(stage.path(""), stage.path("circle.csv"));
  symlinkSync(join(stage.root, "nowhere"), stage.path("broken.csv"));
  symlinkSync(stage.path("self.csv"), stage.path("self.csv"));
  stage.write("sub/real.csv");
  linkSync(stage.path("sub/real.csv"), stage.path("hard.csv"));
  await stage.start();
  expect(stage.host.arrivals()).toEqual(["hard.csv 1", "link.csv 1", "sub/real.csv 1"]);
  mkdirSync(join(stage.root, "elsewhere"));
  writeFileSync(join(stage.root, "elsewhere/x.csv"), "x");
  symlinkSync(join(stage.root, "elsewhere"), stage.path("folder-link"));
  stage.write("last.csv");
  await stage.until(() => expect(stage.host.arrivals()).toContain("last.csv 1"));
  expect(stage.host.arrivals()).toHaveLength(4);
});

test("the folder itself may be a link", async () => {
  const stage = new Stage({ folder: "link", protocol: "rename" });
  symlinkSync(stage.path(""), join(stage.root, "link"));
  stage.write("a.csv");
  await stage.start();
  stage.write("b.csv");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1", "b.csv 1"]));
});

test("a folder that is missing, and one that is a file, is an error that says so", async () => {
  const stage = new Stage({ folder: "nope" });
  stage.begin();
  const missing = await stage.failure();
  expect(errorCodeOf(missing)).toBe("MILLRACE_FOLDER_MISSING");
  expect(String(missing)).toContain(join(stage.root, "nope"));
  stage.write("file");
  stage.begin({ folder: "in/file" });
  expect(errorCodeOf(await stage.failure())).toBe("MILLRACE_FOLDER_FAILED");
});

test("a folder that goes away ends the reader, and nothing of it is forgotten (F4)", async () => {
  const stage = new Stage({ goneType: "file.gone" });
  stage.write("a.csv");
  await stage.start();
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1"]));
  renameSync(stage.path(""), join(stage.root, "away"));
  stage.write("../trigger");
  rmSync(join(stage.root, "away"), { recursive: true });
  expect(errorCodeOf(await stage.failure())).toBe("MILLRACE_FOLDER_MISSING");
  expect(stage.host.memory.size).toBe(1);
});

test("a folder that is deleted and made anew is read on", async () => {
  const stage = new Stage({ rescanMs: 1_000, goneType: "file.gone" });
  stage.write("a.csv");
  await stage.start();
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1"]));
  rmSync(stage.path(""), { recursive: true });
  mkdirSync(stage.path(""));
  stage.write("b.csv");
  // The reader met the folder either while it was away, or as another one.
  const restart = async (): Promise<void> => {
    const failure = await Promise.race([stage.failure(), Promise.resolve("reads")]);
    if (failure !== "reads") stage.begin();
  };
  await restart();
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1", "b.csv 1"]));
  await stage.until(() => expect(stage.host.gone()).toEqual(["a.csv 1"]));
  stage.write("c.csv");
  await stage.until(() => expect(stage.host.arrivals()).toContain("c.csv 1"));
});

test("an empty folder forgets nothing at the start: it may be a mount that is not there (F4)", async () => {
  const stage = new Stage({ goneType: "file.gone" });
  stage.host.memory.set("a.csv", { fingerprint: "1-1", version: 3 });
  await stage.start();
  expect(stage.host.memory.size).toBe(1);
  await stage.stop();
  stage.write("other.txt");
  await stage.start();
  await stage.until(() => expect(stage.host.gone()).toEqual(["a.csv 3"]));
});

test("what was deleted while nobody looked is gone at the next start, also if it was all that was there (F4)", async () => {
  const stage = new Stage({ goneType: "file.gone", protocol: "rename" });
  await stage.start();
  // Told by the system, after the only look at the whole folder.
  stage.write("a.csv");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1"]));
  await stage.stop();
  rmSync(stage.path("a.csv"));
  await stage.start();
  expect(stage.host.gone()).toEqual(["a.csv 1"]);
});

test("an empty folder that stands where another one stood forgets nothing at the start (F4)", async () => {
  const stage = new Stage({ goneType: "file.gone", protocol: "rename" });
  stage.write("a.csv");
  await stage.start();
  await stage.stop();
  renameSync(stage.path(""), `${stage.root}/before`);
  mkdirSync(stage.path(""));
  await stage.start();
  expect(stage.host.gone()).toEqual([]);
  expect([...stage.host.memory.keys()]).toEqual(["a.csv"]);
});

test("a folder on another device than before forgets nothing while it is empty (F4)", async () => {
  let device = "1";
  const stage = new Stage(
    { goneType: "file.gone", rescanMs: 1_000 },
    {
      look: async (path) => {
        const found = await nodeDirectory.look(path);
        return found && { ...found, device, identity: `${device}:${found.identity}` };
      },
    },
  );
  stage.write("a.csv");
  await stage.start();
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1"]));
  await stage.stop();
  device = "2";
  rmSync(stage.path("a.csv"));
  await stage.start();
  expect(stage.host.memory.size).toBe(1);
});

test("a folder below that may not be read is a problem; the others are read, and nothing in it is forgotten", async () => {
  const stage = new Stage(
    { protocol: "rename", goneType: "file.gone" },
    {
      list: async function* list(path) {
        if (path.endsWith("/secret")) throw refused(path);
        yield* nodeDirectory.list(path);
      },
      look: async (path) => {
        if (path.includes("/secret/")) throw refused(path);
        return nodeDirectory.look(path);
      },
    },
  );
  stage.host.memory.set("secret/old.csv", { fingerprint: "1-1", version: 1 });
  stage.write("secret/a.csv");
  stage.write("open/b.csv");
  await stage.start();
  expect(stage.host.arrivals()).toEqual(["open/b.csv 1"]);
  expect(stage.host.detail?.problem).toMatchObject({
    code: "MILLRACE_FOLDER_REFUSED",
    message: expect.stringContaining("secret"),
  });
  expect([...stage.host.memory.keys()]).toContain("secret/old.csv");
});

test("a folder below that may be read again is a problem no more, and is watched from then on", async () => {
  let isClosed = true;
  let watches = 0;
  const stage = new Stage(
    { protocol: "rename" },
    {
      list: async function* list(path) {
        if (isClosed && path.endsWith("/secret")) throw refused(path);
        yield* nodeDirectory.list(path);
      },
      watch: (path, options) => {
        watches += 1;
        return nodeDirectory.watch(path, options);
      },
    },
  );
  stage.write("secret/a.csv");
  await stage.start();
  expect(stage.host.detail?.problem).toMatchObject({ code: "MILLRACE_FOLDER_REFUSED" });
  const scannedAt = stage.host.detail!.scan!.at;
  isClosed = false;
  // Nothing tells of it: it is tried again long before the whole folder is looked through.
  await stage.until(() => expect(stage.host.detail?.scan?.at).toBeGreaterThan(scannedAt));
  expect(stage.host.detail?.problem).toBeUndefined();
  expect(stage.host.arrivals()).toEqual(["secret/a.csv 1"]);
  expect(watches).toBe(2);
  stage.write("secret/b.csv");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["secret/a.csv 1", "secret/b.csv 1"]));
}, 20_000);

test("a folder that can't be read any more is a problem as soon as the system tells of it, and only for as long", async () => {
  let isClosed = false;
  const stage = new Stage(
    { protocol: "rename" },
    {
      list: async function* list(path) {
        if (isClosed && path.endsWith("/secret")) throw refused(path);
        yield* nodeDirectory.list(path);
      },
    },
  );
  stage.write("secret/a.csv");
  await stage.start();
  isClosed = true;
  chmodSync(stage.path("secret"), 0o711);
  await stage.until(() =>
    expect(stage.host.detail?.problem).toMatchObject({ code: "MILLRACE_FOLDER_REFUSED" }),
  );
  isClosed = false;
  await stage.until(() => expect(stage.host.detail?.problem).toBeUndefined());
});

test("a folder that may not be read at all is an error", async () => {
  const stage = new Stage({}, { list: (path) => throwing(refused(path)) });
  stage.begin();
  expect(errorCodeOf(await stage.failure())).toBe("MILLRACE_FOLDER_REFUSED");
  // It never said that it reads, or could.
  expect([stage.host.detail, stage.host.begun]).toEqual([undefined, 0]);
});

test("a disk that fails is an error", async () => {
  const error = Object.assign(new Error("ESTALE: stale file handle"), { code: "ESTALE", syscall: "stat" });
  const stage = new Stage({}, { look: () => Promise.reject(error) });
  stage.begin();
  const failure = await stage.failure();
  expect(errorCodeOf(failure)).toBe("MILLRACE_FOLDER_FAILED");
  expect(String(failure)).toContain("stale file handle");
});

test("where the system tells of no changes the folder is looked through instead, and that is told", async () => {
  const stage = new Stage(
    { protocol: "rename", rescanMs: 1_000 },
    { watch: () => Promise.reject(new Error("inotify_add_watch on '/in' failed: No space left on device")) },
  );
  await stage.start();
  expect(stage.host.detail?.problem).toMatchObject({
    code: "MILLRACE_FOLDER_UNWATCHED",
    message: expect.stringContaining("No space left"),
  });
  stage.write("a.csv");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1"]));
});

test("a change that nobody told is found by looking through the folder", async () => {
  const stage = new Stage(
    { protocol: "rename", rescanMs: 1_000, goneType: "file.gone" },
    { watch: () => Promise.resolve({ stop: () => Promise.resolve() }) },
  );
  await stage.start();
  stage.write("a.csv");
  await stage.until(() => expect(stage.host.arrivals()).toEqual(["a.csv 1"]));
  rmSync(stage.path("a.csv"));
  stage.write("b.csv");
  await stage.until(() => expect(stage.host.gone()).toEqual(["a.csv 1"]));
});

test("files that vanish while they are looked at are passed over", async () => {
  let isFirst = true;
  const stage = new Stage(
    { protocol: "rename" },
    {
      list: async function* list(path) {
        for await (const entries of nodeDirectory.list(path)) {
          if (isFirst) {
            isFirst = false;
            rmSync(stage.path("a.csv"));
            rmSync(stage.path("sub"), { recursive: true });
          }
          yield entries;
        }
      },
    },
  );
  for (const file of ["a.csv", "b.csv", "sub/c.csv"]) stage.write(file);
  await stage.start();
  expect(stage.host.arrivals()).toEqual(["b.csv 1"]);
});

test("20,000 files in one folder are told once, in batches, also when they come while it reads (F3)", async () => {
  const stage = new Stage({ protocol: "rename" });
  for (let at = 0; at < 10_000; at += 1) stage.write(`${at}.csv`, "");
  stage.begin();
  for (let at = 10_000; at < 20_000; at += 1) stage.write(`${at}.csv`, "");
  await stage.until(() => expect(stage.host.told.length).toBeGreaterThanOrEqual(20_000));
  expect(new Set(stage.host.arrivals()).size).toBe(stage.host.told.length);
  expect(stage.host.findingsMax).toBeLessThanOrEqual(500);
});

test("a burst beyond what can settle at once is told all the same", async () => {
  const stage = new Stage({ quietMs: 1_000 });
  await stage.start();
  for (let at = 0; at < 25_000; at += 1) stage.write(`${at}.csv`, "");
  await stage.until(() => expect(stage.host.told.length).toBeGreaterThanOrEqual(25_000));
  expect(new Set(stage.host.arrivals()).size).toBe(25_000);
});

function refused(path: string): Error {
  return Object.assign(new Error(`EACCES: permission denied, '${path}'`), {
    code: "EACCES",
    syscall: "open",
  });
}

// oxlint-disable-next-line require-yield -- it throws before it gives anything
async function* throwing(error: Error): AsyncGenerator<never> {
  throw error;
}
