/** All pipelines, with their last runs. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { PipelineSummary } from "@millrace/protocol";
import { list } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { firstPipeline } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { State } from "../../parts/state.tsx";
import { LongList } from "../../parts/long-list.tsx";
import type { Column } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";

const route = getRouteApi("/pipelines");

const columns: readonly Column<PipelineSummary>[] = [
  {
    name: "pipeline",
    width: "minmax(180px, 1fr)",
    cell: ({ name }) => (
      <Link to="/pipelines/$pipeline" params={{ pipeline: name }}>
        {name}
      </Link>
    ),
  },
  {
    name: "last run",
    width: "220px",
    cell: ({ lastRun }) =>
      lastRun ? (
        <Link to="/runs/$run" params={{ run: lastRun.id }}>
          <State state={lastRun.state} /> <Ago at={lastRun.createdAt} />
        </Link>
      ) : (
        <span className="quiet">never ran</span>
      ),
  },
  {
    name: "",
    width: "120px",
    cell: ({ paused, retired }) =>
      retired ? <span className="quiet">retired</span> : paused ? <State state="paused" /> : null,
  },
  { name: "nodes", width: "64px", isNumber: true, cell: ({ nodes }) => nodes },
  {
    name: "about",
    width: "minmax(160px, 2fr)",
    cell: ({ description, owner, tags }) => (
      <span className="quiet">{[description, owner, ...tags].filter(Boolean).join(" · ")}</span>
    ),
  },
  {
    name: "declared in",
    width: "minmax(140px, 1fr)",
    cell: ({ source }) =>
      source ? <span className="mono quiet">{`${source.file}:${source.line}`}</span> : null,
  },
];

export function Pipelines() {
  const { find } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(list<PipelineSummary>("pipelines", "/pipelines"));
  const { data, hasNextPage } = query;
  const shown = find === undefined ? data : data?.filter(({ name }) => name.includes(find));
  return (
    <div className="page fills">
      <Head title="Pipelines" name="Pipelines">
        {data === undefined ? "" : `${data.length}${hasNextPage ? " and more" : ""}, by name.`}
      </Head>
      <div className="filters">
        <input
          className="field"
          type="search"
          data-filter
          aria-label="name"
          placeholder="name  /"
          value={find ?? ""}
          onChange={({ target: { value } }) =>
            void navigate({ search: value === "" ? {} : { find: value }, replace: true })
          }
        />
      </div>
      <LongList
        query={query}
        label="Pipelines"
        rows={shown}
        columns={columns}
        keyOf={({ name }) => name}
        empty={find === undefined ? <NoPipelines /> : <p>No pipeline has that in its name.</p>}
      />
    </div>
  );
}

function NoPipelines() {
  return (
    <>
      <p>
        Here stand your pipelines. They are declared in files below <code>pipelines/</code> of your project:
      </p>
      <Code text={firstPipeline} />
      <p>
        <code>millrace dev</code> deploys them as you save.
      </p>
    </>
  );
}
