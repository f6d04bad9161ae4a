import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";

/** A file system of a bounded size, for tests of a full disk. */
export interface SmallDisk {
  readonly folder: string;
  readOnly(): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Only root may mount; elsewhere these tests are reported as skipped. */
export const canMount = process.platform === "linux" && process.getuid?.() === 0 && tryMount();

export async function smallDisk(size: string): Promise<SmallDisk> {
  const folder = await mkdtemp("/tmp/millrace-disk-");
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", folder]);
  await chmod(folder, 0o755);
  return {
    folder,
    readOnly: () => void execFileSync("mount", ["-o", "remount,ro", folder]),
    [Symbol.asyncDispose]: async () => {
      execFileSync("umount", ["-l", folder]);
      await rm(folder, { recursive: true });
    },
  };
}

/** Containers often forbid it to root, too. */
function tryMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "none", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
