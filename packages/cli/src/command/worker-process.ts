/** Not for people: the worker that `dev` and `run` start. It lives as long as the channel to who started it. */
import { startWorker, type Worker } from "@millrace/worker";
import type { Command } from "commander";
import { exitCodes } from "../exit-code.ts";
import type { StartWorkerMessage, WorkerProcessMessage } from "../stack/worker-message.ts";
import { asMillraceError } from "../terminal/print-error.ts";

export function define(command: Command): void {
  command.action(async () => {
    // Nothing that is still open may keep this process alive without its parent.
    process.exit(await runWorkerProcess());
  });
}

async function runWorkerProcess(): Promise<number> {
  // Signals are for who started us; the end of the channel is for us.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  const parentGone = new Promise<undefined>((resolve) => {
    process.once("disconnect", () => resolve(undefined));
    if (!process.connected) resolve(undefined);
  });
  const told = new Promise<StartWorkerMessage>((resolve) => {
    process.once("message", (message) => resolve(message as StartWorkerMessage));
  });
  tell({ kind: "awake" });
  const message = await Promise.race([parentGone, told]);
  if (!message) return exitCodes.succeeded;
  const worker = await start(message);
  if (!worker) return exitCodes.failed;
  await Promise.race([parentGone, worker.closed]);
  await worker.stop();
  return exitCodes.succeeded;
}

async function start({ options }: StartWorkerMessage): Promise<Worker | undefined> {
  try {
    return await startWorker({ ...options, onEvent: (event) => tell({ kind: "event", event }) });
  } catch (error) {
    const { code, message, advice } = asMillraceError(error);
    tell({ kind: "failed", code, message, advice });
    return undefined;
  }
}

function tell(message: WorkerProcessMessage): void {
  // A channel that closes meanwhile is told by `disconnect`.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}
