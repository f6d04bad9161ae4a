/** Why a run began, back to the events that satisfied its trigger; and what came of it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { FiringMemberView, RunSummary } from "@millrace/protocol";
import { useProject } from "../../api/project.ts";
import { one } from "../../api/queries.ts";
import { Clock } from "../../parts/time.tsx";
import { EditorLink } from "../../project/editor-link.tsx";
import { isUnderWay } from "./use-run.ts";

const membersShown = 3;

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
  const path = `/runs/${encodeURIComponent(run.id)}/firing` as const;
  const { data } = useQuery({
    ...one("run", path),
    enabled: run.parent === undefined,
  });
  if (run.parent) {
    const { runId, node, item } = run.parent;
    return (
      <>
        node {item === "" ? node : `${node}[${item}]`} of run{" "}
        <Link to="/runs/$run" params={{ run: runId }} search={{ node }} className="mono">
          {runId}
        </Link>{" "}
        called it
      </>
    );
  }
  if (!data) return <>…</>;
  const { firing } = data;
  if (!firing) return <>somebody started it by hand</>;
  const shown = firing.members.slice(0, membersShown);
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

function Member({ member }: { readonly member: FiringMemberView }) {
  const { operand, position, event, at } = member;
  if (position === undefined)
    return at === undefined ? (
      <>{operand}</>
    ) : (
      <>
        {operand} at <Clock at={at} />
      </>
    );
  return (
    <Link to="/events" search={{ event: String(position) }}>
      {event ? `${event.type}${event.subject === undefined ? "" : ` ${event.subject}`}` : `event ${position}`}
    </Link>
  );
}

/** What it wrote. */
function Consequence({ run }: { readonly run: RunSummary }) {
  const path = `/runs/${encodeURIComponent(run.id)}/assets` as const;
  const { data } = useQuery({ ...one("run", path), enabled: !isUnderWay(run) });
  const written = data?.items.filter(({ direction }) => direction === "write") ?? [];
  if (written.length === 0) return null;
  const pieces = new Map(written.map((use) => [`${use.asset} ${use.partition ?? ""}`, use]));
  const names = [...pieces.values()];
  return (
    <p>
      so{" "}
      {names.slice(0, membersShown).map(({ asset, partition }, at) => (
        <span key={`${asset} ${partition ?? ""}`}>
          {at > 0 && ", "}
          <Link to="/assets/$asset" params={{ asset }} search={partition === undefined ? {} : { partition }}>
            {partition === undefined ? asset : `${asset} ${partition}`}
          </Link>
        </span>
      ))}{" "}
      {names.length === 1 ? "was" : "were"} written
      {names.length > membersShown && `, and ${names.length - membersShown} more`}
    </p>
  );
}
