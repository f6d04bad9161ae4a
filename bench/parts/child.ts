/** Processes of a benchmark: each is asked over its channel and answers in order. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  ask<Answer>(question: object): Promise<Answer>;
  /** Ends it and waits. May be called twice. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface ChildOptions {
  readonly arguments?: readonly string[];
  readonly environment?: { readonly [name: string]: string };
}

interface Reply {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/** The command turns the cache of compiled code on before its first import (`bin/millrace.js`); this is its folder. */
const compileCacheFolder = join(tmpdir(), "node-compile-cache");

export function startChild(file: URL, options: ChildOptions = {}): Child {
  const child = fork(fileURLToPath(file), {
    execArgv: [...(options.arguments ?? [])],
    env: { NODE_COMPILE_CACHE: compileCacheFolder, ...process.env, ...options.environment },
    serialization: "advanced",
  });
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  child.on("message", (message: Reply) => {
    const asked = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) asked?.resolve(message.answer as never);
    else asked?.reject(new Error(message.error));
  });
  let ending = false;
  child.on("exit", (code, signal) => {
    // Whoever waits for what this process did would wait for ever.
    if (!ending) {
      console.error(`${fileURLToPath(file)} ended by itself with ${code ?? signal}`);
      process.exitCode = 1;
    }
    for (const { reject } of waiting.values())
      reject(new Error(`${fileURLToPath(file)} ended with ${code ?? signal}`));
    waiting.clear();
  });
  let asked = 0;
  const end = async (how: () => void): Promise<void> => {
    ending = true;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    how();
    await exited;
  };
  return {
    pid: child.pid ?? 0,
    process: child,
    ask: (question) => {
      asked += 1;
      const id = asked;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        child.send({ id, question }, (error) => error && reject(error));
      });
    },
    stop: () => end(() => child.connected && child.disconnect()),
    kill: () => end(() => child.kill("SIGKILL")),
  };
}

/** PostgreSQL takes 20 s at most to end. */
const stopMsMax = 30_000;

/** The other side: answers questions until the channel closes, then stops. */
export function answerParent(
  answer: (question: { readonly kind: string; readonly [name: string]: unknown }) => Promise<unknown>,
  stop: () => Promise<void>,
): void {
  process.on("message", ({ id, question }: { id: number; question: never }) => {
    answer(question).then(
      (reply) => process.send?.({ id, answer: reply }),
      (error: Error) => process.send?.({ id, error: error.stack ?? String(error) }),
    );
  });
  process.on("disconnect", () => {
    void stop().finally(() => process.exit());
    // Where the parent was killed, what it would wait for may be gone, too.
    setTimeout(() => process.exit(1), stopMsMax).unref();
  });
}
