/** One run: what it is, why it began, what came of it; its nodes over time and as a graph, their logs, what went in and out. */
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { Head } from "../../parts/head.tsx";
import { useNow } from "../../parts/now.ts";
import { State } from "../../parts/state.tsx";
import { Tabs } from "../../parts/tabs.tsx";
import { criticalText } from "../../parts/timeline/critical-path.ts";
import { Trouble } from "../../parts/trouble.tsx";
import { Because } from "./because.tsx";
import { Chain } from "./chain.tsx";
import { RunData } from "./data.tsx";
import { RunGraph } from "./graph-tab.tsx";
import { Logs } from "./logs.tsx";
import { NodeDetail } from "./node-detail.tsx";
import { Nodes } from "./nodes.tsx";
import { RunActions } from "./run-actions.tsx";
import { runSentence } from "./sentence.ts";
import { isUnderWay, useRun, type LiveRun } from "./use-run.ts";
import { spanOf, wayOf } from "./way.ts";

const route = getRouteApi("/runs/$run");

const tabs = [
  { id: "nodes", name: "Timeline" },
  { id: "graph", name: "Graph" },
  { id: "logs", name: "Logs" },
  { id: "data", name: "Data" },
  { id: "chain", name: "Causes & effects" },
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
  const { tab = "nodes" } = route.useSearch();
  const { run, picture, version } = live;
  const now = useNow();
  const sentence = useMemo(
    () => runSentence(run, picture, now),
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [run, picture, version, now],
  );
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
          {sentence}
        </p>
        <Because run={run} />
      </Head>
      <Tabs
        label="Parts of the run"
        tabs={tabs}
        tab={tab}
        to={(id) => ({
          to: "/runs/$run",
          params: { run: run.id },
          search: (before: object) => ({ ...before, tab: id }),
        })}
      />
      {tab === "logs" ? (
        <Logs live={live} />
      ) : tab === "data" ? (
        <RunData live={live} />
      ) : tab === "chain" ? (
        <Chain live={live} />
      ) : (
        <Picture live={live} isGraph={tab === "graph"} now={now} />
      )}
    </div>
  );
}

interface PictureProps {
  readonly live: LiveRun;
  readonly isGraph: boolean;
  readonly now: number;
}

/** Its nodes, over time or as a graph, with the selected one beside them. */
function Picture({ live, isGraph, now }: PictureProps) {
  const { node, item } = route.useSearch();
  const navigate = route.useNavigate();
  const selected = node ?? firstFailed(live);
  // What has ended does not change with the time.
  const at = isUnderWay(live.run) ? now : 0;
  const span = useMemo(() => spanOf(live, at), [live, at]);
  const way = useMemo(() => wayOf(live, span), [live, span]);
  const open = (id: string): void => {
    void navigate({ search: ({ item: _item, ...rest }) => ({ ...rest, node: id }), replace: true });
  };
  const told = criticalText(way, span);
  return (
    <div className={selected === undefined ? "split" : "split open"}>
      <div className="pictured">
        {told !== undefined && live.picture.nodes().length > 1 && <p className="quiet way-told">{told}</p>}
        {isGraph ? (
          <RunGraph live={live} selected={selected} way={way} onOpen={open} />
        ) : (
          <Nodes live={live} selected={selected} span={span} way={way} onOpen={open} />
        )}
      </div>
      {selected !== undefined && <NodeDetail live={live} node={selected} item={item} />}
    </div>
  );
}

/** What failed is what one comes for. */
function firstFailed({ picture, run }: LiveRun): string | undefined {
  if (run.state !== "failed" && run.state !== "quarantined") return undefined;
  return picture.nodes().find(({ state }) => state === "failed")?.id;
}
