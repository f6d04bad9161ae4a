/** What pages ask for, by name: each query's key begins with what it is about, which is how live entries make it old. */
import { infiniteQueryOptions, queryOptions, type InfiniteData, type QueryKey } from "@tanstack/react-query";
import type { ItemAt, Page, QueryAt } from "@millrace/protocol";
import { get, readPage, type Query } from "./client.ts";

/** What a query is about: `app/live-updates.ts` knows which entries of the log change it. */
export type About =
  | "approvals"
  | "assets"
  /** Of a pipeline: it changes with a deploy. */
  | "definition"
  | "deployments"
  | "events"
  /** Of one pipeline: it changes with its own runs alone. */
  | "grid"
  | "info"
  | "overview"
  | "pipelines"
  | "pools"
  | "probes"
  | "runs"
  | "run"
  | "sources"
  | "system"
  | "triggers"
  | "waits"
  | "webhooks"
  | "workers";

export function one<const Path extends string>(about: About, path: Path, query?: QueryAt<"GET", Path>) {
  return queryOptions({
    queryKey: [about, path, query ?? {}] as QueryKey,
    queryFn: ({ signal }) => get(path, query, signal),
  });
}

const pageSize = 100;

/** All pages of a list, one after the other as the reader comes to them. */
export function list<const Path extends string>(about: About, path: Path, query?: QueryAt<"GET", Path>) {
  return infiniteQueryOptions({
    queryKey: [about, path, query ?? {}, "pages"] as QueryKey,
    queryFn: ({ pageParam, signal }) =>
      readPage<ItemAt<Path>>(path, { limit: pageSize, ...(query as Query), cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Page<ItemAt<Path>>) => page.nextCursor,
    select: (data: InfiniteData<Page<ItemAt<Path>>, string | undefined>) =>
      data.pages.flatMap(({ items }) => items),
  });
}

/** A pipeline's runs by nodes. */
export function gridPath(pipeline: string): `/pipelines/${string}/grid` {
  return `/pipelines/${encodeURIComponent(pipeline)}/grid`;
}
