/** What a run that has not ended waits for, in words. */
import { describeAnswer, isEndState, MillraceError, taskRunsBelow, type TaskRun } from "@millrace/core";
import type { RunEntry } from "./run-desk.ts";
import type { BedWait } from "./wait-desk.ts";

const shownMax = 5;
const linesMax = 20;

export function waitsFor({ run, pipeline, ready }: RunEntry, waits: readonly BedWait[]): string {
  if (run.state === "queued")
    return `it waits for room: at most ${pipeline.definition.maxActiveRuns} run at once`;
  const open = [...taskRunsBelow(run.root)].filter(({ state }) => !isEndState(state) && state !== "pending");
  const parts = open.slice(0, shownMax).map((taskRun) => {
    const own = waits.filter((wait) => wait.taskRun === taskRun);
    return `"${nameOf(taskRun)}" ${own.length > 0 ? own.map(waitText).join(" and ") : stateOf(taskRun, ready.has(taskRun))}`;
  });
  if (open.length > shownMax) parts.push(`and ${open.length - shownMax} more`);
  return parts.join(", ");
}

/** With a line for each of them. */
export function unfinishedError(
  entries: readonly RunEntry[],
  now: Date,
  waits: (entry: RunEntry) => string,
): MillraceError {
  const lines = entries
    .slice(0, linesMax)
    .map(
      (entry) =>
        `${entry.run.id} of "${entry.pipeline.definition.name}" is ${entry.run.state}: ${waits(entry)}`,
    );
  const count = entries.length === 1 ? "A run has" : `${entries.length} runs have`;
  return new MillraceError("MILLRACE_TEST_UNFINISHED", {
    message: `${count} not ended at ${now.toISOString()}:\n  ${lines.join("\n  ")}`,
    fields: { runs: entries.map(({ run }) => run.id) },
  });
}

function nameOf({ node, item }: TaskRun): string {
  return node.definition.id + (item === "" ? "" : `[${item}]`);
}

/** In the words of an explanation. */
function waitText({ told, asked, timeoutAt }: BedWait): string {
  const until = timeoutAt === undefined ? "" : `until ${new Date(timeoutAt).toISOString()}`;
  const text = asked ? `waits for ${describeAnswer(asked)}` : told.explain()?.text;
  if (text === undefined) return `waits ${until}`;
  return until === "" ? text : `${text}, ${until}`;
}

function stateOf({ state, resumeAt, childRunId }: TaskRun, isReady: boolean): string {
  switch (state) {
    case "retrying":
      return `is tried again at ${new Date(resumeAt ?? 0).toISOString()}`;
    case "waiting":
      return `waits for the run ${childRunId ?? "that it calls"}`;
    case "queued":
      return isReady ? "waits for a slot" : "is queued";
    default:
      return "is running";
  }
}
