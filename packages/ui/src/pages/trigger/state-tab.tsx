/** The condition as a tree, for the chosen key; why an event did or did not count; the keys that have a state. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useCallback } from "react";
import type { EventExplanation, GateView, TriggerDetail, TriggerKeyView } from "@millrace/protocol";
import { list, one } from "../../api/queries.ts";
import { Table, type Column } from "../../parts/table.tsx";
import { Ago, Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { FiringOutcome } from "./firings.tsx";
import { Past } from "./past.tsx";
import { StateTree } from "./state-tree.tsx";

const route = getRouteApi("/triggers/$pipeline");

export function StateTab({ trigger }: { readonly trigger: TriggerDetail }) {
  const { key, event, source } = route.useSearch();
  const { pipeline, keyed } = trigger;
  const path = `/triggers/${encodeURIComponent(pipeline)}/explain` as const;
  const { data, error } = useQuery({
    ...one("triggers", path, { key: keyed ? key : undefined, event, source }),
    retry: false,
    placeholderData: (before) => before,
  });
  return (
    <div className={keyed ? "split open" : "split"}>
      <div className="parts scrolls padded">
        <WhyNot key={event ?? ""} />
        {error && <Trouble error={error} />}
        {data?.event && <EventVerdict event={data.event} pipeline={pipeline} />}
        {data?.gate && <Gate gate={data.gate} />}
        {data?.state && (
          <Past pipeline={pipeline} historyKey={keyed ? data.key : undefined} now={data.state}>
            <section>
              <h2>
                {data.key === undefined ? (
                  "What it has, and what it waits for"
                ) : (
                  <>What it has for {data.key}, and what it waits for</>
                )}
              </h2>
              <StateTree state={data.state} />
              {data.forgottenAt !== undefined && (
                <p className="quiet">
                  This key is forgotten at <Clock at={data.forgottenAt} /> if nothing comes for it until then;
                  it begins anew with the next event.
                </p>
              )}
            </section>
          </Past>
        )}
        {data?.keys && (
          <p className="quiet">Choose a key at the right to see what it has and what it waits for.</p>
        )}
      </div>
      {keyed && <Keys pipeline={pipeline} selected={data?.key ?? key} />}
    </div>
  );
}

function WhyNot() {
  const { event } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <form
      className="filters"
      onSubmit={(submit) => {
        submit.preventDefault();
        const value = new FormData(submit.currentTarget).get("event");
        const given = typeof value === "string" ? value.trim() : "";
        void navigate({
          search: ({ event: _event, source: _source, ...rest }) =>
            given === "" ? rest : { ...rest, event: given },
        });
      }}
    >
      <label className="inline">
        Why not this event?{" "}
        <input
          className="field"
          name="event"
          data-filter
          placeholder="position or id  /"
          defaultValue={event ?? ""}
          size={36}
        />
      </label>
      <button type="submit" className="button">
        Explain
      </button>
    </form>
  );
}

const verdictMarks: { readonly [verdict: string]: { readonly mark: string; readonly kind: string } } = {
  member: { mark: "✓", kind: "good" },
  gathered: { mark: "◔", kind: "busy" },
};

function EventVerdict({ event, pipeline }: { readonly event: EventExplanation; readonly pipeline: string }) {
  const { position, type, verdict, text, keys = [], firings = [], faults = [], replayed } = event;
  const { mark, kind } = verdictMarks[verdict] ?? { mark: "✕", kind: "warn" };
  return (
    <section className="note">
      <p>
        <span className={`state ${kind}`}>
          <span className="mark" aria-hidden="true">
            {mark}
          </span>
          <strong>{verdict.replaceAll("_", " ")}</strong>
        </span>{" "}
        <Link to="/events" search={{ event: String(position) }}>
          {type} at position {position}
        </Link>
        : {text}
      </p>
      {faults.length > 0 && (
        <ul>
          {faults.map(({ operand, part, expected, found }) => (
            <li key={`${operand} ${part}`}>
              {operand}: <code>{part}</code> should be {expected}, and is <code>{found}</code>
            </li>
          ))}
        </ul>
      )}
      {keys.length > 0 && (
        <p>
          It concerns{" "}
          {keys.map((key, at) => (
            <span key={key}>
              {at > 0 && ", "}
              <Link to="/triggers/$pipeline" params={{ pipeline }} search={(before) => ({ ...before, key })}>
                {key}
              </Link>
            </span>
          ))}
          .
        </p>
      )}
      {firings.map((firing) => (
        <p key={firing.id}>
          Its firing at <Clock at={firing.at} />: <FiringOutcome firing={firing} />
        </p>
      ))}
      {replayed && (
        <p className="quiet">
          Found by telling the log again, from position {replayed.from} to {replayed.to}
          {replayed.isWhole ? "" : ", which is a part of what the trigger was told"}.
        </p>
      )}
    </section>
  );
}

function Gate({ gate }: { readonly gate: GateView }) {
  const { policy, maxActiveRuns, active, activeCount, waiting, waitingAreMore } = gate;
  return (
    <section>
      <h2>Who waits for a slot</h2>
      <p>
        {activeCount === 1 ? "One run" : `${activeCount} runs`}
        {maxActiveRuns === undefined ? "" : ` of at most ${maxActiveRuns}`} under way
        {active.length > 0 && ": "}
        {active.map((run, at) => (
          <span key={run}>
            {at > 0 && ", "}
            <Link to="/runs/$run" params={{ run }} className="mono">
              {run}
            </Link>
          </span>
        ))}
        .{" "}
        <span className="quiet">
          {policy === "coalesce"
            ? "Firings that wait share a run."
            : "Of firings that wait the newest has a run."}
        </span>
      </p>
      <ul>
        {waiting.map(({ id, key, since, memberCount }) => (
          <li key={id}>
            {key ?? id} waits since <Clock at={since} />{" "}
            <span className="quiet">{memberCount === 1 ? "1 member" : `${memberCount} members`}</span>
          </li>
        ))}
      </ul>
      {waitingAreMore && <p className="quiet">… and others</p>}
    </section>
  );
}

const columns: readonly Column<TriggerKeyView>[] = [
  { name: "key", width: "minmax(100px, 1fr)", cell: ({ key }) => key },
  { name: "touched", width: "96px", isNumber: true, cell: ({ touchedAt }) => <Ago at={touchedAt} /> },
  {
    name: "time decides",
    width: "96px",
    isNumber: true,
    cell: ({ due }) => (due === undefined ? null : <Ago at={due} />),
  },
];

function Keys({ pipeline, selected }: { readonly pipeline: string; readonly selected: string | undefined }) {
  const navigate = route.useNavigate();
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery(
    list("triggers", `/triggers/${encodeURIComponent(pipeline)}/keys`),
  );
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <aside className="filled" aria-label="Keys">
      <form
        className="filters"
        onSubmit={(submit) => {
          submit.preventDefault();
          const value = new FormData(submit.currentTarget).get("key");
          const given = typeof value === "string" ? value : "";
          void navigate({
            search: ({ key: _key, ...rest }) => (given === "" ? rest : { ...rest, key: given }),
          });
        }}
      >
        <input
          key={selected ?? ""}
          className="field"
          name="key"
          aria-label="key"
          placeholder="a key, as it is"
          defaultValue={selected ?? ""}
        />
        <button type="submit" className="button">
          Show
        </button>
      </form>
      <Table
        label="Keys"
        rows={data ?? []}
        columns={columns}
        keyOf={({ key }) => key}
        selected={selected}
        onOpen={({ key }) => void navigate({ search: (before) => ({ ...before, key }), replace: true })}
        onEnd={onEnd}
        empty={<p className="quiet">No key has a state: nothing of any is gathered.</p>}
      />
    </aside>
  );
}
