/**
 * The chain that a run stands in, from above to below: what led to it, back to the outside world, and what came of it. What is
 * further away is asked for as one goes there.
 */
import { unreachable } from "@millrace/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import type { CauseMemberView, EffectEventView, RunCausesView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { State } from "../../parts/state.tsx";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { causesQuery, effectsQuery } from "./because.tsx";
import { EventLink, Producer, RunLink } from "./chain-parts.tsx";
import { nodeName } from "./sentence.ts";
import { isUnderWay, type LiveRun } from "./use-run.ts";

/** Steps back and on that are drawn without being asked for. */
const stepsShown = 2;
const membersShown = 6;

export function Chain({ live }: { readonly live: LiveRun }) {
  const { run } = live;
  return (
    <div className="chain-page">
      <ol className="chain" aria-label="What led to it">
        <Ancestry run={run.id} steps={stepsShown} />
        <Step mark="run here">
          <State state={run.state} isBare /> <strong>{run.pipeline}</strong>{" "}
          <span className="mono">{run.id}</span> <span className="quiet">this run</span>
        </Step>
      </ol>
      <ol className="chain below" aria-label="What came of it">
        <Effects run={run.id} steps={stepsShown} isOver={!isUnderWay(run)} />
      </ol>
    </div>
  );
}

interface StepProps {
  /** What it is, as a shape. */
  readonly mark: string;
  readonly at?: string | undefined;
  readonly children: ReactNode;
}

function Step({ mark, at, children }: StepProps) {
  return (
    <li className={`step ${mark}`}>
      {children}
      {at !== undefined && (
        <span className="quiet">
          {" "}
          <Clock at={at} />
        </span>
      )}
    </li>
  );
}

interface WalkProps {
  readonly run: string;
  /** How far it goes by itself. */
  readonly steps: number;
}

/** What stands above a run. */
function Ancestry({ run, steps }: WalkProps) {
  const { data, error } = useQuery(causesQuery(run));
  const [isWhole, setWhole] = useState(false);
  if (error)
    return (
      <li>
        <Trouble error={error} />
      </li>
    );
  if (!data) return <li className="quiet">…</li>;
  if (data.kind === "hand")
    return (
      <Step mark="outside" at={data.run.createdAt}>
        somebody started it by hand
      </Step>
    );
  if (data.parent) return <Caller parent={data.parent} steps={steps} />;
  const { members = [], firing } = data;
  const shown = isWhole ? members : members.slice(0, membersShown);
  const rest = (firing?.memberCount ?? 0) - shown.length;
  return (
    <>
      {shown.map((member, at) => (
        <MemberSteps
          key={`${member.operand} ${member.position ?? member.at ?? at}`}
          member={member}
          steps={members.length === 1 ? steps : steps - 1}
        />
      ))}
      {rest > 0 && (
        <li className="step more">
          {shown.length < members.length ? (
            <button type="button" className="fold" onClick={() => setWhole(true)}>
              {members.length - shown.length} more
            </button>
          ) : (
            <span className="quiet">and {rest} more</span>
          )}
        </li>
      )}
      {firing && <FiringStep firing={firing} />}
    </>
  );
}

function FiringStep({ firing }: { readonly firing: NonNullable<RunCausesView["firing"]> }) {
  const { pipeline, key, at, revision } = firing;
  return (
    <Step mark="trigger" at={at}>
      the{" "}
      <Link to="/triggers/$pipeline" params={{ pipeline }} search={key === undefined ? {} : { key }}>
        trigger of {pipeline}
      </Link>{" "}
      fired{key === undefined ? "" : ` for ${key}`}
      {revision > 1 ? `, revision ${revision}` : ""}
    </Step>
  );
}

/** A node of another run called it. */
function Caller({
  parent,
  steps,
}: {
  readonly parent: NonNullable<RunCausesView["parent"]>;
  readonly steps: number;
}) {
  return (
    <>
      <Further steps={steps} name="further back">
        {(next) => <Ancestry run={parent.runId} steps={next} />}
      </Further>
      <Step mark="run">
        {nodeName({ id: parent.node, item: parent.item })} of run{" "}
        <RunLink run={parent.runId} node={parent.node} /> called it
      </Step>
    </>
  );
}

function MemberSteps({ member, steps }: { readonly member: CauseMemberView; readonly steps: number }) {
  const { operand, position, event, recordedAt, from, at, producer } = member;
  if (position === undefined)
    return (
      <Step mark="time" at={at ?? from}>
        {operand}
      </Step>
    );
  const run = producer?.run;
  return (
    <>
      {run && (
        <Further steps={steps} name="further back">
          {(next) => <Ancestry run={run.id} steps={next} />}
        </Further>
      )}
      {producer && (
        <Step mark={run ? "run" : "outside"}>
          {run && <State state={run.state} isBare />} <Producer producer={producer} />{" "}
          {run && <span className="mono quiet">{run.id}</span>}
        </Step>
      )}
      <Step mark="event" at={recordedAt}>
        <EventLink position={position} event={event} />
      </Step>
    </>
  );
}

