/** All pipelines: found by name, tag, owner and state, with their last runs as marks and when the next one is due. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import type { PipelineSummary, TriggerSummary } from "@millrace/protocol";
import { readPage } from "../../api/client.ts";
import { listen } from "../../api/live.ts";
import { Code } from "../../parts/code.tsx";
import { firstPipeline } from "../../parts/first-code.ts";
import { Head } from "../../parts/head.tsx";
import { countOf } from "../../parts/number-text.ts";
import { SourceLink } from "../../parts/source-link.tsx";
import { State, stateWord } from "../../parts/state.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { chosenPipelines, states, tagsOf, type Chosen } from "./choose.ts";
import { recentOf } from "./recent.ts";
import "../../styles/pipelines.css";

const route = getRouteApi("/pipelines");
const pageSize = 1_000;
const pagesMax = 5;
const gatherMs = 1_000;
/** What many pipelines do is asked for less often. */
const gatherManyMs = 5_000;
const many = 300;

const columns: readonly Column<PipelineSummary>[] = [
  {
    name: "pipeline",
    width: "minmax(130px, 1fr)",
    cell: ({ name }) => (
      <Link to="/pipelines/$pipeline" params={{ pipeline: name }} title={name}>
        {name}
      </Link>
    ),
  },
  { name: "last runs", width: "144px", cell: ({ name }) => <LastRuns name={name} /> },
  {
    name: "last run",
    width: "164px",
    cell: ({ name }) => <LastRun name={name} />,
  },
  {
    name: "next",
    width: "64px",
    isNumber: true,
    cell: ({ name, paused, retired }) => (paused || retired ? null : <Next name={name} />),
  },
  {
    name: "",
    width: "72px",
    cell: ({ paused, retired }) =>
      retired ? <span className="quiet">retired</span> : paused ? <State state="paused" /> : null,
  },
  { name: "nodes", width: "44px", isNumber: true, cell: ({ nodes }) => nodes },
  {
    name: "owner and tags",
    width: "minmax(110px, 1fr)",
    cell: ({ owner, tags }) => (
      <>
        {owner !== undefined && (
          <Link to="/pipelines" search={(before) => ({ ...before, owner })}>
            {owner}
          </Link>
        )}
        {tags.map((tag) => (
          <span key={tag}>
            {" "}
            <Link to="/pipelines" search={(before) => ({ ...before, tag })}>
              #{tag}
            </Link>
          </span>
        ))}
      </>
    ),
  },
  {
    name: "about",
    width: "minmax(60px, 2fr)",
    cell: ({ description }) => (
      <span className="quiet" title={description}>
        {description}
      </span>
    ),
  },
  {
    name: "declared in",
    width: "minmax(100px, 1fr)",
    cell: ({ name, source }) => (source ? <SourceLink pipeline={name} source={source} isShort /> : null),
  },
];

function LastRuns({ name }: { readonly name: string }) {
  const { data } = useQuery(recentOf(name));
  if (!data) return null;
  return (
    <span className="last-runs">
      {data.runs.toReversed().map(({ id, state, createdAt }) => (
        <Link
          key={id}
          to="/runs/$run"
          params={{ run: id }}
          tabIndex={-1}
          title={`${stateWord(state)}, ${createdAt}`}
        >
          <State state={state} isBare />
        </Link>
      ))}
    </span>
  );
}

function LastRun({ name }: { readonly name: string }) {
  const { data } = useQuery(recentOf(name));
  const last = data?.runs[0];
  if (!data) return null;
  if (!last) return <span className="quiet">never ran</span>;
  return (
    <Link to="/runs/$run" params={{ run: last.id }}>
      <State state={last.state} /> <Ago at={last.createdAt} />
    </Link>
  );
}

function Next({ name }: { readonly name: string }) {
  const { data } = useQuery(recentOf(name));
  if (data?.nextDue === undefined) return null;
  return (
    <Link to="/triggers/$pipeline" params={{ pipeline: name }}>
      <Ago at={data.nextDue} />
    </Link>
  );
}

