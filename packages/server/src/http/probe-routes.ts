import { probeId } from "@millrace/core";
import type { Page, ProbeView } from "@millrace/protocol";
import { countWaitsByKey, deployedProbes, listProbes, type ProbeRow } from "@millrace/store";
import { ProbeBook } from "../engine/probe/probe-book.ts";
import { probeWaitKeys } from "../engine/probe/probe-keys.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { probesListedMax } from "./limits.ts";
import type { Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";

export function probeRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/probes",
      summary:
        "What probes look at, those that somebody waits for first: what is there, who waits, how the last look went",
      handle: async (): Promise<Page<ProbeView>> => ({ items: await list(context) }),
    },
  ];
}

async function list({ database }: ApiContext): Promise<ProbeView[]> {
  const [rows, deployed] = await Promise.all([
    listProbes(database, workspaceId, probesListedMax),
    deployedProbes(database, workspaceId),
  ]);
  const book = new ProbeBook();
  book.replace(deployed);
  const keys = new Map(rows.map((row) => [row.id, probeWaitKeys(row)[0] ?? ""]));
  const waits = await countWaitsByKey(database, [...keys.values()]);
  return rows.map((row) => viewOf(row, { book, waiting: waits.get(keys.get(row.id)!) ?? 0 }));
}

function viewOf(
  row: ProbeRow,
  { book, waiting }: { readonly book: ProbeBook; readonly waiting: number },
): ProbeView {
  const { id, name, args, nextAt, failures, looks, changes, value, changedAt, lookedAt, error } = row;
  const everyMs = book.find(name)?.definition.everyMs;
  return {
    id,
    probe: name,
    args,
    state: nextAt === undefined ? "resting" : failures > 0 ? "failing" : "looking",
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
