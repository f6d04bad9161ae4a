import { probeId, type Reason } from "@millrace/core";
import type { Page, ProbeView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import { countWaitsByKey, deployedProbes, listProbes, type ProbeRow } from "@millrace/store";
import { ProbeBook } from "../engine/probe/probe-book.ts";
import { probeWaitKeys } from "../engine/probe/probe-keys.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { probesListedMax } from "./limits.ts";
import { probeLogPage } from "./probe-logs.ts";
import { probeTroubles } from "./probe-trouble.ts";
import { route, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

export function probeRoutes(context: ApiContext): Route[] {
  return [
    route(operations.listProbes, async (): Promise<Page<ProbeView>> => ({ items: await list(context) })),
    route(operations.listProbeLogs, (request) => probeLogPage(context, request)),
  ];
}

async function list(context: ApiContext): Promise<ProbeView[]> {
  const { database } = context;
  const [rows, deployed] = await Promise.all([
    listProbes(database, workspaceId, probesListedMax),
    deployedProbes(database, workspaceId),
  ]);
  const book = new ProbeBook();
  book.replace(deployed);
  const keys = new Map(rows.map((row) => [row.id, probeWaitKeys(row)]));
  const [waits, troubleOf] = await Promise.all([
    countWaitsByKey(database, [...keys.values()].flat()),
    probeTroubles(context, rows, deployed.probes),
  ]);
  return rows.map((row) => {
    // Each wait has one of a probe's keys.
    const waiting = keys.get(row.id)!.reduce((sum, key) => sum + (waits.get(key) ?? 0), 0);
    return viewOf(row, { book, waiting, trouble: troubleOf(row) });
  });
}

function viewOf(
  row: ProbeRow,
  {
    book,
    waiting,
    trouble,
  }: { readonly book: ProbeBook; readonly waiting: number; readonly trouble: Reason | undefined },
): ProbeView {
  const { id, name, args, nextAt, failures, looks, changes, value, changedAt, lookedAt, error } = row;
  const everyMs = book.find(name)?.definition.everyMs;
  return {
    id,
    probe: name,
    args,
    state: stateOf(row, trouble),
    ...(trouble ? { reason: trouble } : {}),
    ...(everyMs === undefined ? {} : { everyMs }),
    waiting,
    triggers: book.isAsked(probeId(row)),
    looks,
    changes,
    value,
    ...(changedAt === undefined ? {} : { changedAt: isoTime(changedAt) }),
    ...(lookedAt === undefined ? {} : { lookedAt: isoTime(lookedAt) }),
    ...(nextAt === undefined ? {} : { nextAt: isoTime(nextAt) }),
    failures,
    ...(error ? { error } : {}),
  };
}

function stateOf({ nextAt, failures }: ProbeRow, trouble: Reason | undefined): ProbeView["state"] {
  if (nextAt === undefined) return "resting";
  if (trouble && trouble.code !== "probe_failing") return "waiting";
  return failures > 0 ? "failing" : "looking";
}
