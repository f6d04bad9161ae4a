/** What processes use, as Linux tells it below `/proc`. Other systems give nothing. */
import { readdirSync, readFileSync } from "node:fs";

/** The kernel counts CPU time in these. */
const ticksPerSecond = 100;

export const isMeasurable = process.platform === "linux";

/** CPU time in ms, user and system, without children's; 0 once a process is gone. */
export function cpuMs(pid: number): number {
  const fields = statFields(pid);
  if (!fields) return 0;
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

/** CPU time in ms of what a process started: of those that run, and of those that ended and were waited for. */
export function descendantsCpuMs(root: number): number {
  const fields = statFields(root);
  const ended = fields ? ((Number(fields[13]) + Number(fields[14])) * 1_000) / ticksPerSecond : 0;
  const running = processTree(root).slice(1);
  return running.reduce((sum, pid) => sum + cpuMs(pid), ended);
}

/** Proportional set size in bytes: shared memory counts once over all that share it. */
export function pssBytes(pid: number): number {
  return kilobytes(`/proc/${pid}/smaps_rollup`, "Pss") * 1_024;
}

export function rssBytes(pid: number): number {
  return kilobytes(`/proc/${pid}/status`, "VmRSS") * 1_024;
}

/** The process and all that descend from it. */
export function processTree(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const parent = Number(statFields(pid)?.[1]);
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
  }
  const found = [root];
  for (const pid of found) found.push(...(childrenOf.get(pid) ?? []));
  return found;
}

/** What follows the name in `/proc/<pid>/stat`: state, parent, … */
function statFields(pid: number): string[] | undefined {
  const text = readOrNothing(`/proc/${pid}/stat`);
  return text === undefined ? undefined : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function kilobytes(path: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readOrNothing(path) ?? "");
  return Number(found?.[1] ?? 0);
}

function readOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
