/** What starts it, in short: the trigger's own page tells all of it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { NextTickView, PipelineDetail } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Code } from "../../parts/code.tsx";
import { Ago, Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Firings } from "../trigger/firings.tsx";
import { StateTree } from "../trigger/state-tree.tsx";
import { triggerSentence } from "../trigger/sentence.ts";
import { useNow } from "../../parts/now.ts";

const firingsShown = 20;

export function TriggerTab({
  pipeline: { name, definition, paused },
}: {
  readonly pipeline: PipelineDetail;
}) {
  const now = useNow();
  const path = `/triggers/${encodeURIComponent(name)}` as const;
  const hasTrigger = definition.trigger !== undefined;
  const explained = useQuery({
    ...one("triggers", `${path}/explain`),
    enabled: hasTrigger,
  });
  const firings = useQuery({
    ...one("triggers", `${path}/firings`, { limit: firingsShown }),
    enabled: hasTrigger,
  });
  const next = useQuery({
    ...one("triggers", `/pipelines/${encodeURIComponent(name)}/next`),
    enabled: hasTrigger,
  });
  if (!hasTrigger) return <NoTrigger />;
  if (explained.error) return <Trouble error={explained.error} />;
  if (!explained.data) return <p className="quiet">Reading…</p>;
  const { trigger, state, key, keys } = explained.data;
  return (
    <div className="parts scrolls">
      <section>
        <p>
          {triggerSentence(trigger, now)}{" "}
          <Link to="/triggers/$pipeline" params={{ pipeline: name }}>
            The trigger with its keys, “why not this event?” and simulation
          </Link>
        </p>
      </section>
      {state && (
        <section>
          <h2>{key === undefined ? "What it has and what it waits for" : `What it has for ${key}`}</h2>
          <StateTree state={state} />
        </section>
      )}
      {keys && (
        <section>
          <h2>It has a state for each of these keys, and maybe others</h2>
          <ul className="items">
            {keys.map((one) => (
              <li key={one.key}>
                <Link to="/triggers/$pipeline" params={{ pipeline: name }} search={{ key: one.key }}>
                  {one.key}
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
      {next.data && next.data.items.length > 0 && <NextFirings ticks={next.data.items} isPaused={paused} />}
      <section>
        <h2>Last firings</h2>
        <Firings firings={firings.data?.items} />
      </section>
    </div>
  );
}

function NextFirings({
  ticks,
  isPaused,
}: {
  readonly ticks: readonly NextTickView[];
  readonly isPaused: boolean;
}) {
  return (
    <section aria-label="What comes next">
      <h2>{isPaused ? "What would come next, were it not paused" : "What comes next on the calendar"}</h2>
      <ul className="items">
        {ticks.map(({ at, operand }) => (
          <li key={`${at} ${operand ?? ""}`}>
            <Clock at={at} />{" "}
            <span className="quiet">
              <Ago at={at} />
              {operand === undefined ? "" : `, ${operand}`}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function NoTrigger() {
  return (
    <div className="empty">
      <p>
        Nothing starts it but people and other pipelines. Give it a trigger with its option <code>on</code>:
      </p>
      <Code text={`on: on.cron("0 6 * * *", { tz: "Europe/Berlin" }),`} />
    </div>
  );
}
