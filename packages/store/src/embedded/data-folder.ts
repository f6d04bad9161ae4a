import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import {
  chmod,
  chown,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { MillraceError } from "@millrace/core";
import { describeStateFailure, saysDiskFull } from "../state-failure.ts";
import { type Account, chooseAccount, isReachable } from "./account.ts";
import { type Binaries, sharedRoot } from "./binaries.ts";

/** The state folder's note of where its data are, when its user can't reach them inside. */
const pointerName = "postgres.location";
const majorVersion = "18";
/** An empty cluster takes 44 MB; below this a first start would end in the middle. */
const firstStartBytesMin = 96 * 1024 * 1024;
/** PostgreSQL's shared memory segments need about 1 MB; containers often give 64 KB. */
const sharedMemoryBytesMin = 8 * 1024 * 1024;

export interface DataPlace {
  /** PostgreSQL's data directory. */
  readonly data: string;
  readonly account: Account;
}

/**
 * Where this state folder's data are: in it, or, when it lies where the server's user can't pass (root's home),
 * in a folder of its own below /var/lib/millrace that `postgres.location` names. A state folder that was deleted
 * takes its pointer with it, so that a new one of the same name starts empty.
 */
export async function locateData(folder: string): Promise<DataPlace> {
  const pointed = await readPointer(folder);
  const inside = join(folder, "postgres");
  const existing = await firstExisting([pointed, inside]);
  const account = await chooseAccount(existing?.ownerUid);
  if (existing !== undefined) return { data: existing.path, account };
  if (account.switches === undefined || (await isReachable(folder, account.switches))) {
    return { data: inside, account };
  }
  const outside = join(sharedRoot, `data-${randomBytes(8).toString("hex")}`);
  await mkdir(outside, { recursive: true, mode: 0o711 });
  await writeFile(join(outside, "state-folder"), `${folder}\n`);
  const data = join(outside, "postgres");
  await writeFile(join(folder, pointerName), `${data}\n`);
  return { data, account };
}

/** Makes the cluster if there is none yet. Complete or not there: made beside its place, then renamed. */
export async function ensureCluster(place: DataPlace, binaries: Binaries, folder: string): Promise<void> {
  const version = await readVersion(place.data);
  if (version === majorVersion) return closeToOthers(place.data);
  if (version !== undefined) {
    throw new MillraceError("MILLRACE_DATA_VERSION", {
      message: `The data in ${place.data} belong to PostgreSQL ${version}; this Millrace brings PostgreSQL ${majorVersion}.`,
      fields: { folder: place.data, found: version, expected: majorVersion },
    });
  }
  await refuseFullDisk(folder, place.data);
  await sweepUnfinished(place.data);
  const incoming = `${place.data}.incoming-${randomUUID()}`;
  await mkdir(incoming, { mode: 0o700 });
  try {
    if (place.account.switches !== undefined) {
      await chown(incoming, place.account.switches.uid, place.account.switches.gid);
    }
    await runInitdb(incoming, { place, binaries, folder });
    await rename(incoming, place.data);
  } catch (error) {
    await rm(incoming, { recursive: true, force: true });
    // Another process was faster, and its cluster is as good as ours.
    if ((await readVersion(place.data)) !== majorVersion) throw error;
  }
}

/** PostgreSQL refuses data that others may read or change: a `chmod -R` over the project is enough for that. */
async function closeToOthers(data: string): Promise<void> {
  const { mode } = await stat(data);
  if ((mode & 0o027) !== 0) await chmod(data, 0o700);
}

interface InitdbContext {
  readonly place: DataPlace;
  readonly binaries: Binaries;
  readonly folder: string;
}

async function runInitdb(target: string, context: InitdbContext): Promise<void> {
  const { place, binaries, folder } = context;
  const initdb = join(binaries.folder, "bin", "initdb");
  const create = [
    "-D",
    target,
    "-U",
    "millrace",
    "-A",
    "trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
  ];
  create.push("--builtin-locale=C.UTF-8", "--locale=C", "--no-instructions", "--no-sync");
  create.push("-c", `dynamic_shared_memory_type=${await sharedMemoryType()}`);
  // Written without syncs and then synced once: 0.7 s + 0.07 s.
  for (const args of [create, ["-D", target, "--sync-only"]]) {
    const result = await run(initdb, args, place.account);
    if (result.exitCode === 0) continue;
    if (saysDiskFull(result.output)) throw await describeStateFailure(folder, "has no space left");
    throw new MillraceError("MILLRACE_EMBEDDED_FAILED", {
      message: `initdb failed in ${target}: ${result.output.trim().slice(-2000)}`,
      fields: { folder, exitCode: result.exitCode },
    });
  }
  // The socket's folder is private: whoever reaches it is the user itself or root.
  await writeFile(join(target, "pg_hba.conf"), "local all all trust\n");
}

interface RunResult {
  readonly exitCode: number | null;
  readonly output: string;
}

async function run(command: string, args: readonly string[], account: Account): Promise<RunResult> {
  const child = spawn(command, args, {
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
    ...switchOptions(account),
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (exitCode) => resolve({ exitCode, output }));
  });
}

/** What makes `spawn` change the user. */
export function switchOptions(account: Account): { uid?: number; gid?: number } {
  return account.switches === undefined ? {} : { uid: account.switches.uid, gid: account.switches.gid };
}

/** Shared memory in files where /dev/shm is too small for PostgreSQL, as in many containers. */
export async function sharedMemoryType(): Promise<"posix" | "mmap"> {
  if (process.platform !== "linux") return "posix";
  try {
    const { bavail, bsize } = await statfs("/dev/shm");
    return bavail * bsize < sharedMemoryBytesMin ? "mmap" : "posix";
  } catch {
    return "mmap";
  }
}

async function readPointer(folder: string): Promise<string | undefined> {
  try {
    return (await readFile(join(folder, pointerName), "utf8")).trim();
  } catch {
    return undefined;
  }
}

async function firstExisting(
  paths: readonly (string | undefined)[],
): Promise<{ path: string; ownerUid: number | undefined } | undefined> {
  for (const path of paths) {
    if (path === undefined) continue;
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined) return { path, ownerUid: found.uid };
  }
  // A pointer whose place is still empty (a first start that was killed) stays the place.
  const pointed = paths[0];
  return pointed === undefined ? undefined : { path: pointed, ownerUid: undefined };
}

async function readVersion(data: string): Promise<string | undefined> {
  try {
    return (await readFile(join(data, "PG_VERSION"), "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function refuseFullDisk(folder: string, data: string): Promise<void> {
  const { bavail, bsize } = await statfs(join(data, ".."));
  if (bavail * bsize < firstStartBytesMin) {
    throw await describeStateFailure(folder, "has too little space: a new database needs 96 MB");
  }
}

/** What a killed first start left behind. Its owner is gone: the state folder has one owner at a time. */
async function sweepUnfinished(data: string): Promise<void> {
  const parent = join(data, "..");
  const prefix = `${data.slice(parent.length + 1)}.incoming-`;
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  }
}
