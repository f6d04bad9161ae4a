/** All runs, newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { runStates } from "@millrace/core";
import type { RunState, RunSummary } from "@millrace/protocol";
import { list } from "../../api/queries.ts";
import { Head } from "../../parts/head.tsx";
import { StartOne } from "../../parts/start-one.tsx";
import { State, stateWord } from "../../parts/state.tsx";
import { LongList } from "../../parts/long-list.tsx";
import type { Column } from "../../parts/table.tsx";
import { Ago, Took } from "../../parts/time.tsx";

const route = getRouteApi("/runs");

const columns: readonly Column<RunSummary>[] = [
  { name: "state", width: "128px", cell: ({ state }) => <State state={state} /> },
  {
    name: "pipeline",
    width: "minmax(140px, 1fr)",
    cell: ({ pipeline }) => (
      <Link to="/pipelines/$pipeline" params={{ pipeline }}>
        {pipeline}
      </Link>
    ),
  },
  {
    name: "run",
    width: "minmax(180px, 1fr)",
    cell: ({ id }) => (
      <Link to="/runs/$run" params={{ run: id }} className="mono">
        {id}
      </Link>
    ),
  },
  { name: "why", width: "minmax(160px, 2fr)", cell: (run) => <span className="quiet">{whyOf(run)}</span> },
  { name: "began", width: "96px", isNumber: true, cell: ({ createdAt }) => <Ago at={createdAt} /> },
  {
    name: "took",
    width: "88px",
    isNumber: true,
    cell: ({ startedAt, endedAt }) => <Took from={startedAt} to={endedAt} />,
  },
];

function whyOf({ reason, parent, labels }: RunSummary): string {
  if (reason) return reason.message.split("\n", 1)[0] ?? "";
  if (parent) return `called by ${parent.node} of ${parent.runId}`;
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

export function Runs() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(list<RunSummary>("runs", "/runs", search));
  const isFiltered = Object.keys(search).length > 0;
  return (
    <div className="page fills">
      <Head title="Runs" name="Runs">
        {isFiltered ? `Those ${filterText(search)}, newest first.` : "All of them, newest first."}
      </Head>
      <div className="filters">
        <select
          className="field"
          aria-label="state"
          value={search.state ?? ""}
          onChange={(event) =>
            void navigate({ search: (before) => without({ ...before, state: event.target.value }) })
          }
        >
          <option value="">any state</option>
          {runStates.map((state) => (
            <option key={state} value={state}>
              {stateWord(state)}
            </option>
          ))}
        </select>
        <input
          className="field"
          data-filter
          aria-label="pipeline"
          placeholder="pipeline  /"
          defaultValue={search.pipeline ?? ""}
          key={search.pipeline ?? ""}
          onKeyDown={(event) => {
            const pipeline = event.currentTarget.value.trim();
            if (event.key === "Enter")
              void navigate({ search: (before) => without({ ...before, pipeline }) });
          }}
        />
        {isFiltered && (
          <Link to="/runs" search={{}}>
            all runs
          </Link>
        )}
      </div>
      <LongList
        query={query}
        label="Runs"
        columns={columns}
        keyOf={({ id }) => id}
        empty={<NoRuns isFiltered={isFiltered} />}
      />
    </div>
  );
}

function NoRuns({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <p>No run is like that.</p>;
  return (
    <>
      <p>
        Here stand the runs of pipelines: what a trigger, another run or a person started. There is none yet.
      </p>
      <StartOne />
    </>
  );
}

function filterText({ pipeline, state, label }: { readonly [name: string]: string | undefined }): string {
  return [
    pipeline === undefined ? "" : `of ${pipeline}`,
    state === undefined ? "" : `that are ${stateWord(state as RunState)}`,
    label === undefined ? "" : `with the label ${label}`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}

/** Empty parts are left out of the address. */
function without<Search extends { readonly [name: string]: string | undefined }>(search: Search): Search {
  return Object.fromEntries(
    Object.entries(search).filter(([, value]) => value !== "" && value !== undefined),
  ) as Search;
}
