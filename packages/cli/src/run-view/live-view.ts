/** A run on a terminal: its tree is drawn in place while it runs, and stays as it ended. */
import type { LogEntry, RunSummary } from "@millrace/protocol";
import { awayNote } from "../api/reconnect.ts";
import { cutPainted, harmless } from "../terminal/format.ts";
import { LiveArea } from "../terminal/live-area.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { RunPicture } from "@millrace/protocol/run-picture";
import { headLine, treeLines } from "./tree.ts";

/** How a follower of a run shows what happens. */
export interface RunView {
  start(picture: RunPicture): void;
  changed(picture: RunPicture): void;
  log(entry: LogEntry): void;
  /** The server is away. */
  away(): void;
  end(picture: RunPicture, run: RunSummary | undefined): void;
}

/** More nodes than this are folded at the end, too. */
const finalLinesMax = 80;

export function liveView(terminal: Terminal, showLogs: boolean): RunView {
  let area: LiveArea | undefined;
  const lines = (picture: RunPicture, linesMax: number): string[] => {
    const options = {
      paint: terminal.paint,
      width: terminal.columns() - 1,
      now: Date.now(),
      linesMax,
    };
    return [cutPainted(headLine(picture.run, options), options.width), ...treeLines(picture, options)];
  };
  return {
    start: (picture) => {
      area = new LiveArea(terminal, () => lines(picture, Math.max(1, terminal.rows() - 3)));
    },
    changed: () => undefined,
    log: (entry) => {
      if (showLogs) area?.printAbove(logLine(entry, terminal));
    },
    away: () => area?.printAbove(terminal.paint.yellow(awayNote)),
    end: (picture) => area?.end(lines(picture, finalLinesMax)),
  };
}

/** A log line with the node that wrote it in front, and its level where that is not the usual one. */
export function logLine(entry: LogEntry, { paint }: Pick<Terminal, "paint">): string {
  const item = entry.item === "" ? "" : `[${entry.item}]`;
  const attempt = entry.attempt > 1 ? ` attempt ${entry.attempt}` : "";
  // What a library prints to stderr has a level, too, but is seldom an error.
  const level = entry.stream !== "log" || entry.level === "info" ? "" : `${entry.level} `;
  const text = level + harmless(entry.text);
  const fields = entry.fields === undefined ? "" : ` ${paint.dim(JSON.stringify(entry.fields))}`;
  const painted =
    entry.level === "error" ? paint.red(text) : entry.level === "warn" ? paint.yellow(text) : text;
  return `${paint.dim(`${entry.node}${item}${attempt} │`)} ${painted}${fields}`;
}
