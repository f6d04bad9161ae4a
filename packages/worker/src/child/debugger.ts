/** Calls a task with a debugger attached: `millrace run --inspect`. */
import { open, waitForDebugger } from "node:inspector";
import type { TaskContext } from "@millrace/sdk";
import type { TaskFunction } from "@millrace/sdk/internal";

/**
 * Opens a port on the loopback, whose address Node prints to stderr and so into the attempt's log; waits, without an end,
 * until a debugger is there; stops. The debugger's "step into" leads to the task's first line.
 */
export function callInDebugger(task: TaskFunction, input: unknown, context: TaskContext): unknown {
  open(0, "127.0.0.1");
  waitForDebugger();
  // oxlint-disable-next-line no-debugger -- this is where it stops
  debugger;
  return task(input, context);
}
