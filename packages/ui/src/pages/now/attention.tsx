/** What needs a person, a sentence each, with what can be done about it. */
import { unreachable } from "@millrace/core";
import { Link } from "@tanstack/react-router";
import { useRef, type ReactNode } from "react";
import type { AttentionView } from "@millrace/protocol";
import { post } from "../../api/client.ts";
import { Ask } from "../../parts/ask.tsx";
import { CopyText } from "../../parts/copy-text.tsx";
import { useLineKeys } from "../../parts/keys.ts";
import { countOf } from "../../parts/number-text.ts";
import { Resume } from "../../parts/resume.tsx";
import { durationText } from "../../parts/time-text.ts";
import { Ago, Clock, Took } from "../../parts/time.tsx";
import { isUrgent } from "./sentence.ts";

export function AttentionList({ items }: { readonly items: readonly AttentionView[] }) {
  const list = useRef<HTMLUListElement>(null);
  useLineKeys(list);
  if (items.length === 0) return null;
  return (
    <ul ref={list} className="attention" aria-label="What needs you">
      {items.map((item) => (
        <li
          key={keyOf(item)}
          tabIndex={-1}
          data-keys=""
          className={isUrgent(item) ? markOf(item).tone : "calm"}
        >
          <span className="mark" aria-hidden="true">
            {markOf(item).mark}
          </span>
          <div className="words">
            <Words item={item} />
          </div>
          <div className="actions">
            <Actions item={item} />
          </div>
        </li>
      ))}
    </ul>
  );
}

function keyOf(item: AttentionView): string {
  switch (item.kind) {
    case "runs_failed":
    case "runs_late":
    case "trigger_looped":
    case "pipeline_paused":
      return `${item.kind} ${item.pipeline}`;
    case "queue_without_worker":
      return `${item.kind} ${item.queue}`;
    case "source_failing":
    case "source_paused":
      return `${item.kind} ${item.source}`;
    case "waits_troubled":
      return `${item.kind} ${item.text} ${item.run}`;
    default:
      return item.kind;
  }
}

function markOf({ kind }: AttentionView): { readonly mark: string; readonly tone: "bad" | "warn" | "ask" } {
  switch (kind) {
    case "runs_failed":
      return { mark: "✕", tone: "bad" };
    case "runs_quarantined":
      return { mark: "!", tone: "bad" };
    case "queue_without_worker":
    case "source_failing":
      return { mark: "✕", tone: "bad" };
    case "trigger_looped":
      return { mark: "↻", tone: "warn" };
    case "waits_troubled":
    case "runs_late":
    case "assets_stale":
      return { mark: "◷", tone: "warn" };
    case "approvals_open":
      return { mark: "?", tone: "ask" };
    case "pipeline_paused":
    case "source_paused":
      return { mark: "‖", tone: "warn" };
    default:
      return unreachable(kind);
  }
}

function RunLink({
  run,
  node,
  children,
}: {
  readonly run: string;
  readonly node?: string;
  readonly children: ReactNode;
}) {
  return (
    <Link to="/runs/$run" params={{ run }} search={node === undefined ? {} : { node }} data-opens="">
      {children}
    </Link>
  );
}

function PipelineLink({ pipeline }: { readonly pipeline: string }) {
  return (
    <Link to="/runs" search={{ pipeline }}>
      {pipeline}
    </Link>
  );
}

function AssetLink({ asset }: { readonly asset: string }) {
  return (
    <Link to="/assets/$asset" params={{ asset }}>
      {asset}
    </Link>
  );
}

