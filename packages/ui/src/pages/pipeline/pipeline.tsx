/** One pipeline: how it went, what starts it, what it is made of; start it, pause it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { GridPage, PipelineDetail } from "@millrace/protocol";
import { gridPath, one } from "../../api/queries.ts";
import { Head } from "../../parts/head.tsx";
import { useNow } from "../../parts/now.ts";
import { State } from "../../parts/state.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { clockText, durationText, relativeText } from "../../parts/time-text.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { Definition } from "./definition.tsx";
import { Durations } from "./durations.tsx";
import { Grid } from "./grid.tsx";
import { GraphTab } from "./graph-tab.tsx";
import { PauseAction } from "./pause.tsx";
import { RunDialog } from "./run-dialog.tsx";
import { SourceTab } from "./source-tab.tsx";
import { TriggerTab } from "./trigger-tab.tsx";
import { VersionsTab } from "./versions-tab.tsx";

const route = getRouteApi("/pipelines/$pipeline");
const lastRuns = 50;

const tabs = [
  { id: "grid", name: "Grid" },
  { id: "graph", name: "Graph" },
  { id: "durations", name: "Durations" },
  { id: "trigger", name: "Trigger" },
  { id: "definition", name: "Definition" },
  { id: "versions", name: "Versions" },
  { id: "source", name: "Source" },
] as const;

export function Pipeline() {
  const { pipeline: name } = route.useParams();
  const path = `/pipelines/${encodeURIComponent(name)}` as const;
  const { data, error, refetch } = useQuery({
    ...one("definition", path),
    staleTime: 5_000,
    refetchOnWindowFocus: true,
  });
  if (error)
    return (
      <div className="page">
        <Head title={name} name={name} />
        <Trouble error={error} onRetry={() => void refetch()} />
      </div>
    );
  if (!data) return <div className="page quiet">Reading the pipeline…</div>;
  return <PipelinePage pipeline={data} key={name} />;
}

function PipelinePage({ pipeline }: { readonly pipeline: PipelineDetail }) {
  const { tab = "grid" } = route.useSearch();
  const { name, paused, retired } = pipeline;
  return (
    <div className="page fills">
      <Head
        name={name}
        title={
          <>
            {name}
            {paused && <State state="paused" />}
            {retired && <span className="quiet">retired</span>}
          </>
        }
        actions={
          retired ? undefined : (
            <>
              <RunDialog pipeline={pipeline} />
              <PauseAction pipeline={pipeline} />
            </>
          )
        }
      >
        <Sentence pipeline={pipeline} />
      </Head>
      <Tabs
        label="Parts of the pipeline"
        tabs={tabs}
        tab={tab}
        to={(id) => ({ to: "/pipelines/$pipeline", params: { pipeline: name }, search: { tab: id } })}
      />
      {tab === "graph" ? (
        <GraphTab definition={pipeline.definition} />
      ) : tab === "durations" ? (
        <Durations pipeline={name} />
      ) : tab === "trigger" ? (
        <TriggerTab pipeline={pipeline} />
      ) : tab === "definition" ? (
        <Definition pipeline={pipeline} />
      ) : tab === "versions" ? (
        <VersionsTab pipeline={name} />
      ) : tab === "source" ? (
        <SourceTab pipeline={name} />
      ) : (
        <Grid pipeline={name} />
      )}
    </div>
  );
}

function Sentence({ pipeline }: { readonly pipeline: PipelineDetail }) {
  const { name, paused, pausedByOperator, retired, definition } = pipeline;
  const now = useNow();
  const runs = useQuery(one("grid", gridPath(name), { states: false, limit: lastRuns }));
  const trigger = useQuery({
    ...one("triggers", `/triggers/${encodeURIComponent(name)}`),
    enabled: definition.trigger !== undefined && !retired,
    retry: false,
  });
  return (
    <>
      {definition.description !== undefined && <p>{definition.description}</p>}
      <p>
        {runs.data && <History page={runs.data} pipeline={name} now={now} />}{" "}
        {retired
          ? "The last deploy of its project does not have it any more: nothing starts it."
          : definition.trigger === undefined
            ? "Nothing starts it but people and other pipelines: it has no trigger."
            : trigger.data && (
                <>
                  It starts with{" "}
                  <Link to="/triggers/$pipeline" params={{ pipeline: name }}>
                    {trigger.data.condition}
                  </Link>
                  {trigger.data.nextDue !== undefined &&
                  !paused &&
                  definition.trigger.condition.kind === "schedule"
                    ? `, next ${relativeText(Date.parse(trigger.data.nextDue), now)}, at ${clockText(Date.parse(trigger.data.nextDue), now)}`
                    : ""}
                  .
                </>
              )}
      </p>
      {paused && (
        <p className="warn-text">
          It is paused{pausedByOperator ? " by a person, over deploys" : " as its code says"}: it takes no new
          runs until it is resumed
          {definition.trigger === undefined ? "." : ", and what its trigger is told meanwhile is kept."}
        </p>
      )}
    </>
  );
}

function History({
  page,
  pipeline,
  now,
}: {
  readonly page: GridPage;
  readonly pipeline: string;
  readonly now: number;
}) {
  const [last] = page.runs;
  if (!last) return <>It never ran.</>;
  const ended = page.runs.filter(
    ({ state }) => state === "succeeded" || state === "failed" || state === "quarantined",
  );
  const good = ended.filter(({ state }) => state === "succeeded").length;
  const link = (
    <Link to="/runs/$run" params={{ run: last.id }}>
      last run
    </Link>
  );
  const at = last.endedAt ?? last.startedAt ?? last.createdAt;
  const took =
    last.startedAt === undefined || last.endedAt === undefined
      ? ""
      : ` after ${durationText(Date.parse(last.endedAt) - Date.parse(last.startedAt))}`;
  return (
    <>
      Its {link} <State state={last.state} />
      {took}, {relativeText(Date.parse(at), now)}.{" "}
      {ended.length > 1 && (
        <>
          {good === ended.length ? "All" : good} of the last {ended.length} succeeded
          {good < ended.length && (
            <>
              {" "}
              (
              <Link to="/runs" search={{ pipeline, state: "failed" }}>
                failed ones
              </Link>
              )
            </>
          )}
          .
        </>
      )}
    </>
  );
}
