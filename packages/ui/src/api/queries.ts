/** What pages ask for, by name: each query's key begins with what it is about, which is how live entries make it old. */
import { infiniteQueryOptions, queryOptions, type InfiniteData, type QueryKey } from "@tanstack/react-query";
import type { Page } from "@millrace/protocol";
import { get, type Query } from "./client.ts";

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

export function one<T>(about: About, path: string, query: Query = {}) {
  return queryOptions({
    queryKey: [about, path, query] as QueryKey,
    queryFn: ({ signal }) => get<T>(path, query, signal),
  });
}

const pageSize = 100;

/** All pages of a list, one after the other as the reader comes to them. */
export function list<T>(about: About, path: string, query: Query = {}) {
  return infiniteQueryOptions({
    queryKey: [about, path, query, "pages"] as QueryKey,
    queryFn: ({ pageParam, signal }) =>
      get<Page<T>>(path, { limit: pageSize, ...query, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Page<T>) => page.nextCursor,
    select: (data: InfiniteData<Page<T>, string | undefined>) => data.pages.flatMap(({ items }) => items),
  });
}

/** A pipeline's runs by nodes. */
export function gridPath(pipeline: string): string {
  return `/pipelines/${encodeURIComponent(pipeline)}/grid`;
}