function Words({ item }: { readonly item: AttentionView }) {
  switch (item.kind) {
    case "runs_failed": {
      const { pipeline, runs, last, isRecovered } = item;
      return (
        <>
          <p>
            <PipelineLink pipeline={pipeline} />: {runs.count === 1 ? "a run" : countOf(runs, "run")} failed
            {last.node === undefined ? (
              ""
            ) : (
              <>
                , in <code>{last.node}</code>
              </>
            )}
            ,{" "}
            <RunLink run={last.run} {...(last.node === undefined ? {} : { node: last.node })}>
              <Ago at={last.at} />
            </RunLink>
            {isRecovered && "; a newer run succeeded"}.
          </p>
          <p className="detail">{firstLineOf(last.message)}</p>
        </>
      );
    }
    case "runs_quarantined": {
      const [newest] = item.newest;
      return (
        <>
          <p>
            {countOf(item.runs, "run is", "runs are")} set aside, as the engine or its workers broke on{" "}
            {item.runs.count === 1 ? "it" : "them"}:{" "}
            {item.newest.map(({ run, pipeline }, index) => (
              <span key={run}>
                {index > 0 && ", "}
                <RunLink run={run}>{pipeline}</RunLink>
              </span>
            ))}
            .
          </p>
          {newest && <p className="detail">{firstLineOf(newest.message)}</p>}
        </>
      );
    }
    case "queue_without_worker":
      return (
        <>
          <p>
            {countOf(item.tasks, "task waits", "tasks wait")} in the queue{" "}
            <Link to="/workers">{item.queue}</Link>, and no worker takes from it.
          </p>
          <p className="detail">
            Start one: <CopyText text={`npx millrace worker --queues ${item.queue}`} />
          </p>
        </>
      );
    case "source_failing":
      return (
        <>
          <p>
            The source <strong>{item.source}</strong> fails
            {item.since !== undefined && (
              <>
                {" since "}
                <Clock at={item.since} />
              </>
            )}
            .
          </p>
          <p className="detail">{firstLineOf(item.message)}</p>
        </>
      );
    case "trigger_looped":
      return (
        <>
          <p>
            The trigger of <PipelineLink pipeline={item.pipeline} /> goes round in a circle, the last time{" "}
            <Ago at={item.at} />; what it would start is held back.
          </p>
          <p className="detail">{item.path.join(" → ")}</p>
        </>
      );
    case "runs_late": {
      const { pipeline, runs, oldest, usualMs } = item;
      return (
        <p>
          <PipelineLink pipeline={pipeline} />: {countOf(runs, "run takes", "runs take")} much longer than
          usual,{" "}
          <RunLink run={oldest.run}>
            {runs.count === 1 ? "it" : "the oldest"} for <Took from={oldest.since} />
          </RunLink>
          ; the last ones took {durationText(usualMs)} at most.
        </p>
      );
    }
    case "assets_stale": {
      const [worst, ...others] = item.assets;
      return (
        <>
          <p>
            {countOf(item.count, "asset is", "assets are")} older than allowed:{" "}
            <AssetLink asset={worst!.asset} />, written <Ago at={worst!.updatedAt} />, may be{" "}
            {durationText(worst!.maxAgeMs)} old.
          </p>
          {others.length > 0 && (
            <p className="detail">
              {others.map(({ asset }, index) => (
                <span key={asset}>
                  {index > 0 && ", "}
                  <AssetLink asset={asset} />
                </span>
              ))}
              {item.count > item.assets.length && ", …"}
            </p>
          )}
        </>
      );
    }
    case "waits_troubled":
      return (
        <>
          <p>
            {countOf(item.waits, "wait", "waits")} of <PipelineLink pipeline={item.pipeline} /> for{" "}
            {item.text} may be in vain:{" "}
            <RunLink run={item.run} node={item.node}>
              {item.node}
            </RunLink>
            .
          </p>
          <p className="detail">{item.trouble.message}</p>
        </>
      );
    case "approvals_open": {
      const { oldest, approvals } = item;
      return (
        <p>
          {countOf(approvals, "question waits", "questions wait")} for an answer
          {approvals.count === 1 ? ": " : "; the oldest: "}
          <Link to="/approvals" search={{ id: oldest.id }}>
            {oldest.title ?? `${oldest.pipeline} ${oldest.node}`}
          </Link>
          , asked <Ago at={oldest.since} />
          {oldest.timeoutAt !== undefined && (
            <>
              {", ends "}
              <Ago at={oldest.timeoutAt} />
            </>
          )}
          .
        </p>
      );
    }
    case "pipeline_paused":
      return (
        <p>
          <PipelineLink pipeline={item.pipeline} /> is paused
          {item.byOperator ? "" : " by its code"}
          {item.since === undefined ? (
            ""
          ) : (
            <>
              {" since "}
              <Clock at={item.since} />
            </>
          )}
          .
        </p>
      );
    case "source_paused":
      return (
        <p>
          The source <strong>{item.source}</strong> is paused.
        </p>
      );
    default:
      return unreachable(item);
  }
}

