/** Asks a server again and again how it is, and keeps the longest time that an answer took. */
import { readFileSync } from "node:fs";
import type { Api } from "./api.ts";

const pauseMs = 20;

export class AnswerWatch {
  /** Without what the kernel let the server and the asker wait for a processor: other programs' load is not judged. */
  slowestMs = 0;
  #ends = false;
  readonly #watching: Promise<void>;

  constructor(api: Api, serverPid: number) {
    this.#watching = this.#watch(api, serverPid);
  }

  async stop(): Promise<void> {
    this.#ends = true;
    await this.#watching;
  }

  async #watch(api: Api, serverPid: number): Promise<void> {
    const waitedMs = (): number => waitedForProcessorMs(serverPid) + waitedForProcessorMs(process.pid);
    while (!this.#ends) {
      const [asked, waited] = [performance.now(), waitedMs()];
      await api.info();
      this.slowestMs = Math.max(this.slowestMs, performance.now() - asked - (waitedMs() - waited));
      await new Promise((resolve) => {
        setTimeout(resolve, pauseMs);
      });
    }
  }
}

/** How long a process's main thread was ready to run and did not. */
export function waitedForProcessorMs(pid: number): number {
  try {
    const [, waitedNs] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ");
    return Number(waitedNs) / 1e6;
  } catch {
    return 0;
  }
}
