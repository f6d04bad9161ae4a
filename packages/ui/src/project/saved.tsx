/** What the last save changed, in the frame: quiet, and in its place until the next. */
import { Link } from "@tanstack/react-router";
import type { PipelineChangeView, ProjectChangeView } from "@millrace/protocol";
import { Clock } from "../parts/time.tsx";
import { durationText } from "../parts/time-text.ts";

const shownMax = 2;

export function Saved({ change }: { readonly change: ProjectChangeView }) {
  const { at, deployment, ms, files, pipelines, pipelineCount } = change;
  const shown = pipelines.slice(0, shownMax);
  const title = `${files.join(", ")}: deployment ${deployment}, in force after ${durationText(ms)}`;
  return (
    <span className="quiet saved" role="status" title={title}>
      saved <Clock at={at} />
      {shown.length === 0 ? ", same graphs" : ": "}
      {shown.map((one, index) => (
        <span key={one.name}>
          {index > 0 && ", "}
          <Change change={one} />
        </span>
      ))}
      {pipelineCount > shown.length && ` and ${pipelineCount - shown.length} more`}
    </span>
  );
}

function Change({ change }: { readonly change: PipelineChangeView }) {
  const { name, kind } = change;
  if (kind === "retired") return <>{name} is gone</>;
  return (
    <>
      <Link to="/pipelines/$pipeline" params={{ pipeline: name }} search={{ tab: "graph" }}>
        {name}
      </Link>{" "}
      {changeText(change)}
    </>
  );
}

function changeText({
  kind,
  addedNodes,
  changedNodes,
  removedNodes,
  isTriggerChanged,
}: PipelineChangeView): string {
  if (kind === "added") return "is new";
  const nodes = [
    ...addedNodes.map((id) => `+${id}`),
    ...removedNodes.map((id) => `−${id}`),
    ...changedNodes.map((id) => `~${id}`),
  ];
  const parts = [...nodes.slice(0, shownMax), ...(isTriggerChanged ? ["trigger"] : [])];
  const rest = nodes.length - shownMax;
  return `${parts.length === 0 ? "changed" : parts.join(" ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
