/** What a rerun or a mark would affect, as lines. */
import type { AffectedNodeView, RunChangePreview, TaskRunState } from "@millrace/protocol";
import { harmless, plural } from "../terminal/format.ts";
import { stateMark, stateWord } from "../terminal/marks.ts";
import type { Colors } from "../terminal/terminal.ts";

const nodesShown = 30;

export function changeLines(preview: RunChangePreview, paint: Colors): string[] {
  const { run, generation, again, againCount, stays, staysCount, added, gone, newBundle, marked } = preview;
  const what =
    againCount === 0 && added.length === 0
      ? "nothing else would be decided again"
      : `${plural(againCount, "task run")} of ${plural(again.length, "node")} would start afresh`;
  const rest =
    staysCount === 0
      ? ""
      : `, ${plural(staysCount, "task run")} of ${plural(stays.length, "node")} would stay`;
  const how =
    generation === undefined
      ? ""
      : ` It would be generation ${generation}${newBundle === undefined ? "" : `, with the bundle ${newBundle.slice(0, 12)}`}.`;
  return [
    `${paint.bold(run)}${marked ? `  ${harmless(nameOf(marked))} would be marked;` : " "} ${what}${rest}.${how}`,
    ...again.slice(0, nodesShown).map((node) => `  ${nodeLine(node, paint)}`),
    ...(again.length > nodesShown
      ? [paint.dim(`  … ${plural(again.length - nodesShown, "node")} more`)]
      : []),
    ...(added.length === 0
      ? []
      : [`  for the first time: ${harmless(added.slice(0, nodesShown).join(", "))}`]),
    ...(gone.length === 0
      ? []
      : [paint.yellow(`  the newer code does not have ${harmless(gone.slice(0, nodesShown).join(", "))}`)]),
  ];
}

function nameOf({ node, item }: { readonly node: string; readonly item: string }): string {
  return item === "" ? node : `${node}[${item}]`;
}

function nodeLine({ node, taskRuns, items, states }: AffectedNodeView, paint: Colors): string {
  const known = Object.entries(states) as [TaskRunState, number][];
  const [first] = known;
  if (taskRuns === 1 && first)
    return `${stateMark(first[0], paint)} ${harmless(node)}${items?.[0] === undefined ? "" : `[${items[0]}]`}`;
  const told = known.map(([state, count]) => `${count} ${stateWord(state)}`).join(", ");
  return `  ${harmless(node)}  ${paint.dim(`${plural(taskRuns, "item")}: ${told}`)}`;
}
