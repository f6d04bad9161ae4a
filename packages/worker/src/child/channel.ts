/**
 * The child's end of the two pipes to the worker's main process. Writing is synchronous on purpose: a process that dies
 * has said all it had to say, a flood of output is slowed at its source instead of piling up, and order is kept.
 */
import { writeSync } from "node:fs";
import { Socket } from "node:net";
import type { FromChild, ToChild } from "../pool/child-message.ts";

const inputDescriptor = 3;
const outputDescriptor = 4;

export class ParentChannel {
  /** Calls `receive` per message. The worker's end of the pipe going away ends this process. */
  listen(receive: (message: ToChild) => void): void {
    const input = new Socket({ fd: inputDescriptor, readable: true, writable: false });
    let rest = "";
    input.setEncoding("utf8");
    input.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) receive(JSON.parse(line) as ToChild);
    });
    input.on("close", () => process.exit(0));
    input.on("error", () => process.exit(0));
  }

  post(message: FromChild): void {
    const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(outputDescriptor, bytes, at);
    } catch {
      // The worker is gone: nobody waits for what this process does.
      process.kill(process.pid, "SIGKILL");
    }
  }
}
