import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TemporaryFolder } from "./temporary-folder.ts";

/** What an owner process says about itself, once. */
export interface OwnerReport {
  readonly kind: "ready" | "failed";
  readonly pid?: number;
  readonly adopted?: boolean;
  readonly code?: string;
  readonly message?: string;
  readonly fields?: { readonly [name: string]: unknown };
}

export interface Owner {
  readonly process: ChildProcess;
  readonly report: Promise<OwnerReport>;
  /** kill −9, and waits for the end. */
  kill(): Promise<void>;
}

/** Starts a process that claims the folder and runs its server; it does not outlive the test. */
export function startOwner(folder: TemporaryFolder, url = "http://127.0.0.1:1"): Owner {
  const script = fileURLToPath(new URL("owner-process.ts", import.meta.url));
  const child = spawn(process.execPath, [script, folder.state, url], { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  const report = once(createInterface({ input: child.stdout }), "line").then(
    ([line]) => JSON.parse(String(line)) as OwnerReport,
  );
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
  };
  folder.defer(kill);
  return { process: child, report, kill };
}
