/** One entry of the log: what it comes of, what came of it, who looked at it, and all that it says. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect } from "react";
import type { Json } from "@millrace/core";
import { apiPath } from "../../api/client.ts";
import { one } from "../../api/queries.ts";
import { celAnd, celEquals } from "../../parts/filter/cel-text.ts";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Chain } from "./chain.tsx";
import { Decisions } from "./decisions.tsx";
import { FilterTree, type Path } from "./filter-tree.tsx";
import { SendEvent } from "./send.tsx";

const route = getRouteApi("/events");
/** Triggers read an entry a moment after it was recorded. */
const unreadMs = 1_000;

export function Entry({ position }: { readonly position: string }) {
  const path = `/events/${encodeURIComponent(position)}` as const;
  const { data, error } = useQuery({ ...one("run", path), staleTime: Infinity, retry: false });
  const found = data !== undefined;
  const chain = useQuery({ ...one("runs", `${path}/chain`), enabled: found, retry: false });
  const told = useQuery({
    ...one("run", `${path}/triggers`),
    enabled: found,
    retry: false,
  });
  const isUnread = told.data?.decisions.some(({ verdict }) => verdict === "unread") === true;
  const { refetch } = told;
  const effects = chain.data?.effects.length;
  useEffect(() => {
    if (!isUnread) return undefined;
    const timer = setTimeout(() => void refetch(), unreadMs);
    return () => clearTimeout(timer);
  }, [isUnread, refetch, effects]);
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
            {data.event.time !== undefined && data.event.time !== data.recordedAt && (
              <>
                , of <Clock at={data.event.time} />
              </>
            )}
            {data.lane === "live" ? "" : `, in the lane ${data.lane}`}. Kept as “{data.retention}”.
          </p>
          {data.invalid !== undefined && <p className="note bad">It fires nothing: {data.invalid}</p>}
          <div className="filters">
            <Link to="/events" search={(before) => ({ ...before, build: position })} className="button">
              Build a trigger…
            </Link>{" "}
            <SendEvent name="Send one like it…" like={data.event} />{" "}
            <a href={apiPath(`${path}/data`)} className="button" download={`event-${position}`}>
              Raw data
            </a>
          </div>
          {chain.error && <Trouble error={chain.error} />}
          {chain.data && <Chain chain={chain.data} />}
          <section aria-label="Who looked at it">
            <h3>Who looked at it</h3>
            {told.error && <Trouble error={told.error} />}
            {told.data ? (
              <Decisions told={told.data} position={position} />
            ) : (
              !told.error && <p className="quiet">Asking the triggers…</p>
            )}
          </section>
          <section aria-label="The event">
            <h3>The event</h3>
            <EventTree event={data.event as unknown as Json} />
          </section>
        </>
      )}
    </aside>
  );
}

const attributes = ["type", "subject", "source"] as const;

function EventTree({ event }: { readonly event: Json }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const { specversion: _version, ...members } = event as { readonly [name: string]: Json };
  return (
    <>
      <p className="quiet">A click on a value shows those that have it, too.</p>
      {Object.entries(members).map(([name, value]) => (
        <FilterTree
          key={name}
          name={name}
          value={value}
          path={pathOf(name)}
          title="Show those that have this value"
          onPick={(path, picked) => {
            const [root] = path;
            const attribute = attributes.find((one) => one === root && path.length === 1);
            void navigate({
              search: (before) =>
                attribute
                  ? { ...before, [attribute]: String(picked) }
                  : { ...before, where: celAnd(search.where, equalTo(path, picked)) },
            });
          }}
        />
      ))}
    </>
  );
}

/** Extension attributes stand below `attributes` in filters. */
function pathOf(name: string): Path {
  return ["type", "subject", "source", "id", "time", "data"].includes(name) ? [name] : ["attributes", name];
}

function equalTo(path: Path, value: string | number | boolean | null): string {
  if (path[0] === "time") return `time == timestamp(${JSON.stringify(value)})`;
  return celEquals(path, value);
}
