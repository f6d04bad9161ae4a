/** Resumes a pipeline, after it was said what becomes of the firings of its pause. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { OnResume } from "@millrace/protocol";
import { post, preview } from "../api/client.ts";
import { Ask } from "./ask.tsx";
import { countOf } from "./number-text.ts";
import { Trouble } from "./trouble.tsx";

const choices = [
  ["all", "all of them"],
  ["latest", "the latest of each key"],
  ["none", "none of them"],
] as const;
type Choice = (typeof choices)[number][0];

export function Resume({ pipeline }: { readonly pipeline: string }) {
  const [choice, setChoice] = useState<Choice>();
  const path = `/pipelines/${encodeURIComponent(pipeline)}/resume` as const;
  return (
    <Ask
      name="Resume…"
      title={`Resume ${pipeline}?`}
      confirm="Resume"
      act={() => post(path, choice === undefined ? {} : { onResume: choice })}
      changes={["overview", "pipelines", "triggers", "runs"]}
    >
      <Preview path={path} choice={choice} onChoose={setChoice} />
    </Ask>
  );
}

interface PreviewProps {
  readonly path: `/pipelines/${string}/resume`;
  readonly choice: Choice | undefined;
  readonly onChoose: (choice: Choice) => void;
}

function Preview({ path, choice, onChoose }: PreviewProps) {
  const { data, error } = useQuery({
    queryKey: ["triggers", path, "preview", choice],
    queryFn: () => preview(path, choice === undefined ? {} : { onResume: choice }),
    staleTime: 0,
  });
  if (error) return <Trouble error={error} />;
  if (!data) return <p className="quiet">Looking what came during the pause…</p>;
  if (!data.paused) return <p>It has no trigger: it can be started again.</p>;
  return (
    <>
      <p>
        Of the firings that came during the pause{" "}
        <select
          className="field"
          aria-label="Which firings start runs"
          value={choice ?? textOf(data.onResume)}
          onChange={({ target: { value } }) => onChoose(value as Choice)}
        >
          {choices.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
          {typeof data.onResume !== "string" && choice === undefined && (
            <option value={textOf(data.onResume)}>the last {data.onResume.limit}</option>
          )}
        </select>{" "}
        start runs.
      </p>
      <p>
        <strong>
          {data.firingCount === 0 ? "No run starts" : `${countOf(data.firingCount, "run")} start`}
        </strong>{" "}
        when it is resumed now.
      </p>
    </>
  );
}

function textOf(onResume: OnResume): string {
  return typeof onResume === "string" ? onResume : `limit ${onResume.limit}`;
}