export function Pipelines() {
  const search = route.useSearch();
  const { find, tag, owner, state, sort } = search;
  const navigate = route.useNavigate();
  const { data, error, refetch } = useAll();
  const isByNext = sort === "next";
  const due = useQuery({
    queryKey: ["triggers", "all"],
    queryFn: ({ signal }) => all<TriggerSummary>("/triggers", signal),
    enabled: isByNext,
  });
  const chosen = useMemo((): Chosen => ({ find, tag, owner, state, sort }), [find, tag, owner, state, sort]);
  const shown = useMemo(() => {
    const next = new Map((due.data?.items ?? []).map(({ pipeline, nextDue }) => [pipeline, nextDue]));
    return chosenPipelines(data?.items ?? [], chosen, next);
  }, [data, chosen, due.data]);
  const tags = useMemo(() => tagsOf(data?.items ?? []), [data]);
  const isFiltered = [find, tag, owner, state].some((value) => value !== undefined);
  const set = (name: "tag" | "owner" | "state" | "sort" | "find", value: string): void =>
    void navigate({
      search: ({ [name]: _old, ...rest }) => ({ ...rest, ...(value === "" ? {} : { [name]: value }) }),
      replace: true,
    });
  return (
    <div className="page fills">
      <Head title="Pipelines" name="Pipelines">
        {data === undefined ? "" : sentence(data.items, shown.length, isFiltered, data.isMore)}
      </Head>
      <div className="filters">
        <input
          className="field"
          type="search"
          data-filter
          aria-label="name"
          placeholder="name  /"
          value={find ?? ""}
          onChange={({ target: { value } }) => set("find", value)}
        />
        <Choice name="tag" value={tag} values={tags.tags} onChange={(value) => set("tag", value)} />
        <Choice name="owner" value={owner} values={tags.owners} onChange={(value) => set("owner", value)} />
        <Choice name="state" value={state} values={states} onChange={(value) => set("state", value)} />
        <select
          className="field"
          aria-label="order"
          value={sort ?? ""}
          onChange={({ target }) => set("sort", target.value)}
        >
          <option value="">by name</option>
          <option value="last">ran last first</option>
          <option value="next">next first</option>
          <option value="state">failed first</option>
        </select>
        {isFiltered && (
          <Link to="/pipelines" search={sort === undefined ? {} : { sort }} className="button">
            All pipelines
          </Link>
        )}
      </div>
      {error && <Trouble error={error} onRetry={() => void refetch()} />}
      {!data && !error && <p className="quiet">Reading…</p>}
      {data && (
        <Table
          label="Pipelines"
          rows={shown}
          columns={columns}
          keyOf={({ name }) => name}
          empty={isFiltered ? <p>No pipeline is like that.</p> : <NoPipelines />}
        />
      )}
    </div>
  );
}

function Choice({
  name,
  value,
  values,
  onChange,
}: {
  readonly name: string;
  readonly value: string | undefined;
  readonly values: readonly string[];
  readonly onChange: (value: string) => void;
}) {
  const all = value === undefined || values.includes(value) ? values : [...values, value];
  if (all.length === 0) return null;
  return (
    <select
      className="field"
      aria-label={name}
      value={value ?? ""}
      onChange={({ target }) => onChange(target.value)}
    >
      <option value="">any {name}</option>
      {all.map((one) => (
        <option key={one} value={one}>
          {one}
        </option>
      ))}
    </select>
  );
}

interface All<Item> {
  readonly items: readonly Item[];
  readonly isMore: boolean;
}

async function all<Item>(path: string, signal: AbortSignal): Promise<All<Item>> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const found = await readPage<Item>(path, { limit: pageSize, cursor }, signal);
    items.push(...found.items);
    cursor = found.nextCursor;
    if (cursor === undefined) return { items, isMore: false };
  }
  return { items, isMore: true };
}

/** The whole list: what is filtered and sorted here must be all of it. It is read again a while after anything ran. */
function useAll() {
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: ["definition", "/pipelines", "all"],
    queryFn: ({ signal }) => all<PipelineSummary>("/pipelines", signal),
    staleTime: 5_000,
    refetchOnWindowFocus: true,
  });
  const wait = (query.data?.items.length ?? 0) > many ? gatherManyMs : gatherMs;
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unlisten = listen("activity", {
      onData: () => {
        timer ??= setTimeout(() => {
          timer = undefined;
          void queries.invalidateQueries({ queryKey: ["definition", "/pipelines", "all"] });
        }, wait);
      },
    });
    return () => {
      clearTimeout(timer);
      unlisten();
    };
  }, [queries, wait]);
  return query;
}

function sentence(
  pipelines: readonly PipelineSummary[],
  shown: number,
  isFiltered: boolean,
  isMore: boolean,
): string {
  if (pipelines.length === 0) return "";
  const count = (holds: (one: PipelineSummary) => boolean): number => pipelines.filter(holds).length;
  const failed = count(({ lastRun, retired }) => !retired && lastRun?.state === "failed");
  const paused = count((one) => one.paused && !one.retired);
  const parts = [
    isMore ? `more than ${countOf(pipelines.length, "pipeline")}` : countOf(pipelines.length, "pipeline"),
    failed === 0 ? "" : `the last run of ${failed} failed`,
    paused === 0 ? "" : `${paused} ${paused === 1 ? "is" : "are"} paused`,
    isFiltered ? `${shown} of them shown` : "",
  ];
  return `${parts.filter((part) => part !== "").join("; ")}.`;
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
