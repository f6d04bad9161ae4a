/** What a rerun or a mark would affect, asked of the server before it is done. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { AffectedNodeView, MarkRequest, RerunRequest } from "@millrace/protocol";
import { preview } from "../../api/client.ts";
import { countOf } from "../../parts/number-text.ts";
import { State, stateWord, type AnyState } from "../../parts/state.tsx";
import { Trouble } from "../../parts/trouble.tsx";

interface ChangePreviewProps {
  readonly run: string;
  /** Below the run. */
  readonly path: "rerun" | "mark";
  readonly request: RerunRequest | MarkRequest;
}

const shownFirst = 12;

export function ChangePreview({ run, path, request }: ChangePreviewProps) {
  const address = `/runs/${encodeURIComponent(run)}` as const;
  const { data, error } = useQuery({
    // Once it is done there is nothing to preview: it is not among what is old then.
    queryKey: ["preview", address, path, request],
    queryFn: () =>
      "scope" in request ? preview(`${address}/rerun`, request) : preview(`${address}/mark`, request),
    gcTime: 0,
    staleTime: 0,
    retry: false,
  });
  if (error) return <Trouble error={error} />;
  if (!data) return <p className="quiet">Looking what it would affect…</p>;
  const { again, againCount, staysCount, stays, added, gone, generation, newBundle } = data;
  return (
    <div className="change">
      <p>
        <strong>
          {againCount === 0 && added.length === 0
            ? "Nothing else is decided again"
            : `${countOf(againCount, "task run")} of ${countOf(again.length, "node")} ${againCount === 1 ? "starts" : "start"} afresh`}
        </strong>
        {added.length > 0 && `, and ${countOf(added.length, "node")} for the first time`}
        {staysCount > 0 &&
          `; ${countOf(staysCount, "other")} of ${countOf(stays.length, "node")} keep what they have`}
        {generation === undefined ? ". The run goes on." : `. It makes generation ${generation} of this run`}
        {newBundle !== undefined && `, with newer code (bundle ${newBundle.slice(0, 12)})`}
        {generation !== undefined && "."}
      </p>
      {again.length > 0 && <AffectedList run={run} nodes={again} />}
      {added.length > 0 && (
        <p className="quiet">For the first time: {added.slice(0, shownFirst).join(", ")}</p>
      )}
      {gone.length > 0 && (
        <p className="note warn">The newer code does not have {gone.slice(0, shownFirst).join(", ")}.</p>
      )}
    </div>
  );
}

function AffectedList({ run, nodes }: { readonly run: string; readonly nodes: readonly AffectedNodeView[] }) {
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole ? nodes : nodes.slice(0, shownFirst);
  return (
    <ul className="affected">
      {shown.map(({ node, states, taskRuns, items }) => (
        <li key={node}>
          {taskRuns === 1 ? <State state={firstState(states)} isBare /> : null}{" "}
          <Link to="/runs/$run" params={{ run }} search={{ node }}>
            {node}
          </Link>
          {items && items.length > 0 && (
            <span className="quiet">
              {" "}
              {taskRuns <= 3
                ? items.map((item) => `[${item}]`).join(" ")
                : `${taskRuns} items: ${statesText(states)}`}
            </span>
          )}
        </li>
      ))}
      {nodes.length > shown.length && (
        <li>
          <button type="button" className="fold" onClick={() => setWhole(true)}>
            {nodes.length - shown.length} more
          </button>
        </li>
      )}
    </ul>
  );
}

function firstState(states: AffectedNodeView["states"]): AnyState {
  return (Object.keys(states)[0] ?? "pending") as AnyState;
}

function statesText(states: AffectedNodeView["states"]): string {
  return Object.entries(states)
    .map(([state, count]) => `${count} ${stateWord(state as AnyState)}`)
    .join(", ");
}
