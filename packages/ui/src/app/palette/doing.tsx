/** An action that was chosen by name: the same question that its page asks, opened at once. */
import { useQuery } from "@tanstack/react-query";
import { one } from "../../api/queries.ts";
import { PauseAction } from "../../pages/pipeline/pause.tsx";
import { RunDialog } from "../../pages/pipeline/run-dialog.tsx";
import { RunActions } from "../../pages/run/run-actions.tsx";
import { AskAtOnce } from "../../parts/ask.tsx";
import { Message } from "./message.tsx";
import { verbs, type Doing } from "./entries.ts";

interface DoProps {
  readonly doing: Doing;
  readonly onClose: () => void;
}

export function Do({ doing, onClose }: DoProps) {
  const { ask } = verbs[doing.verb];
  return (
    <AskAtOnce value={{ isWanted: (name) => name === ask, onClose }}>
      {verbs[doing.verb].of === "pipeline" ? (
        <OfPipeline doing={doing} onClose={onClose} />
      ) : (
        <OfRun doing={doing} onClose={onClose} />
      )}
    </AskAtOnce>
  );
}

function OfPipeline({ doing: { verb, id }, onClose }: DoProps) {
  const { data, error } = useQuery(one("definition", `/pipelines/${encodeURIComponent(id)}`));
  if (error) return <Message title={id} error={error} onClose={onClose} />;
  if (!data) return null;
  if (verb === "run") return <RunDialog pipeline={data} />;
  if (data.paused === (verb === "resume")) return <PauseAction pipeline={data} />;
  return (
    <Message title={id} onClose={onClose}>
      {data.paused ? "It is paused already." : "It is not paused."}
    </Message>
  );
}

function OfRun({ doing: { verb, id }, onClose }: DoProps) {
  const { data, error } = useQuery(one("run", `/runs/${encodeURIComponent(id)}`));
  if (error) return <Message title={id} error={error} onClose={onClose} />;
  if (!data) return null;
  const isOver = data.run.endedAt !== undefined;
  if (verb === "cancel" && isOver)
    return (
      <Message title={id} onClose={onClose}>
        It has ended: there is nothing to cancel.
      </Message>
    );
  if (verb === "rerun" && !isOver)
    return (
      <Message title={id} onClose={onClose}>
        It is under way: it can be run again once it has ended.
      </Message>
    );
  if (verb === "rerun" && data.run.state === "succeeded")
    return (
      <Message title={id} onClose={onClose}>
        Nothing failed in it. Its page runs all of it again.
      </Message>
    );
  return <RunActions run={data.run} />;
}