interface FurtherProps {
  readonly steps: number;
  readonly name: string;
  readonly children: (steps: number) => ReactNode;
}

/** What is further away: at once while there are steps left, else when it is asked for. */
function Further({ steps, name, children }: FurtherProps) {
  const [isAsked, setAsked] = useState(false);
  if (steps > 1) return children(steps - 1);
  if (isAsked) return children(1);
  return (
    <li className="step more">
      <button type="button" className="fold" onClick={() => setAsked(true)}>
        {name}
      </button>
    </li>
  );
}

interface EffectsProps extends WalkProps {
  readonly isOver: boolean;
}

/** What stands below a run. */
function Effects({ run, steps, isOver }: EffectsProps) {
  const { data, error } = useQuery(effectsQuery(run, isOver));
  const path = `/runs/${encodeURIComponent(run)}/assets` as const;
  const uses = useQuery(one("run", path));
  if (error)
    return (
      <li>
        <Trouble error={error} />
      </li>
    );
  if (!data) return <li className="quiet">…</li>;
  const positions = new Set(data.events.map(({ position }) => position));
  const written = (uses.data?.items ?? []).filter(
    ({ direction, position }) =>
      direction === "write" && (position === undefined || !positions.has(position)),
  );
  if (data.events.length + data.calls.length + written.length === 0)
    return (
      <li className="step quiet">
        {isOver
          ? "Nothing else came of it: it wrote no asset, told no event and started no run."
          : "Nothing came of it yet."}
      </li>
    );
  return (
    <>
      {data.calls.map(({ node, item, runId }) => (
        <li className="step call" key={runId}>
          {nodeName({ id: node, item })} called run <RunLink run={runId} />
          <Below run={runId} steps={steps} />
        </li>
      ))}
      {data.callsAreMore && <li className="step quiet">and more calls</li>}
      {data.events.map((event) => (
        <EventBelow key={event.position} event={event} steps={steps} />
      ))}
      {data.eventsAreMore && <li className="step quiet">and more events</li>}
      {written.map(({ asset, partition, node, item }) => (
        <li className="step asset" key={`${asset} ${partition ?? ""} ${node} ${item}`}>
          {nodeName({ id: node, item })} wrote{" "}
          <Link to="/assets/$asset" params={{ asset }} search={partition === undefined ? {} : { partition }}>
            {asset} {partition ?? ""}
          </Link>
        </li>
      ))}
    </>
  );
}

function EventBelow({ event, steps }: { readonly event: EffectEventView; readonly steps: number }) {
  const { position, type, subject, node, recordedAt, firings } = event;
  const isAsset = type.startsWith("millrace.asset.");
  return (
    <li className={isAsset ? "step asset" : "step event"}>
      {isAsset && subject !== undefined ? (
        <>
          {node === undefined ? "" : `${node} told of `}
          <Link to="/assets/$asset" params={{ asset: subject }}>
            {subject}
          </Link>
          : <EventLink position={position} event={{ type }} />
        </>
      ) : (
        <>
          {node === undefined ? "" : `${node} told `}
          <EventLink position={position} event={{ type, ...(subject === undefined ? {} : { subject }) }} />
        </>
      )}{" "}
      <span className="quiet">
        <Clock at={recordedAt} />
      </span>
      {firings.length > 0 && (
        <ol className="chain below">
          {firings.map(({ pipeline, runId, state }) => (
            <li className="step trigger" key={`${pipeline} ${runId ?? state}`}>
              the{" "}
              <Link to="/triggers/$pipeline" params={{ pipeline }}>
                trigger of {pipeline}
              </Link>{" "}
              {firedText(state)} {runId !== undefined && <RunLink run={runId} />}
              {runId !== undefined && state !== "waiting" && <Below run={runId} steps={steps} />}
            </li>
          ))}
        </ol>
      )}
    </li>
  );
}

function firedText(state: EffectEventView["firings"][number]["state"]): string {
  switch (state) {
    case "started":
      return "fired, and started run";
    case "merged":
      return "fired, and was merged into run";
    case "waiting":
      return "fired, and waits for a slot to start run";
    case "superseded":
      return "fired, and was superseded";
    case "refused":
      return "fired, and no run could begin";
    default:
      return unreachable(state);
  }
}

function Below({ run, steps }: WalkProps) {
  return (
    <ol className="chain below">
      <Further steps={steps} name="what came of that">
        {(next) => <Effects run={run} steps={next} isOver />}
      </Further>
    </ol>
  );
}
