/** What a new project's page proposes: as long as its pipeline is the one that `millrace init` wrote, but for these edits. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FirstStepsView } from "@millrace/protocol";
import { codeFrame } from "../project/code-frame.ts";
import { pipelineFile, pipelineText } from "./pipeline-text.ts";

const trigger = "on: on.batch(on.event(inbox.arrived)";

const steps = [
  {
    from: "max: 3",
    to: "max: 2",
    why: "Two files are a batch then. Give the folder one more:",
    command: "cp data/inbox/oslo.json data/inbox/bergen.json",
  },
  {
    from: "return write(readings);",
    to: "return tell(write(readings));",
    why: "The graph gets a node more. Its runs tell the event log, to which others can listen:",
    command: "npx millrace run hello",
  },
] as const;

/** `undefined` where the pipeline is another one, or all of it was done. */
export function firstSteps(root: string): FirstStepsView | undefined {
  let text: string;
  try {
    text = readFileSync(join(root, pipelineFile), "utf8");
  } catch {
    return undefined;
  }
  if (!isSample(text)) return undefined;
  const at = placeOf(text, trigger);
  const views = steps.map((step) => {
    const place = placeOf(text, step.from);
    return { ...step, ...(place && { place }) };
  });
  if (!at || views.every(({ place }) => place === undefined)) return undefined;
  return {
    pipeline: "hello",
    trigger: at,
    frame: codeFrame(text, { ...at, length: trigger.length, around: 3 }),
    steps: views,
  };
}

/** The edits apart, it is what was written. */
function isSample(text: string): boolean {
  const undone = steps.reduce(
    (before, { from, to }) => before.replace(to, from),
    text.replaceAll("\r\n", "\n"),
  );
  return undone === pipelineText;
}

function placeOf(text: string, part: string): { file: string; line: number; column: number } | undefined {
  const at = text.indexOf(part);
  if (at < 0) return undefined;
  const before = text.slice(0, at).split("\n");
  return { file: pipelineFile, line: before.length, column: (before.at(-1) ?? "").length + 1 };
}
