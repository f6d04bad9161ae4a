import type { ServerInfo } from "@millrace/protocol";
import type { ApiContext } from "./api-context.ts";
import { streamLive } from "./live-stream.ts";
import type { Route } from "./route.ts";

export function serverRoutes(context: ApiContext): Route[] {
  return [
    {
      method: "GET",
      path: "/info",
      summary: "This server's state",
      handle: () => serverInfo(context),
    },
    {
      method: "GET",
      path: "/live",
      summary: "What happens, as server-sent events of several topics over one connection",
      query: {
        topics: "`log`, `activity`, `project`, `run:ID` and `run-logs:ID`, with commas between them",
        after: "entries of the log after this position; from now on, when absent",
      },
      handle: (request, reply) => streamLive(context, request, reply),
    },
  ];
}

export function serverInfo(context: ApiContext): ServerInfo {
  const { running } = context.host;
  const info = running?.info;
  return {
    version: context.version,
    node: String(info?.nodeId ?? ""),
    state: info?.state ?? (context.host.stopping ? "stopping" : "database_lost"),
    shards: info?.shards ?? 0,
    workers: running ? [...running.hub.workers()].length : 0,
    activeRuns: info?.activeRuns ?? 0,
    database: { version: context.databaseVersion, embedded: context.embedded },
  };
}
