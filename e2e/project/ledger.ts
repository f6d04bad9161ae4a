import { appendFileSync } from "node:fs";
import type { TaskContext } from "millrace";

/** One line, in one write to a file that is opened for appending: lines of several processes don't mix. */
export function note(event: "start" | "end", ctx: TaskContext): void {
  const path = process.env["E2E_LEDGER"];
  if (path === undefined) return;
  const { run, node, item, attempt, dispatch, idempotencyKey: key } = ctx;
  const line = {
    at: Date.now(),
    pid: process.pid,
    event,
    run: run.id,
    pipeline: run.pipeline,
    node,
    item,
    generation: run.generation,
    attempt,
    dispatch,
    key,
  };
  appendFileSync(path, `${JSON.stringify(line)}\n`);
}
