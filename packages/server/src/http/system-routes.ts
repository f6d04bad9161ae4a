/** What the server knows of itself: servers, shards, the database, the log, retention, and what to do about them. */
import { retentionClassNames, retentionDaysOf } from "@millrace/core";
import type { ServerNodeView, SystemView } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import {
  databaseState,
  listNodes,
  listTableSizes,
  migrationStatus,
  type DatabaseState,
  type NodeRow,
} from "@millrace/store";
import { cursorEntriesMax } from "../engine/limits.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { nodesShownMax } from "./limits.ts";
import { route, type Route } from "./route.ts";
import { isoTime } from "./run-summary.ts";
import { systemChecks } from "./system-checks.ts";

const shardsAll = 64;

export function systemRoutes(context: ApiContext): Route[] {
  return [route(operations.getSystem, () => systemView(context))];
}

async function systemView(context: ApiContext): Promise<SystemView> {
  const { database, host, version, databaseVersion, embedded, retentionDays } = context;
  const [nodes, tables, state, migrations, webhooks] = await Promise.all([
    listNodes(database, nodesShownMax),
    listTableSizes(database),
    databaseState(database, workspaceId),
    migrationStatus(database.api),
    context.webhooks.list(),
  ]);
  const now = host.running?.now() ?? 0;
  const here = host.running?.info.nodeId;
  const told = host.running?.toldTo;
  const views = nodes.map((node) => nodeView(node, { now, here, told, position: state.logPosition }));
  return {
    at: isoTime(now),
    version,
    nodes: views,
    shards: shardsAll,
    database: {
      version: databaseVersion,
      embedded,
      bytes: state.databaseBytes,
      connections: state.connections,
      connectionsMax: state.connectionsMax,
      tables: tables.map(({ table, bytes, indexBytes, rows, partitions }) => ({
        name: table,
        bytes,
        indexBytes,
        ...(rows === undefined ? {} : { rows }),
        partitions,
      })),
    },
    log: logView(state, views),
    retention: {
      historyDays: retentionDays,
      events: retentionClassNames.map((name) => ({ name, days: retentionDaysOf(name, retentionDays) })),
    },
    checks: systemChecks({ nodes: views, state, migrations, webhooks }),
  };
}

interface Measure {
  readonly now: number;
  readonly here: number | undefined;
  /** How far this server has told the log. */
  readonly told: number | undefined;
  /** The log's head. */
  readonly position: number;
}

function nodeView(node: NodeRow, measure: Measure): ServerNodeView {
  const behind = behindOf(node, measure);
  return {
    id: String(node.id),
    name: node.name,
    ...(node.url === undefined ? {} : { url: node.url }),
    version: node.version,
    state: node.isFenced ? "gone" : node.leaseUntil > measure.now ? "live" : "silent",
    isThis: node.id === measure.here,
    startedAt: isoTime(node.startedAt),
    leaseUntil: isoTime(node.leaseUntil),
    shards: node.shards,
    ...(behind === undefined ? {} : { behind }),
  };
}

/** Other servers write how far they have come each so many entries: what is less is no lag. */
function behindOf({ id, toldTo }: NodeRow, { here, told, position }: Measure): number | undefined {
  if (id === here && told !== undefined) return Math.max(0, position - told);
  return toldTo === undefined ? undefined : Math.max(0, position - toldTo - cursorEntriesMax);
}

function logView(
  { logPosition, logClock, logSince, inbox }: DatabaseState,
  nodes: readonly ServerNodeView[],
): SystemView["log"] {
  return {
    position: logPosition,
    ...(logClock === undefined ? {} : { clock: isoTime(logClock) }),
    ...(logSince === undefined ? {} : { since: isoTime(logSince) }),
    behind: Math.max(0, ...nodes.map(({ behind }) => behind ?? 0)),
    inbox,
  };
}
