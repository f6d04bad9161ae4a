/** A file system of a bounded size, for tests of a full disk. */
import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";

export interface SmallDisk {
  readonly folder: string;
  readOnly(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Only root may mount, and containers often forbid it to root, too: then these tests are reported as skipped. */
export function canMount(): boolean {
  return process.platform === "linux" && process.getuid?.() === 0 && mayMount();
}

export async function smallDisk(size: string): Promise<SmallDisk> {
  const folder = await mkdtemp("/tmp/millrace-disk-");
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", folder]);
  await chmod(folder, 0o755);
  return {
    folder,
    readOnly: () => void execFileSync("mount", ["-o", "remount,ro", folder]),
    [Symbol.asyncDispose]: async () => {
      // Lazy: a process of a failed test may still have files open there.
      execFileSync("umount", ["-l", folder]);
      await rm(folder, { recursive: true });
    },
  };
}

/** Takes what space there is left. */
export async function fillDisk(folder: string): Promise<{ remove(): Promise<void> }> {
  const path = join(folder, "filler");
  const file = await open(path, "w");
  const block = Buffer.alloc(64 * 1024);
  try {
    for (;;) await file.write(block);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    await file.close();
  }
  return { remove: () => rm(path) };
}

function mayMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
