/** One run: what it is, why it began, what came of it; its nodes over time, their logs, what went in and out. */
import { getRouteApi, Link } from "@tanstack/react-router";
import type { RunSummary } from "@millrace/protocol";
import { Head } from "../../parts/head.tsx";
import { useNow } from "../../parts/now.ts";
import { State } from "../../parts/state.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Because } from "./because.tsx";
import { RunData } from "./data.tsx";
import { Logs } from "./logs.tsx";
import { NodeDetail } from "./node-detail.tsx";
import { Nodes } from "./nodes.tsx";
import { RunActions } from "./run-actions.tsx";
import { runSentence } from "./sentence.ts";
import { useRun, type LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");

const tabs = [
  { id: "nodes", name: "Timeline" },
  { id: "logs", name: "Logs" },
  { id: "data", name: "Data" },
] as const;

export function Run() {
  const { run: id } = route.useParams();
  const { live, error } = useRun(id);
  if (error && !live)
    return (
      <div className="page">
        <Head title="Run" name={id}>
          <span className="mono">{id}</span>
        </Head>
        <Trouble error={error} />
      </div>
    );
  if (!live) return <div className="page quiet">Reading the run…</div>;
  return <RunPage live={live} key={id} />;
}

function RunPage({ live }: { readonly live: LiveRun }) {
  const { tab = "nodes", node, item } = route.useSearch();
  const { run, picture } = live;
  const now = useNow();
  const selected = node ?? firstFailed(live);
  return (
    <div className="page fills">
      <Head
        name={`${run.pipeline} ${run.id}`}
        title={
          <>
            <State state={run.state} isBare />
            <Link to="/pipelines/$pipeline" params={{ pipeline: run.pipeline }}>
              {run.pipeline}
            </Link>
            <span className="mono quiet">{run.id}</span>
          </>
        }
        actions={<RunActions run={run} />}
      >
        <p className={run.state === "failed" || run.state === "quarantined" ? "bad-text" : undefined}>
          {runSentence(run, picture, now)}
        </p>
        <Because run={run} />
      </Head>
      <Tabs tab={tab} run={run} />
      {tab === "logs" ? (
        <Logs live={live} />
      ) : tab === "data" ? (
        <RunData live={live} />
      ) : (
        <div className={selected === undefined ? "split" : "split open"}>
          <Nodes live={live} selected={selected} />
          {selected !== undefined && <NodeDetail live={live} node={selected} item={item} />}
        </div>
      )}
    </div>
  );
}

function Tabs({ tab, run }: { readonly tab: string; readonly run: RunSummary }) {
  return (
    <nav className="tabs" aria-label="Parts of the run">
      {tabs.map(({ id, name }) => (
        <Link
          key={id}
          to="/runs/$run"
          params={{ run: run.id }}
          search={(before) => ({ ...before, tab: id })}
          className={id === tab ? "active" : undefined}
          aria-current={id === tab ? "page" : undefined}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}

/** What failed is what one comes for. */
function firstFailed({ picture, run }: LiveRun): string | undefined {
  if (run.state !== "failed" && run.state !== "quarantined") return undefined;
  return picture.nodes().find(({ state }) => state === "failed")?.id;
}
