/** Open waits of many runs, as lines. */
import type { WaitView } from "@millrace/protocol";
import { cut, firstLine, formatAgo, formatTable, harmless } from "../terminal/format.ts";
import type { Colors } from "../terminal/terminal.ts";
import { waitText } from "./wait.ts";

/** On a narrower line too little is left for what is waited for, which then has a line of its own. */
const narrowMax = 72;

export function waitLines(
  waits: readonly WaitView[],
  { paint, now, width }: { readonly paint: Colors; readonly now: Date; readonly width: number },
): string[] {
  const isNarrow = width < narrowMax;
  const rows = waits.map((wait) => [
    wait.run,
    `${wait.pipeline} ${wait.node}${wait.item === "" ? "" : `[${wait.item}]`}`,
    wait.name === undefined ? "" : paint.bold(wait.name),
    isNarrow ? "" : waitText(wait, now),
    paint.dim(wait.since === undefined ? "" : formatAgo(new Date(wait.since), now)),
  ]);
  const lines = formatTable(rows, { width, yields: isNarrow ? [4, 2, 1] : [4, 3, 2] });
  return waits.flatMap((wait, at) => [
    lines[at] ?? "",
    ...(isNarrow ? [`  ${cut(waitText(wait, now), width - 2)}`] : []),
    ...(wait.trouble ? [`  ${paint.yellow(harmless(firstLine(wait.trouble.message)))}`] : []),
  ]);
}
