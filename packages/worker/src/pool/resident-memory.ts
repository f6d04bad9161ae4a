import { readFile } from "node:fs/promises";
import { limits } from "../limits.ts";
import type { PooledChild } from "./pool.ts";

const pageBytes = 4096;

/** The children whose resident memory is far above their heap's bound. Only Linux tells cheaply; elsewhere it is none. */
export async function overweight(
  children: readonly PooledChild[],
  heapBytes: number,
): Promise<PooledChild[]> {
  if (process.platform !== "linux") return [];
  const found: PooledChild[] = [];
  for (const child of children) {
    if ((await residentBytes(child.process.pid)) > heapBytes * limits.residentFactorMax) found.push(child);
  }
  return found.filter((child) => child.phase === "held");
}

async function residentBytes(pid: number): Promise<number> {
  try {
    const fields = (await readFile(`/proc/${pid}/statm`, "latin1")).split(" ");
    return Number(fields[1]) * pageBytes;
  } catch {
    // It has ended.
    return 0;
  }
}
