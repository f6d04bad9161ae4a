/** Things that a chain of causes is made of, each a link. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { FiringMemberView, ProducerView } from "@millrace/protocol";

interface RunLinkProps {
  readonly run: string;
  readonly node?: string | undefined;
  readonly children?: ReactNode;
}

export function RunLink({ run, node, children }: RunLinkProps) {
  return (
    <Link
      to="/runs/$run"
      params={{ run }}
      search={node === undefined ? {} : { node }}
      className={children === undefined ? "mono" : undefined}
    >
      {children ?? run}
    </Link>
  );
}

type EventName = Partial<NonNullable<FiringMemberView["event"]>>;

interface EventLinkProps {
  readonly position: number;
  readonly event: EventName | undefined;
}

export function EventLink({ position, event }: EventLinkProps) {
  const { type, subject } = event ?? {};
  return (
    <Link to="/events" search={{ event: String(position) }}>
      {type === undefined ? `event ${position}` : `${type}${subject === undefined ? "" : ` ${subject}`}`}
    </Link>
  );
}

export function Producer({ producer }: { readonly producer: ProducerView }) {
  const { kind, name, run, pipeline, node } = producer;
  switch (kind) {
    case "run":
      return run ? (
        <>
          {node === undefined ? "" : `${node} of `}
          <RunLink run={run.id} node={node}>
            {run.pipeline}
          </RunLink>
        </>
      ) : pipeline === undefined ? (
        <>a run</>
      ) : (
        <>
          {node === undefined ? "" : `${node} of `}
          <Link to="/pipelines/$pipeline" params={{ pipeline }}>
            {pipeline}
          </Link>
        </>
      );
    case "webhook":
      return <SourceLink source={`/hooks/${name}`}>webhook {name}</SourceLink>;
    case "source":
      return <SourceLink source={`/sources/${name}`}>source {name}</SourceLink>;
    case "millrace":
      return <>Millrace itself</>;
    default:
      return (
        <>
          the outside world, as <SourceLink source={name}>{name}</SourceLink>
        </>
      );
  }
}

function SourceLink({ source, children }: { readonly source: string; readonly children: ReactNode }) {
  return (
    <Link to="/events" search={{ source }}>
      {children}
    </Link>
  );
}
