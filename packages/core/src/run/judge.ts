/** How a run ends in which nothing is open any more. */
import type { ErrorCode } from "../error/catalogue.ts";
import { namesShownMax } from "../limits.ts";
import { taskRunsBelow } from "./scope.ts";
import type { Reason, Run } from "./state.ts";

/** The code of a call that is too deep: it is told as it stands to all who wait for it. */
export const callTooDeep = "MILLRACE_CALL_DEPTH" satisfies ErrorCode;

export function judgeRun(run: Run): {
  state: "succeeded" | "failed" | "cancelled";
  reason: Reason | undefined;
} {
  const badLeaves = new Set<string>();
  const failed = new Set<string>();
  let cancelled = false;
  let tooDeep: Reason | undefined;
  for (const taskRun of taskRunsBelow(run.root)) {
    if (taskRun.state === "failed") {
      failed.add(taskRun.node.definition.id);
      if (taskRun.reason?.code === callTooDeep) tooDeep = taskRun.reason;
    }
    if (taskRun.state === "cancelled") cancelled = true;
    const bad =
      taskRun.state === "failed" || taskRun.state === "upstream_failed" || taskRun.state === "cancelled";
    if (bad && taskRun.node.leaf) badLeaves.add(taskRun.node.definition.id);
  }
  if (run.cancel && (cancelled || badLeaves.size > 0)) {
    return { state: run.cancel.by === "deadline" ? "failed" : "cancelled", reason: run.cancel.reason };
  }
  if (badLeaves.size === 0) return { state: "succeeded", reason: undefined };
  const names = [...(failed.size > 0 ? failed : badLeaves)];
  const shown = names.slice(0, namesShownMax).join(", ");
  const more = names.length > namesShownMax ? ` and ${names.length - namesShownMax} more` : "";
  const fields = { nodes: names.slice(0, namesShownMax) };
  const reason = tooDeep
    ? { ...tooDeep, fields }
    : {
        code: "nodes_failed",
        message: `${failed.size > 0 ? "Failed" : "Did not succeed"}: ${shown}${more}.`,
        fields,
      };
  return { state: "failed", reason };
}
