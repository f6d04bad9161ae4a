import { execFile } from "node:child_process";
import { readFile, readlink } from "node:fs/promises";
import { promisify } from "node:util";

/**
 * A process, told apart from a later one with the same id: by its start time, and by the boot and the process
 * namespace (container) in which that id means something.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAt: string;
  readonly realm: string;
}

export async function ownIdentity(): Promise<ProcessIdentity> {
  const startedAt = await startTimeOf(process.pid);
  return { pid: process.pid, startedAt: startedAt ?? "unknown", realm: await ownRealm() };
}

/** A process of another boot or of another container is gone for us: its id means nothing here. */
export async function isSameProcessAlive(identity: ProcessIdentity): Promise<boolean> {
  if (identity.realm !== (await ownRealm())) return false;
  return (await startTimeOf(identity.pid)) === identity.startedAt;
}

/** False for a zombie, which holds nothing but its id. */
export async function isAlive(pid: number): Promise<boolean> {
  return (await startTimeOf(pid)) !== undefined;
}

async function ownRealm(): Promise<string> {
  if (process.platform !== "linux") return process.platform;
  const boot = await readFile("/proc/sys/kernel/random/boot_id", "utf8");
  return `${boot.trim()} ${await readlink("/proc/self/ns/pid")}`;
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  return process.platform === "linux" ? startTimeFromProc(pid) : startTimeFromPs(pid);
}

async function startTimeFromProc(pid: number): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The second field is the command in parentheses and may hold spaces; the state follows it.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

async function startTimeFromPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("ps", ["-o", "stat=,lstart=", "-p", String(pid)]);
    const text = stdout.trim();
    return text === "" || text.startsWith("Z") ? undefined : text.replace(/^\S+\s+/, "");
  } catch {
    return undefined;
  }
}
