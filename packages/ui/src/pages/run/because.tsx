/** Why a run began, back to the events that satisfied its trigger and who told them; and what came of it. In two lines. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { CauseMemberView, RunEffectsView, RunSummary } from "@millrace/protocol";
import { useProject } from "../../api/project.ts";
import { one } from "../../api/queries.ts";
import { countOf } from "../../parts/number-text.ts";
import { Clock } from "../../parts/time.tsx";
import { EditorLink } from "../../project/editor-link.tsx";
import { EventLink, Producer, RunLink } from "./chain-parts.tsx";
import { isUnderWay } from "./use-run.ts";

const membersShown = 3;

export function causesQuery(run: string) {
  return {
    ...one("run", `/runs/${encodeURIComponent(run)}/causes`),
    // What led to a run never changes.
    staleTime: Number.POSITIVE_INFINITY,
  };
}

/** Of a run that goes on: as it is now. */
export function effectsQuery(run: string, isOver: boolean) {
  return {
    ...one("run", `/runs/${encodeURIComponent(run)}/effects`),
    queryKey: ["run", `/runs/${run}/effects`, isOver],
  };
}

export function Because({ run }: { readonly run: RunSummary }) {
  return (
    <>
      <p>
        because <Cause run={run} />
      </p>
      <Consequence run={run} />
    </>
  );
}

function Cause({ run }: { readonly run: RunSummary }) {
  const { data } = useQuery({ ...causesQuery(run.id), enabled: run.parent === undefined });
  if (run.parent) {
    const { runId, node, item } = run.parent;
    return (
      <>
        node {item === "" ? node : `${node}[${item}]`} of run <RunLink run={runId} node={node} /> called it
      </>
    );
  }
  if (!data) return <>…</>;
  const { firing, members = [] } = data;
  if (!firing) return <>somebody started it by hand</>;
  const shown = members.slice(0, membersShown);
  return (
    <>
      its{" "}
      <Link
        to="/triggers/$pipeline"
        params={{ pipeline: firing.pipeline }}
        search={firing.key === undefined ? {} : { key: firing.key }}
      >
        trigger
      </Link>{" "}
      <DeclaredIn pipeline={firing.pipeline} /> fired
      {firing.key === undefined ? "" : ` for ${firing.key}`}
      {firing.revision > 1 ? `, revision ${firing.revision}` : ""}
      {shown.length > 0 && ": "}
      {shown.map((member, index) => (
        <span key={`${member.operand} ${member.position ?? member.at ?? index}`}>
          {index > 0 && ", "}
          <Member member={member} />
        </span>
      ))}
      {firing.memberCount > shown.length && ` and ${firing.memberCount - shown.length} more`}
    </>
  );
}

/** The line of code, where its file is at hand. */
function DeclaredIn({ pipeline }: { readonly pipeline: string }) {
  const project = useProject();
  const path = `/pipelines/${encodeURIComponent(pipeline)}` as const;
  const { data } = useQuery({ ...one("definition", path), enabled: project !== undefined });
  if (!project || !data?.source) return null;
  return (
    <>
      (<EditorLink place={data.source} />)
    </>
  );
}

function Member({ member }: { readonly member: CauseMemberView }) {
  const { operand, position, at, producer } = member;
  if (position === undefined)
    return at === undefined ? (
      <>{operand}</>
    ) : (
      <>
        {operand} at <Clock at={at} />
      </>
    );
  return (
    <>
      <EventLink position={position} event={member.event} />
      {producer && (
        <>
          , told by <Producer producer={producer} />
        </>
      )}
    </>
  );
}

/** What it wrote, told and started. */
function Consequence({ run }: { readonly run: RunSummary }) {
  const isOver = !isUnderWay(run);
  const path = `/runs/${encodeURIComponent(run.id)}/assets` as const;
  const uses = useQuery({ ...one("run", path), enabled: isOver });
  const effects = useQuery({ ...effectsQuery(run.id, isOver), enabled: isOver });
  const written = uses.data?.items.filter(({ direction }) => direction === "write") ?? [];
  const pieces = [...new Map(written.map((use) => [`${use.asset} ${use.partition ?? ""}`, use])).values()];
  const events = (effects.data?.events ?? []).filter(({ type }) => !type.startsWith("millrace."));
  const started = startedBy(effects.data);
  const parts: ReactNode[] = [];
  if (pieces.length > 0)
    parts.push(
      <>
        {pieces.slice(0, membersShown).map(({ asset, partition }, at) => (
          <span key={`${asset} ${partition ?? ""}`}>
            {at > 0 && ", "}
            <Link
              to="/assets/$asset"
              params={{ asset }}
              search={partition === undefined ? {} : { partition }}
            >
              {partition === undefined ? asset : `${asset} ${partition}`}
            </Link>
          </span>
        ))}
        {pieces.length > membersShown && ` and ${pieces.length - membersShown} more`}{" "}
        {pieces.length === 1 ? "was" : "were"} written
      </>,
    );
  if (events.length > 0)
    parts.push(
      <>
        {events.slice(0, membersShown).map(({ position, type, subject }, at) => (
          <span key={position}>
            {at > 0 && ", "}
            <EventLink position={position} event={{ type, ...(subject === undefined ? {} : { subject }) }} />
          </span>
        ))}
        {events.length > membersShown && ` and ${events.length - membersShown} more`}{" "}
        {events.length === 1 ? "was" : "were"} told
      </>,
    );
  if (started.length > 0)
    parts.push(
      <>
        {countOf(started.length, "run")} began:{" "}
        {started.slice(0, membersShown).map(({ runId, name }, at) => (
          <span key={runId}>
            {at > 0 && ", "}
            <RunLink run={runId}>{name}</RunLink>
          </span>
        ))}
        {started.length > membersShown && " …"}
      </>,
    );
  if (parts.length === 0) return null;
  return (
    <p>
      so{" "}
      {parts.map((part, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- their order is fixed
        <span key={at}>
          {at > 0 && "; "}
          {part}
        </span>
      ))}{" "}
      <Link to="/runs/$run" params={{ run: run.id }} search={(before) => ({ ...before, tab: "chain" })}>
        all of it
      </Link>
    </p>
  );
}

interface StartedRun {
  readonly runId: string;
  readonly name: string;
}

/** Runs that it called, and that its events started. */
function startedBy(effects: RunEffectsView | undefined): StartedRun[] {
  if (!effects) return [];
  const found = new Map<string, string>();
  for (const { firings } of effects.events)
    for (const { runId, pipeline } of firings) if (runId !== undefined) found.set(runId, pipeline);
  for (const { runId, node } of effects.calls) found.set(runId, `called by ${node}`);
  return [...found].map(([runId, name]) => ({ runId, name }));
}
