/** Pause and resume; a resume says first what it would start. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { OnResume, PipelineDetail, ResumeRequest } from "@millrace/protocol";
import { post, preview } from "../../api/client.ts";
import { Ask } from "../../parts/ask.tsx";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";

export function PauseAction({ pipeline }: { readonly pipeline: PipelineDetail }) {
  return pipeline.paused ? <Resume pipeline={pipeline} /> : <Pause pipeline={pipeline} />;
}

const changes = ["definition", "pipelines", "triggers", "grid"] as const;

function Pause({ pipeline: { name, definition } }: { readonly pipeline: PipelineDetail }) {
  return (
    <Ask
      name="Pause…"
      title={`Pause ${name}?`}
      confirm="Pause it"
      changes={changes}
      act={() => post(`/pipelines/${encodeURIComponent(name)}/pause`)}
    >
      {() => (
        <p>
          It takes no new runs until it is resumed, also over deploys. Runs that are under way go on.
          {definition.trigger !== undefined &&
            " What its trigger is told meanwhile is kept; at the resume you say what becomes of it."}
        </p>
      )}
    </Ask>
  );
}

type Choice = "" | "all" | "latest" | "none";

const choices: { readonly [choice in Choice]: string } = {
  "": "as its trigger says",
  all: "all of them",
  latest: "only the latest",
  none: "none of them",
};

function Resume({ pipeline }: { readonly pipeline: PipelineDetail }) {
  const { name, definition } = pipeline;
  const [choice, setChoice] = useState<Choice>("");
  const hasTrigger = definition.trigger !== undefined;
  return (
    <Ask
      name="Resume…"
      title={`Resume ${name}?`}
      confirm="Resume it"
      isMain
      changes={changes}
      act={() => {
        const request: ResumeRequest = choice === "" ? {} : { onResume: choice };
        return post(`/pipelines/${encodeURIComponent(name)}/resume`, hasTrigger ? request : {});
      }}
    >
      {() =>
        hasTrigger ? (
          <>
            <label className="inline">
              Of the firings that came while it was paused, start{" "}
              <select
                className="field"
                value={choice}
                onChange={({ target }) => setChoice(target.value as Choice)}
              >
                {Object.entries(choices).map(([value, text]) => (
                  <option key={value} value={value}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
            <Preview name={name} choice={choice} />
          </>
        ) : (
          <p>It takes runs again.</p>
        )
      }
    </Ask>
  );
}

const outcomes: { readonly [outcome: string]: string } = {
  starts: "starts at once",
  waits: "waits for a slot",
  merged: "is merged into one that waits",
  superseded: "is superseded by a later one",
};

/** Asked for at each opening: what was told since then counts. */
function Preview({ name, choice }: { readonly name: string; readonly choice: Choice }) {
  const { data, error, isFetching } = useQuery({
    queryKey: ["triggers", "preview", name, choice],
    queryFn: () => {
      const request: ResumeRequest = choice === "" ? {} : { onResume: choice };
      return preview(`/pipelines/${encodeURIComponent(name)}/resume`, request);
    },
    staleTime: 0,
  });
  if (error) return <Trouble error={error} />;
  if (!data) return <p className="quiet">Looking at what it would start…</p>;
  const { firingCount, firings, onResume, paused } = data;
  return (
    <div className={isFetching ? "quiet" : undefined}>
      <p>
        {firingCount === 0
          ? "It would start no run."
          : `It would start ${firingCount === 1 ? "one run" : `${firingCount} runs`}`}
        {firingCount > 0 && choice === "" && ` (${catchUpText(onResume)})`}
        {firingCount > 0 && ":"}
        {paused && firingCount === 0 && (
          <span className="quiet">
            {" "}
            It is paused since <Clock at={paused.at} />.
          </span>
        )}
      </p>
      <ul className="short" tabIndex={0}>
        {firings.map(({ at, key, partition, revision, memberCount, outcome, occurrence }) => (
          <li key={`${at} ${key ?? ""} ${occurrence} ${revision}`}>
            <Clock at={at} /> {key} {partition} {revision > 1 && `revision ${revision}`}{" "}
            <span className="quiet">
              {memberCount === 1 ? "1 member" : `${memberCount} members`}
              {outcome !== undefined && ` · ${outcomes[outcome]}`}
            </span>
          </li>
        ))}
      </ul>
      {firingCount > firings.length && <p className="quiet">… and {firingCount - firings.length} more</p>}
    </div>
  );
}

export function catchUpText(how: OnResume): string {
  if (typeof how === "object") return `the newest ${how.limit}`;
  return { all: "all", latest: "only the latest", none: "none" }[how];
}
