import { Link } from "@tanstack/react-router";
import type { AssetProducerView } from "@millrace/protocol";

interface ProducerProps {
  readonly producer: AssetProducerView | undefined;
  readonly observed: boolean;
}

/** Who wrote: a node of a run, or somebody outside. */
export function Producer({ producer, observed }: ProducerProps) {
  const seen = observed ? "observed " : "";
  if (!producer) return <span className="quiet">{seen}from outside</span>;
  const { runId, pipeline, node, item, generation = 1 } = producer;
  return (
    <>
      {seen}
      <Link to="/runs/$run" params={{ run: runId }} search={node === undefined ? {} : { node }}>
        {pipeline === undefined
          ? runId
          : `${pipeline} / ${node ?? ""}${item === undefined ? "" : `[${item}]`}`}
      </Link>
      {generation > 1 && <span className="quiet"> generation {generation}</span>}
    </>
  );
}
