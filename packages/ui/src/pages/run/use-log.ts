/** The log that a tab shows: a window on it that follows the address's filters, and what comes live. */
import { useEffect, useMemo, useState } from "react";
import type { LogEntry, RunEvent } from "@millrace/protocol";
import { get } from "../../api/client.ts";
import { listen } from "../../api/live.ts";
import { LogWindow, type LogState } from "./log-window.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogFilter {
  readonly run: string;
  readonly node: string | undefined;
  readonly item: string | undefined;
  readonly level: LogLevel;
  readonly find: string | undefined;
}

/** Lines are shown together that come within this time. */
const gatherMs = 60;
const lookMs = 30_000;

export function linesPath(run: string): `/runs/${string}/lines` {
  return `/runs/${encodeURIComponent(run)}/lines`;
}

/** In the address, in place of a place. */
export const beginning = "beginning";

/** `at`: the place to begin with; the end, if absent. */
export function useLog(
  filter: LogFilter,
  { at, isLive }: { readonly at: string | undefined; readonly isLive: boolean },
): { readonly window: LogWindow; readonly state: LogState } {
  const { run, node, item, level, find } = filter;
  const [, setTurn] = useState(0);
  const window = useMemo(() => {
    const least = logLevels.indexOf(level);
    const wanted = find?.toLowerCase();
    return new LogWindow({
      read: (query, signal) =>
        get(linesPath(run), { ...query, ...queryOf({ node, item, level, find }) }, signal),
      isWanted: (entry: LogEntry) =>
        (node === undefined || entry.node === node) &&
        (item === undefined || entry.item === item) &&
        logLevels.indexOf(entry.level) >= least &&
        (wanted === undefined || entry.text.toLowerCase().includes(wanted)),
      onChange: () => setTurn((turn) => turn + 1),
    });
  }, [run, node, item, level, find]);
  useEffect(() => {
    void (at === undefined
      ? window.openEnd()
      : at === beginning
        ? window.openBeginning()
        : window.openAt(at));
    return () => window.stop();
  }, [window, at]);
  useEffect(() => {
    if (!isLive) return undefined;
    let gathered: LogEntry[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unlisten = listen(`run-logs:${run}`, {
      onData: (data) => {
        const event = data as RunEvent;
        if (event.kind !== "log") return;
        gathered.push(event.entry);
        timer ??= setTimeout(() => {
          timer = undefined;
          const more = gathered;
          gathered = [];
          window.take(more);
        }, gatherMs);
      },
    });
    return () => {
      clearTimeout(timer);
      unlisten();
      // The last lines may have come while nobody listened any more.
      window.take(gathered);
    };
  }, [run, isLive, window]);
  return { window, state: window.state };
}

export function queryOf({ node, item, level, find }: Omit<LogFilter, "run">) {
  return { node, item, level: level === "debug" ? undefined : level, find };
}

export interface FoundLine {
  readonly entry: LogEntry;
  /** Its place, to open the log there, and the place after it, to look on from. */
  readonly before: string;
  readonly after: string;
}

/** The next error from a place; `undefined` where there is none. Each look is bounded, so several follow each other. */
export async function findError(
  { run, node, item }: Pick<LogFilter, "run" | "node" | "item">,
  from: string | undefined,
  onLook: (until: string | undefined) => void,
): Promise<FoundLine | undefined> {
  const signal = AbortSignal.timeout(lookMs);
  for (let cursor = from; ;) {
    const query = { node, item, level: "error", limit: 1, cursor } as const;
    const view = await get(linesPath(run), query, signal);
    const [entry] = view.items;
    if (entry) return { entry, before: view.before, after: view.after };
    if (!view.hasMore) return undefined;
    onLook(view.lookedAt);
    cursor = view.after;
  }
}
