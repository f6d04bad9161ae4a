/** The live feed: what comes is put before what is shown while the reader is at its top, and gathered otherwise. */
import { useInfiniteQuery, useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { EventSearchPage, EventView, Page } from "@millrace/protocol";
import { get, type Query } from "../../api/client.ts";
import { listen } from "../../api/live.ts";

export interface EventFilter {
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly source?: string | undefined;
  readonly where?: string | undefined;
  readonly invalid?: string | undefined;
  readonly until?: string | undefined;
}

type FeedPage = Page<EventView> & Partial<Pick<EventSearchPage, "looked">>;
type FeedData = InfiniteData<FeedPage, string | undefined>;

const pageSize = 100;
const gatherMs = 300;
/** A filter costs a look at each entry. */
const gatherFilteredMs = 1_000;
/** A feed that was open for hours begins anew. */
const linesMax = 3_000;

export function useFeed(filter: EventFilter) {
  const queries = useQueryClient();
  const { type, subject, source, where, invalid, until } = filter;
  const asked = useMemo((): Query => {
    return { type, subject, source, where, invalid, until };
  }, [type, subject, source, where, invalid, until]);
  const key = useMemo(() => ["event-feed", asked], [asked]);
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) =>
      get("/events", { limit: pageSize, ...asked, cursor: pageParam }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: FeedPage) => page.nextCursor,
    staleTime: Infinity,
    retry: false,
  });
  const [isPaused, setPaused] = useState(false);
  const [isTop, setTop] = useState(true);
  const [waiting, setWaiting] = useState(0);
  const isLive = !isPaused && isTop && until === undefined;
  /** The newest entry that is known of, and up to which the feed was read. */
  const seen = useRef(0);
  const told = useRef(0);
  const pages = query.data?.pages;
  const items = useMemo(() => pages?.flatMap((page) => page.items) ?? [], [pages]);
  const newest = items[0]?.position ?? 0;

  const load = useCallback(async () => {
    setWaiting(0);
    const upTo = seen.current;
    // What was looked at before is not looked at again, also where little of it fits the filter.
    const after = Math.max(newest, told.current);
    const page = await get("/events", { ...asked, after, limit: pageSize }).catch(() => undefined);
    if (!page) return;
    if (page.nextCursor !== undefined && page.items.length >= pageSize) {
      await queries.resetQueries({ queryKey: key });
      return;
    }
    told.current = Math.max(told.current, upTo);
    queries.setQueryData<FeedData>(key, (old) => withNew(old, page.items));
  }, [queries, key, asked, newest]);

  /** The link opened after the feed was asked for: what came between the two was told to nobody. */
  const isUnsure = useRef(false);
  useEffect(() => {
    if (!isUnsure.current || !isLive || newest === 0) return;
    isUnsure.current = false;
    void load();
  }, [isLive, newest, load]);

  useEffect(() => {
    if (until !== undefined) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let count = 0;
    const unlisten = listen("log", {
      onLink: (isOpen) => {
        if (!isOpen) return;
        if (isLive && newest > 0) void load();
        else isUnsure.current = true;
      },
      onData: (data) => {
        const entry = data as EventView;
        seen.current = Math.max(seen.current, entry.position);
        if (!isLike(entry, asked)) return;
        count += 1;
        timer ??= setTimeout(
          () => {
            timer = undefined;
            const arrived = count;
            count = 0;
            if (isLive) void load();
            else setWaiting((before) => before + arrived);
          },
          asked["where"] === undefined ? gatherMs : gatherFilteredMs,
        );
      },
    });
    return () => {
      clearTimeout(timer);
      unlisten();
    };
  }, [asked, until, isLive, newest, load]);
  useEffect(() => {
    setWaiting(0);
    told.current = 0;
  }, [key]);

  return { query, items, pages, isPaused, setPaused, setTop, waiting, load };
}

function withNew(old: FeedData | undefined, items: readonly EventView[]): FeedData | undefined {
  const [first, ...rest] = old?.pages ?? [];
  if (!old || !first) return old;
  const known = new Set(first.items.map(({ position }) => position));
  const fresh = items.filter(({ position }) => !known.has(position));
  if (fresh.length === 0) return old;
  const count = old.pages.reduce((sum, page) => sum + page.items.length, fresh.length);
  const kept = count > linesMax ? [] : rest;
  return {
    pages: [{ ...first, items: [...fresh, ...first.items].slice(0, linesMax) }, ...kept],
    pageParams: old.pageParams.slice(0, kept.length + 1),
  };
}

/** As far as it can be told here; the server judges what the filter says. */
function isLike({ event, invalid }: EventView, asked: Query): boolean {
  const { type, subject, source } = asked;
  const isOfType =
    typeof type !== "string" ||
    (type.endsWith("*") ? event.type.startsWith(type.slice(0, -1)) : event.type === type);
  return (
    isOfType &&
    (subject === undefined || event.subject === subject) &&
    (source === undefined || event.source === source) &&
    (asked["invalid"] === undefined || invalid !== undefined)
  );
}
