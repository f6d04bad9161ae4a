/** Who holds or awaits slots of a limit: a task run, or a run as a whole. */
import { Link } from "@tanstack/react-router";
import type { LimitUseView } from "@millrace/protocol";

export function useKey({ run, node, item }: LimitUseView): string {
  return `${run} ${node ?? ""} ${item ?? ""}`;
}

export function UseLink({ use: { run, pipeline, node, item } }: { readonly use: LimitUseView }) {
  const task = node === undefined ? "" : item === undefined ? ` ${node}` : ` ${node}[${item}]`;
  return (
    <Link
      to="/runs/$run"
      params={{ run }}
      search={node === undefined ? {} : item === undefined ? { node } : { node, item }}
      title={run}
    >
      {pipeline ?? run}
      {task}
    </Link>
  );
}
