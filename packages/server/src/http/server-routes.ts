import type { ServerInfo } from "@millrace/protocol";
import { operations } from "@millrace/protocol/operations";
import type { ApiContext } from "./api-context.ts";
import { streamLive } from "./live-stream.ts";
import { route, type Route } from "./route.ts";

export function serverRoutes(context: ApiContext): Route[] {
  return [
    route(operations.getInfo, () => serverInfo(context)),
    route(operations.watch, (request, reply) => streamLive(context, request, reply)),
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
