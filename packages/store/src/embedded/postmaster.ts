import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile, readlink, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MillraceError } from "@millrace/core";
import { Client } from "pg";
import { describeStateFailure, saysDiskFull } from "../state-failure.ts";
import type { Binaries } from "./binaries.ts";
import { type DataPlace, sharedMemoryType, switchOptions } from "./data-folder.ts";
import { isAlive } from "./process-identity.ts";
import { type ServerSettings, serverSettings } from "./settings.ts";
import { isPrivate, makeSocketFolder } from "./socket-folder.ts";

/** A running PostgreSQL server's first process. */
export interface Postmaster {
  readonly pid: number;
  readonly socketFolder: string;
  readonly version: string;
  readonly adopted: boolean;
}

export interface PostmasterContext {
  readonly place: DataPlace;
  readonly binaries: Binaries;
  /** The state folder: for messages, and for the log. */
  readonly folder: string;
  readonly settings: ServerSettings;
  /** PostgreSQL's process has begun: what its owner does from now on does not hold it up. */
  readonly onSpawn?: () => void;
}

export const adminUser = "millrace";
export const adminDatabase = "postgres";

const readyPollMs = 5;
const stopPollMs = 10;
/** Recovery replays up to 256 MB of log: seconds. Beyond this the server hangs. */
const readyTimeoutMs = 60_000;
/** How long processes of a killed server may take to leave its shared memory. */
const sharedMemoryRetryMs = 15_000;
const stopTimeoutMs = 20_000;
const logBytesMax = 8 * 1024 * 1024;
/** Above every process id that a system gives out. */
const neverAPid = 2_000_000_000;

export function logPathOf(folder: string): string {
  return join(folder, "postgres.log");
}

/** Takes over the server that runs on this data folder, or starts one. */
export async function ensurePostmaster(context: PostmasterContext): Promise<Postmaster> {
  return (await adoptRunning(context)) ?? startNew(context);
}

async function adoptRunning(context: PostmasterContext): Promise<Postmaster | undefined> {
  const { data, account } = context.place;
  const running = await readPostmasterFile(data);
  if (running === undefined || !(await isPostmasterOf(running.pid, data))) return undefined;
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline && (await isAlive(running.pid))) {
    const current = await readPostmasterFile(data);
    if (current === undefined || current.pid !== running.pid || current.status.startsWith("stopping")) {
      await waitForEnd(running.pid, stopTimeoutMs);
      return undefined;
    }
    if (current.status === "ready") {
      const { pid, socketFolder } = current;
      const version = (await isPrivate(socketFolder, account)) ? await askVersion(socketFolder) : undefined;
      if (version !== undefined) return { pid, socketFolder, version, adopted: true };
      // It runs, but nobody can reach it any more: its socket was cleaned away.
      await stopPostmaster(pid);
      return undefined;
    }
    await delay(readyPollMs);
  }
  return undefined;
}

async function startNew(context: PostmasterContext): Promise<Postmaster> {
  const retryUntil = performance.now() + sharedMemoryRetryMs;
  for (;;) {
    const outcome = await startOnce(context);
    if (typeof outcome !== "string") return outcome;
    const lingering = /pre-existing shared memory block|lock file "postmaster.pid" already exists/.test(
      outcome,
    );
    if (!lingering || performance.now() > retryUntil) throw await explainFailure(context, outcome);
    await delay(100);
  }
}

/** The running server, or what its log says about why it ended. */
async function startOnce(context: PostmasterContext): Promise<Postmaster | string> {
  const { place, binaries, folder } = context;
  await disownForeignPid(place.data);
  const socketFolder = await makeSocketFolder(place.data, place.account);
  await freeSocket(socketFolder, place.data);
  const settings = serverSettings(
    { socketFolder, sharedMemoryType: await sharedMemoryType() },
    context.settings,
  );
  await rotateLog(logPathOf(folder));
  const log = await open(logPathOf(folder), "a", 0o600);
  const logStart = (await log.stat()).size;
  let child: ChildProcess;
  try {
    // Detached: the server outlives a kill of our process, and Ctrl-C in the terminal does not reach it.
    child = spawn(join(binaries.folder, "bin", "postgres"), ["-D", place.data, ...settings], {
      cwd: "/",
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
      ...switchOptions(place.account),
    });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
  } finally {
    await log.close();
  }
  child.unref();
  context.onSpawn?.();
  const version = await waitForReady(child, place.data, socketFolder);
  if (version === undefined) return readLogFrom(logPathOf(folder), logStart);
  return { pid: child.pid ?? neverAPid, socketFolder, version, adopted: false };
}

