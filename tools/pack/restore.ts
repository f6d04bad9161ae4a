/** The `postpack` script of the package `millrace`. With a process id: waits for the end of that process first. */
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { putBack } from "./manifest-swap.ts";

const pollMs = 250;
const waitMsMax = 600_000;

const npm = process.argv[2];
if (npm !== undefined) await endOf(Number(npm));
const root = join(import.meta.dirname, "..", "..");
putBack(root, join(root, "packages", "millrace"));

async function endOf(pid: number): Promise<void> {
  const deadline = performance.now() + waitMsMax;
  while (isAlive(pid) && performance.now() < deadline) await pause(pollMs);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
