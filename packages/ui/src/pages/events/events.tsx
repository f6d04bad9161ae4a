/** The event log, newest first; one entry opens beside it with its data, its cause and what it did. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Json } from "@millrace/core";
import type { EventView, FiringView, Page } from "@millrace/protocol";
import { list, one } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { firstEvent } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { LongList } from "../../parts/long-list.tsx";
import type { Column } from "../../parts/table.tsx";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";

const route = getRouteApi("/events");
const filters = ["type", "subject", "source"] as const;

const columns: readonly Column<EventView>[] = [
  { name: "position", width: "84px", isNumber: true, cell: ({ position }) => position },
  { name: "recorded", width: "88px", cell: ({ recordedAt }) => <Clock at={recordedAt} /> },
  {
    name: "type",
    width: "minmax(180px, 1.2fr)",
    cell: ({ event: { type } }) => (
      <Link to="/events" search={{ type }}>
        {type}
      </Link>
    ),
  },
  {
    name: "subject",
    width: "minmax(140px, 1fr)",
    cell: ({ event: { type, subject } }) => <Subject type={type} subject={subject} />,
  },
  {
    name: "source",
    width: "minmax(140px, 1fr)",
    cell: ({ event: { source } }) => <span className="quiet">{source}</span>,
  },
  {
    name: "data",
    width: "minmax(160px, 2fr)",
    cell: ({ event, invalid, dataBytes }) =>
      invalid === undefined ? (
        <span className="mono quiet">
          {dataBytes === undefined ? JSON.stringify(event.data ?? null) : `${dataBytes} bytes`}
        </span>
      ) : (
        <span className="bad-text">invalid: {invalid}</span>
      ),
  },
];

export function Events() {
  const { event, ...filter } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(list<EventView>("events", "/events", filter));
  return (
    <div className="page fills">
      <Head title="Events" name="Events">
        What happened outside and inside, in the order of the log, newest first.
      </Head>
      <div className="filters">
        {filters.map((name, index) => (
          <input
            key={`${name} ${filter[name] ?? ""}`}
            className="field"
            {...(index === 0 ? { "data-filter": "" } : {})}
            aria-label={name}
            placeholder={index === 0 ? "type  /" : name}
            defaultValue={filter[name] ?? ""}
            onKeyDown={({ key, currentTarget }) => {
              if (key !== "Enter") return;
              const value = currentTarget.value.trim();
              void navigate({
                search: ({ [name]: _old, ...rest }) => ({
                  ...rest,
                  ...(value === "" ? {} : { [name]: value }),
                }),
              });
            }}
          />
        ))}
      </div>
      <div className={event === undefined ? "split" : "split open"}>
        <LongList
          query={query}
          label="Events"
          columns={columns}
          keyOf={({ position }) => String(position)}
          selected={event}
          onOpen={({ position }) =>
            void navigate({ search: (before) => ({ ...before, event: String(position) }), replace: true })
          }
          empty={<NoEvents isFiltered={Object.keys(filter).length > 0} />}
        />
        {event !== undefined && <Entry position={event} />}
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
  return <>{subject}</>;
}

function Entry({ position }: { readonly position: string }) {
  const path = `/events/${encodeURIComponent(position)}`;
  const { data, error } = useQuery(one<EventView>("run", path));
  const firings = useQuery(one<Page<FiringView>>("run", `${path}/firings`));
  return (
    <aside aria-label={`Event ${position}`}>
      <div className="head">
        <h2 className="words">{data ? data.event.type : `Event ${position}`}</h2>
        <Link to="/events" search={({ event: _event, ...rest }) => rest} aria-label="Close">
          ✕
        </Link>
      </div>
      {error && <Trouble error={error} />}
      {data && (
        <>
          <p className="sentence">
            Entry {data.position} of the log, recorded at <Clock at={data.recordedAt} />
            {data.lane === "live" ? "" : `, in the lane ${data.lane}`}.
          </p>
          {data.invalid !== undefined && <p className="note bad">It fires nothing: {data.invalid}</p>}
          <section>
            <h3>What it did</h3>
            {firings.data?.items.length === 0 && <p className="quiet">No trigger fired with it.</p>}
            <ul>
              {firings.data?.items.map((firing) => (
                <li key={firing.id}>
                  <Link
                    to="/triggers/$pipeline"
                    params={{ pipeline: firing.pipeline }}
                    search={{ event: position, ...(firing.key === undefined ? {} : { key: firing.key }) }}
                  >
                    {firing.pipeline}
                  </Link>
                  {": "}
                  {firing.state === "started" || firing.state === "waiting" ? (
                    <Link to="/runs/$run" params={{ run: firing.runId ?? "" }} className="mono">
                      {firing.runId}
                    </Link>
                  ) : (
                    firing.state
                  )}
                </li>
              ))}
            </ul>
          </section>
          {data.cause !== undefined && (
            <section>
              <h3>What it comes of</h3>
              <JsonTree value={data.cause as unknown as Json} />
            </section>
          )}
          <section>
            <h3>The event</h3>
            <JsonTree value={data.event as unknown as Json} />
          </section>
        </>
      )}
    </aside>
  );
}

function NoEvents({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <p>No entry of the log is like that.</p>;
  return (
    <>
      <p>Here stands what happens: events from outside, and what runs, assets and triggers did. Send one:</p>
      <Code text={firstEvent} />
    </>
  );
}
