/** What runs below a process, as Linux tells it in `/proc`. */
import { readdirSync, readFileSync } from "node:fs";

/** Living children of a process. */
export function childrenOf(pid: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    const candidate = Number(name);
    return Number.isInteger(candidate) && statOf(candidate)?.parent === pid ? [candidate] : [];
  });
}

/** The process and all that descend from it, parents first. */
export function treeOf(pid: number): number[] {
  const found = [pid];
  for (const one of found) found.push(...childrenOf(one));
  return found;
}

/** False for a process that has ended, also while nobody has fetched its exit code. */
export function isAlive(pid: number): boolean {
  const stat = statOf(pid);
  return stat !== undefined && stat.state !== "Z" && stat.state !== "X";
}

/** Sends a signal to a process that may be gone by now. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

function statOf(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state = "", parent] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}