/** The server's version once it takes connections; `undefined` when it ended before. */
async function waitForReady(
  child: ChildProcess,
  data: string,
  socketFolder: string,
): Promise<string | undefined> {
  const deadline = performance.now() + readyTimeoutMs;
  while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
    const file = await readPostmasterFile(data);
    if (file !== undefined && file.pid === child.pid && file.status === "ready") {
      const version = await askVersion(socketFolder);
      if (version !== undefined) return version;
    }
    await delay(readyPollMs);
  }
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGQUIT");
  return undefined;
}

async function explainFailure(context: PostmasterContext, log: string): Promise<MillraceError> {
  if (saysDiskFull(log)) return describeStateFailure(context.folder, "has no space left");
  if (/Read-only file system|could not (create|open|write).*Permission denied/.test(log)) {
    return describeStateFailure(context.folder, "is not writable for PostgreSQL");
  }
  const tail = log.trim().split("\n").slice(-12).join("\n");
  const logPath = logPathOf(context.folder);
  return new MillraceError("MILLRACE_EMBEDDED_FAILED", {
    message: `PostgreSQL did not start on ${context.place.data}. The end of its log (${logPath}):\n${tail}`,
    fields: { folder: context.folder, logPath },
  });
}

/** Fast shutdown: open transactions are rolled back, a checkpoint is written. Waits for the end. */
export async function stopPostmaster(pid: number): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ESRCH") return;
      throw error;
    }
    if (await waitForEnd(pid, stopTimeoutMs)) return;
  }
}

async function waitForEnd(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    if (!(await isAlive(pid))) return true;
    await delay(stopPollMs);
  }
  return false;
}

interface PostmasterFile {
  readonly pid: number;
  readonly socketFolder: string;
  readonly status: string;
}

async function readPostmasterFile(data: string): Promise<PostmasterFile | undefined> {
  let text: string;
  try {
    text = await readFile(join(data, "postmaster.pid"), "utf8");
  } catch {
    return undefined;
  }
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, socketFolder: lines[4] ?? "", status: (lines[7] ?? "").trim() };
}

/** A server's working directory is its data folder; where that can't be read, a living process is taken for it. */
async function isPostmasterOf(pid: number, data: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  if (process.platform !== "linux") return true;
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === data;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ENOENT";
  }
}

/**
 * The id in `postmaster.pid` may be another program's, after a restart of the machine or container, or that of a killed
 * server whose parent has not taken note of its end: PostgreSQL would refuse to start. Only the id is replaced: the file
 * also leads PostgreSQL to the old shared memory, which it must check.
 */
async function disownForeignPid(data: string): Promise<void> {
  const file = await readPostmasterFile(data);
  if (file === undefined || (await isPostmasterOf(file.pid, data))) return;
  const path = join(data, "postmaster.pid");
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(/^\d+/, String(neverAPid)));
}

/**
 * The lock of our socket may name such a process, too. Or someone deleted the state folder while its server ran: that one
 * would notice within a minute; its data are gone, so it is ended at once.
 */
async function freeSocket(socketFolder: string, data: string): Promise<void> {
  const path = join(socketFolder, ".s.PGSQL.5432.lock");
  const pid = Number((await readFile(path, "utf8").catch(() => "")).split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 0 || (await isPostmasterOf(pid, data))) return;
  const workingFolder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  if (workingFolder.endsWith(" (deleted)")) {
    process.kill(pid, "SIGQUIT");
    await waitForEnd(pid, stopTimeoutMs);
  }
  await rm(path, { force: true });
}

async function askVersion(socketFolder: string): Promise<string | undefined> {
  const client = new Client({
    host: socketFolder,
    user: adminUser,
    database: adminDatabase,
    connectionTimeoutMillis: 5_000,
  });
  client.on("error", () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>("show server_version");
    return rows[0]?.server_version;
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => {});
  }
}

async function rotateLog(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size < logBytesMax) return;
  await rm(`${path}.1`, { force: true });
  await rename(path, `${path}.1`);
}

async function readLogFrom(path: string, start: number): Promise<string> {
  const text = await readFile(path);
  return text.subarray(start).toString("utf8");
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
