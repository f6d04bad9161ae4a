/**
 * Entries of the event log make what the page shows old: it is asked for again, at most twice a second each, and nothing is
 * asked for while nothing happens. What sums up the whole is asked for less often.
 */
import type { QueryClient } from "@tanstack/react-query";
import type { ActivityEvent, EventView } from "@millrace/protocol";
import { listen } from "../api/live.ts";
import { followProject } from "../api/project.ts";
import { gridPath, type About } from "../api/queries.ts";

const gatherMs = 500;
const gatherSlowMs = 2_000;

/** By the beginning of an entry's type. */
const changes: readonly (readonly [prefix: string, about: readonly About[]])[] = [
  ["millrace.run.", ["triggers"]],
  ["millrace.asset.", ["assets"]],
  ["millrace.trigger.", ["triggers", "pipelines", "definition"]],
  ["millrace.approval.", ["approvals", "waits"]],
  ["millrace.source.", ["sources"]],
  ["millrace.probe.", ["probes"]],
];

/** What changes with any run. */
const ofRuns: readonly About[] = ["runs", "pipelines", "waits"];
/** What sums up the whole changes with anything. */
const ofAll: readonly About[] = ["overview", "workers", "pools", "approvals", "system"];
const ofWorkers: readonly About[] = ["workers", "info", "overview"];

/** Until what it returns is called. `onLink` tells whether news come. */
export function followLog(queries: QueryClient, onLink: (isOpen: boolean) => void): () => void {
  const old = new Set<About>();
  const ran = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wasLost = false;
  let hasOpened = false;
  let slowTimer: ReturnType<typeof setTimeout> | undefined;
  const refreshAll = (): void => {
    slowTimer = undefined;
    for (const about of ofAll) void queries.invalidateQueries({ queryKey: [about] });
  };
  const refresh = (): void => {
    timer = undefined;
    for (const about of old) void queries.invalidateQueries({ queryKey: [about] });
    old.clear();
    for (const pipeline of ran) void queries.invalidateQueries({ queryKey: ["grid", gridPath(pipeline)] });
    ran.clear();
  };
  const unlisten = listen("log", {
    onData: (data) => {
      const { type } = (data as EventView).event;
      old.add("events");
      for (const [prefix, about] of changes)
        if (type.startsWith(prefix)) for (const one of about) old.add(one);
      timer ??= setTimeout(refresh, gatherMs);
      slowTimer ??= setTimeout(refreshAll, gatherSlowMs);
    },
    onLink: (isOpen) => {
      // What was missed while the link was away is in the log, but not all that is shown is.
      if (isOpen && wasLost) void queries.invalidateQueries();
      wasLost = !isOpen && hasOpened;
      hasOpened ||= isOpen;
      onLink(isOpen);
    },
  });
  const unlistenActivity = listen("activity", {
    onData: (data) => {
      const { pipelines } = data as ActivityEvent;
      for (const one of ofRuns) old.add(one);
      if (pipelines === undefined || pipelines.includes("")) for (const one of ofWorkers) old.add(one);
      // Without names it may be any of them.
      if (pipelines === undefined || pipelines.length === 0) old.add("grid");
      for (const pipeline of pipelines ?? []) ran.add(pipeline);
      timer ??= setTimeout(refresh, gatherMs);
      slowTimer ??= setTimeout(refreshAll, gatherSlowMs);
    },
  });
  const unlistenProject = followProject(queries);
  return () => {
    clearTimeout(timer);
    clearTimeout(slowTimer);
    unlisten();
    unlistenActivity();
    unlistenProject();
  };
}
