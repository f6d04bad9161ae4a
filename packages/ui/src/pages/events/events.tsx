/** The event log as a live feed, newest first; one entry opens beside it with its causes and effects. */
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { EventView } from "@millrace/protocol";
import { ApiError } from "../../api/client.ts";
import { Code } from "../../parts/code.tsx";
import { firstEvent } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Clock } from "../../parts/time.tsx";
import { numberText } from "../../parts/number-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { BuildTrigger } from "./build.tsx";
import { Entry } from "./entry.tsx";
import { useFeed, type EventFilter } from "./feed.ts";
import { FilterBar } from "./filter-bar.tsx";
import { Histogram } from "./histogram.tsx";
import { SendEvent } from "./send.tsx";
import "../../styles/events.css";

const route = getRouteApi("/events");

const columns: readonly Column<EventView>[] = [
  { name: "position", width: "76px", isNumber: true, cell: ({ position }) => position },
  { name: "recorded", width: "80px", cell: ({ recordedAt }) => <Clock at={recordedAt} /> },
  {
    name: "type",
    width: "minmax(110px, 1.2fr)",
    cell: ({ event: { type } }) => (
      <Link to="/events" search={(before) => ({ ...before, type })} title={type}>
        {type}
      </Link>
    ),
  },
  {
    name: "subject",
    width: "minmax(70px, 1fr)",
    cell: ({ event: { type, subject } }) => <Subject type={type} subject={subject} />,
  },
  {
    name: "source",
    width: "minmax(70px, 1fr)",
    cell: ({ event: { source } }) => (
      <Link to="/events" search={(before) => ({ ...before, source })} title={source}>
        {source}
      </Link>
    ),
  },
  {
    name: "data",
    width: "minmax(80px, 2fr)",
    cell: ({ event, invalid, dataBytes }) =>
      invalid === undefined ? (
        <span className="mono quiet">
          {dataBytes === undefined ? JSON.stringify(event.data ?? null).slice(0, 300) : `${dataBytes} bytes`}
        </span>
      ) : (
        <span className="bad-text">invalid: {invalid}</span>
      ),
  },
];

export function Events() {
  const { build } = route.useSearch();
  return build === undefined ? <Feed /> : <BuildTrigger position={build} />;
}

function Feed() {
  const { event, type, subject, source, where, invalid, until } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = useMemo((): EventFilter => {
    return { type, subject, source, where, invalid, until };
  }, [type, subject, source, where, invalid, until]);
  const { query, items, pages, isPaused, setPaused, setTop, waiting, load } = useFeed(filter);
  const { error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const isWrongFilter = error instanceof ApiError && error.problem.fields?.["query"] === "where";
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  const looked = pages?.reduce((sum, page) => sum + (page.looked?.entries ?? 0), 0) ?? 0;
  const lookedTo = pages?.at(-1)?.looked?.to;
  return (
    <div className="page fills">
      <Head
        title="Events"
        name="Events"
        actions={
          <>
            <SendEvent name="Send an event…" isMain />
            <button
              type="button"
              className="button"
              aria-pressed={isPaused}
              disabled={until !== undefined}
              onClick={() => {
                setPaused(!isPaused);
                if (isPaused) void load();
              }}
            >
              {isPaused ? "Go on" : "Pause"}
            </button>
          </>
        }
      >
        What happened outside and inside, in the order of the log, newest first
        {until !== undefined
          ? ", up to a moment."
          : isPaused
            ? "; held while you read."
            : "; new ones come as they happen."}
      </Head>
      <FilterBar error={error} />
      {!isWrongFilter && <Histogram filter={filter} />}
      <div className={event === undefined ? "split" : "split open"}>
        <div className="feed">
          {waiting > 0 && (
            <button
              type="button"
              className="button new-ones"
              onClick={() => {
                document.querySelector('[data-list="Events"]')?.scrollTo({ top: 0 });
                setPaused(false);
                void load();
              }}
            >
              {numberText(waiting)} new
            </button>
          )}
          {error && !isWrongFilter && <Trouble error={error} onRetry={() => void query.refetch()} />}
          {isPending && !error && <p className="quiet">Reading…</p>}
          {!error && !isPending && (
            <Table
              label="Events"
              rows={items}
              columns={columns}
              keyOf={({ position }) => String(position)}
              selected={event}
              onOpen={({ position }) =>
                void navigate({ search: (before) => ({ ...before, event: String(position) }), replace: true })
              }
              onTop={setTop}
              onEnd={() => {
                // A search goes on where it is asked to: it may find nothing for long.
                if (where === undefined && hasNextPage && !isFetchingNextPage) void fetchNextPage();
              }}
              empty={<NoEvents isFiltered={isFiltered} hasMore={hasNextPage} />}
            />
          )}
          {where !== undefined && lookedTo && (
            <p className="looked">
              <span className="quiet">
                {numberText(looked)} entries looked at, back to <Clock at={lookedTo.at} />
                {hasNextPage ? "." : ": all of them."}
              </span>{" "}
              {hasNextPage && (
                <button
                  type="button"
                  className="button"
                  disabled={isFetchingNextPage}
                  onClick={() => void fetchNextPage()}
                >
                  {isFetchingNextPage ? "Looking…" : "Look further back"}
                </button>
              )}
            </p>
          )}
        </div>
        {event !== undefined && <Entry position={event} key={event} />}
      </div>
    </div>
  );
}

/** What an entry of our own is about has a page. */
function Subject({ type, subject }: { readonly type: string; readonly subject: string | undefined }) {
  if (subject === undefined) return null;
  if (type.startsWith("millrace.asset."))
    return (
      <Link to="/assets/$asset" params={{ asset: subject }}>
        {subject}
      </Link>
    );
  if (type.startsWith("millrace.trigger."))
    return (
      <Link to="/triggers/$pipeline" params={{ pipeline: subject }}>
        {subject}
      </Link>
    );
  return (
    <Link to="/events" search={(before) => ({ ...before, subject })} title={subject}>
      {subject}
    </Link>
  );
}

function NoEvents({ isFiltered, hasMore }: { readonly isFiltered: boolean; readonly hasMore: boolean }) {
  if (isFiltered) return <p>No entry {hasMore ? "that was looked at" : "of the log"} is like that.</p>;
  return (
    <>
      <p>Here stands what happens: events from outside, and what runs, assets and triggers did. Send one:</p>
      <Code text={firstEvent} />
    </>
  );
}