function Actions({ item }: { readonly item: AttentionView }) {
  switch (item.kind) {
    case "runs_failed":
      return (
        <>
          {(item.runs.count > 1 || item.runs.isMore) && (
            <Link to="/runs" search={{ pipeline: item.pipeline, state: "failed" }} className="button">
              See them
            </Link>
          )}
          <Ask
            name="Rerun what failed…"
            title={`Rerun what failed in the last run of ${item.pipeline}?`}
            confirm="Rerun what failed"
            act={() => post(`/runs/${encodeURIComponent(item.last.run)}/rerun`, { scope: "failed" })}
            changes={["overview", "runs", "run"]}
          >
            <p>
              What did not succeed in {item.last.run} and all that comes after it runs again, as the next
              generation of that run, with the newest deployed code.
            </p>
            {item.runs.count > 1 && <p>The other runs that failed stay as they are.</p>}
          </Ask>
        </>
      );
    case "runs_quarantined":
      return (
        <Link to="/runs" search={{ state: "quarantined" }} className="button">
          See them
        </Link>
      );
    case "queue_without_worker":
      return (
        <Link to="/workers" className="button">
          What waits
        </Link>
      );
    case "source_failing":
      return <SourceAction source={item.source} to="pause" />;
    case "source_paused":
      return <SourceAction source={item.source} to="resume" />;
    case "trigger_looped":
      return (
        <Ask
          name="Pause it…"
          title={`Pause ${item.pipeline}?`}
          confirm="Pause it"
          act={() => post(`/pipelines/${encodeURIComponent(item.pipeline)}/pause`)}
          changes={["overview", "pipelines", "triggers"]}
        >
          <p>Its trigger starts no run until it is resumed; events that come meanwhile are kept.</p>
        </Ask>
      );
    case "waits_troubled":
      return (
        <Link to="/runs/$run" params={{ run: item.run }} search={{ node: item.node }} className="button">
          Look at it
        </Link>
      );
    case "runs_late":
      return (
        <Link to="/runs/$run" params={{ run: item.oldest.run }} className="button">
          Look at it
        </Link>
      );
    case "assets_stale":
      return (
        <Link to="/assets/$asset" params={{ asset: item.assets[0]!.asset }} className="button">
          Who writes it
        </Link>
      );
    case "approvals_open":
      return (
        <Link to="/approvals" search={{ id: item.oldest.id }} className="button">
          Answer
        </Link>
      );
    case "pipeline_paused":
      return <Resume pipeline={item.pipeline} />;
    default:
      return unreachable(item);
  }
}

function SourceAction({ source, to }: { readonly source: string; readonly to: "pause" | "resume" }) {
  return (
    <Ask
      name={to === "pause" ? "Pause it…" : "Resume…"}
      title={`${to === "pause" ? "Pause" : "Resume"} the source ${source}?`}
      confirm={to === "pause" ? "Pause it" : "Resume"}
      act={() => post(`/sources/${encodeURIComponent(source)}/${to}`)}
      changes={["overview", "sources"]}
    >
      <p>
        {to === "pause"
          ? "It reads no more until it is resumed. What is there by then is told first."
          : "It reads again, first what came during the pause."}
      </p>
    </Ask>
  );
}

function firstLineOf(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
