/** All runs, by what is asked of them; some are chosen, and something is done with them. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { QueryAt, Page, RunSummary } from "@millrace/protocol";
import { get } from "../../api/client.ts";
import { list } from "../../api/queries.ts";
import { csvText } from "../../parts/csv.tsx";
import { Download } from "../../parts/download.tsx";
import { Head } from "../../parts/head.tsx";
import { useKeys } from "../../parts/keys.ts";
import { StartOne } from "../../parts/start-one.tsx";
import { State } from "../../parts/state.tsx";
import { LongList } from "../../parts/long-list.tsx";
import type { Column } from "../../parts/table.tsx";
import { Ago, Took } from "../../parts/time.tsx";
import { Bulk } from "./bulk.tsx";
import { Filters, filterText, type RunSearch } from "./filters.tsx";

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
      <Link to="/runs/$run" params={{ run: id }} className="mono" data-opens="">
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
  const query = useInfiniteQuery(list("runs", "/runs", search as QueryAt<"GET", "/runs">));
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const isFiltered = Object.keys(search).some((name) => name !== "order");
  const chosenRuns = query.data?.filter(({ id }) => chosen.has(id)) ?? [];
  const chooseColumn = useMemo(
    () => choiceColumn(chosen, (id) => setChosen((before) => toggled(before, id))),
    [chosen],
  );
  useKeys("Runs", [
    {
      keys: ["x"],
      does: "chooses the line, for what is done with several",
      act: () => {
        const box = document.querySelector<HTMLElement>('main [aria-current="true"] input[type="checkbox"]');
        box?.click();
        return box !== null;
      },
    },
  ]);
  return (
    <div className="page fills">
      <Head title="Runs" name="Runs">
        {filterText(search)}
      </Head>
      <Filters
        search={search}
        onChange={(wanted) => {
          setChosen(new Set());
          void navigate({ search: without(wanted) });
        }}
      >
        <span className="gap" />
        <Download name="runs.csv" type="text/csv" text={() => runsCsv(search)}>
          CSV
        </Download>
      </Filters>
      <Bulk
        chosen={chosenRuns}
        read={query.data?.length ?? 0}
        onAll={() => setChosen(new Set(query.data?.map(({ id }) => id)))}
        onClear={() => setChosen(new Set())}
      />
      <LongList
        query={query}
        label="Runs"
        columns={[chooseColumn, ...columns]}
        keyOf={({ id }) => id}
        empty={<NoRuns isFiltered={isFiltered} />}
      />
    </div>
  );
}

function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return next;
}

function choiceColumn(chosen: ReadonlySet<string>, choose: (id: string) => void): Column<RunSummary> {
  return {
    name: "",
    width: "16px",
    cell: ({ id }) => (
      <input
        type="checkbox"
        aria-label={`Choose ${id}`}
        checked={chosen.has(id)}
        onChange={() => choose(id)}
        tabIndex={-1}
      />
    ),
  };
}

/** What one file has at most. */
const rowsMax = 10_000;
const pageMax = 1_000;

/** As the list is filtered, also what was not read yet. */
async function runsCsv(search: RunSearch): Promise<string> {
  const runs: RunSummary[] = [];
  let cursor: string | undefined;
  do {
    const page: Page<RunSummary> = await get("/runs", {
      ...(search as QueryAt<"GET", "/runs">),
      limit: pageMax,
      cursor,
    });
    runs.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined && runs.length < rowsMax);
  return csvText(
    ["run", "pipeline", "state", "generation", "created", "started", "ended", "why", "labels"],
    runs.slice(0, rowsMax).map((run) => [
      run.id,
      run.pipeline,
      run.state,
      run.generation,
      run.createdAt,
      run.startedAt,
      run.endedAt,
      run.reason?.message,
      Object.entries(run.labels)
        .map(([name, value]) => `${name}=${value}`)
        .join(" "),
    ]),
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

/** Empty parts are left out of the address. */
function without(search: RunSearch): RunSearch {
  return Object.fromEntries(
    Object.entries(search).filter(([, value]) => value !== "" && value !== undefined),
  );
}
