/** Not for people: the worker that `dev` and `run` start. It lives as long as the channel to who started it. */
import { startWorker, type Worker } from "@millrace/worker";
import type { Command } from "commander";
import type { Context } from "../environment.ts";
import type { Finish } from "../command-line.ts";
import { exitCodes } from "../exit-code.ts";
import type { StartWorkerMessage, WorkerProcessMessage } from "../stack/worker-message.ts";
import { asMillraceError } from "../terminal/print-error.ts";

export function define(command: Command, _context: Context, finish: Finish): void {
  command.action(finish(runWorkerProcess));
}

async function runWorkerProcess(): Promise<number> {
  // Signals are for who started us; the end of the channel is for us.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  let worker: Worker | undefined;
  const parentGone = new Promise<void>((resolve) => {
    if (!process.connected) resolve();
    process.once("disconnect", resolve);
  });
  const tell = (message: WorkerProcessMessage): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  };
  const start = async ({ options }: StartWorkerMessage): Promise<void> => {
    worker = await startWorker({ ...options, onEvent: (event) => tell({ kind: "event", event }) });
  };
  const ended = new Promise<void>((resolve) => {
    process.once("message", (message) => {
      start(message as StartWorkerMessage)
        .then(() => worker?.closed)
        .catch((error: unknown) => {
          const { code, message: text, advice } = asMillraceError(error);
          tell({ kind: "failed", code, message: text, advice });
        })
        .finally(resolve);
    });
  });
  tell({ kind: "awake" });
  await Promise.race([parentGone, ended]);
  await worker?.stop();
  if (process.connected) process.disconnect();
  return worker ? exitCodes.succeeded : exitCodes.failed;
}
