/** What a run's attempts logged: all nodes or one, as it comes, with levels and a search. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { getRouteApi } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import type { LogEntry, RunEvent } from "@millrace/protocol";
import { listen } from "../../api/live.ts";
import { list } from "../../api/queries.ts";
import { exactText } from "../../parts/time-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { nodeName } from "./sentence.ts";
import { isUnderWay, logKey, type LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");
const lineHeight = 18;
const levels = ["debug", "info", "warn", "error"] as const;
const pageSize = 1_000;

export function Logs({ live }: { readonly live: LiveRun }) {
  const { run, picture } = live;
  const { node, item, level, find } = route.useSearch();
  const navigate = route.useNavigate();
  const path = `/runs/${encodeURIComponent(run.id)}/logs` as const;
  const stored = useInfiniteQuery(list("run", path, { node, item, limit: pageSize }));
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = stored;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const fresh = useFresh(run.id, isUnderWay(run));
  const entries = useMemo(() => {
    const known = new Set(stored.data?.map(logKey));
    const added = fresh.filter(
      (entry) =>
        !known.has(logKey(entry)) &&
        (node === undefined || entry.node === node) &&
        (item === undefined || entry.item === item),
    );
    const least = levels.indexOf((level ?? "debug") as (typeof levels)[number]);
    const wanted = find?.toLowerCase();
    return [...(stored.data ?? []), ...added].filter(
      (entry) =>
        levels.indexOf(entry.level) >= least &&
        (wanted === undefined || entry.text.toLowerCase().includes(wanted)),
    );
  }, [stored.data, fresh, node, item, level, find]);
  const set = (name: "node" | "level" | "find", value: string): void => {
    void navigate({
      search: ({ item: _item, ...before }) => {
        const { [name]: _old, ...rest } = before;
        return { ...rest, ...(value === "" ? {} : { [name]: value }) };
      },
      replace: true,
    });
  };
  return (
    <>
      <div className="filters">
        <select
          className="field"
          aria-label="node"
          value={node ?? ""}
          onChange={(event) => set("node", event.target.value)}
        >
          <option value="">all nodes</option>
          {picture.nodes().map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
        <select
          className="field"
          aria-label="least level"
          value={level ?? "debug"}
          onChange={(event) => set("level", event.target.value === "debug" ? "" : event.target.value)}
        >
          {levels.map((one) => (
            <option key={one} value={one}>
              {one === "debug" ? "all levels" : one === "error" ? "errors" : `${one} and above`}
            </option>
          ))}
        </select>
        <input
          className="field"
          type="search"
          data-filter
          aria-label="find in lines"
          placeholder="find  /"
          value={find ?? ""}
          onChange={(event) => set("find", event.target.value)}
        />
        <span className="quiet">
          {entries.length} {entries.length === 1 ? "line" : "lines"}
          {hasNextPage && ", reading more…"}
        </span>
      </div>
      {stored.error ? (
        <Trouble error={stored.error} />
      ) : (
        <Lines entries={entries} isRead={!stored.isPending} />
      )}
    </>
  );
}

function Lines({ entries, isRead }: { readonly entries: readonly LogEntry[]; readonly isRead: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const [follows, setFollows] = useState(true);
  const virtual = useVirtualizer({
    count: entries.length,
    getScrollElement: () => box.current,
    estimateSize: () => lineHeight,
    overscan: 30,
  });
  useEffect(() => {
    if (follows && entries.length > 0) virtual.scrollToIndex(entries.length - 1);
  }, [follows, entries.length, virtual]);
  if (entries.length === 0)
    return (
      <p className="empty">
        {isRead
          ? "No line is like that. What tasks print or tell `ctx.log` stands here as it comes."
          : "Reading…"}
      </p>
    );
  return (
    <div
      className="log whole"
      ref={box}
      tabIndex={0}
      role="log"
      aria-label="Log lines"
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) =>
        setFollows(scrollTop + clientHeight > scrollHeight - 2 * lineHeight)
      }
    >
      <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {virtual.getVirtualItems().map(({ index, start }) => {
          const entry = entries[index];
          return entry ? (
            <div
              key={logKey(entry)}
              style={{ position: "absolute", insetInline: 0, transform: `translateY(${start}px)` }}
            >
              <LogLine entry={entry} withNode />
            </div>
          ) : null;
        })}
      </div>
    </div>
  );
}

export function LogLine({
  entry,
  withNode = false,
}: {
  readonly entry: LogEntry;
  readonly withNode?: boolean;
}) {
  const at = new Date(entry.at);
  return (
    <div className={`log-line ${entry.level}`}>
      <time className="quiet" dateTime={at.toISOString()} title={exactText(at.getTime())}>
        {at.toTimeString().slice(0, 8)}
      </time>
      {withNode && <span className="quiet cut">{nodeName({ id: entry.node, item: entry.item })}</span>}
      <span className="text">{entry.text}</span>
    </div>
  );
}

/** Lines that came since the page was opened. */
function useFresh(run: string, isLive: boolean): readonly LogEntry[] {
  const [entries, setEntries] = useState<readonly LogEntry[]>([]);
  useEffect(() => {
    if (!isLive) return undefined;
    let gathered: LogEntry[] = [];
    let frame = 0;
    const unlisten = listen(`run-logs:${run}`, {
      onData: (data) => {
        const event = data as RunEvent;
        if (event.kind !== "log") return;
        gathered.push(event.entry);
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          const more = gathered;
          gathered = [];
          setEntries((before) => [...before, ...more]);
        });
      },
    });
    return () => {
      cancelAnimationFrame(frame);
      unlisten();
    };
  }, [run, isLive]);
  return entries;
}
