/** What was written: each version with the run that wrote it, and the events that made this begin. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AssetVersionView, FiringMemberView, VersionCause } from "@millrace/protocol";
import { list } from "../../api/queries.ts";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Producer } from "./producer.tsx";

interface VersionsProps {
  readonly asset: string;
  /** Of this one only; of all, where it is absent. */
  readonly partition?: string;
}

const pageSize = 20;

export function Versions({ asset, partition }: VersionsProps) {
  const path = `/assets/${encodeURIComponent(asset)}/versions` as const;
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({
    ...list("assets", path, { partition, limit: pageSize }),
    retry: false,
  });
  if (error) return <Trouble error={error} />;
  if (isPending) return <p className="quiet">Reading…</p>;
  return (
    <>
      {data.length === 0 && !hasNextPage && (
        <p className="quiet">The log keeps none: here stands who wrote it, when, and why.</p>
      )}
      <ul className={partition === undefined ? "versions" : "versions narrow"}>
        {data.map((version) => (
          <Version key={version.position} version={version} asset={asset} isNamed={partition === undefined} />
        ))}
      </ul>
      {hasNextPage && (
        <button
          type="button"
          className="fold link"
          disabled={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {isFetchingNextPage ? "Looking…" : "earlier ones"}
        </button>
      )}
    </>
  );
}

interface VersionProps {
  readonly version: AssetVersionView;
  readonly asset: string;
  readonly isNamed: boolean;
}

function Version({ version, asset, isNamed }: VersionProps) {
  const { position, at, partition, producer, observed, revision, metadata, invalid, because } = version;
  const told = Object.entries(metadata)
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
  return (
    <li>
      <Clock at={at} />
      {isNamed && (
        <span className="cut">
          {partition === undefined ? (
            "all of it"
          ) : (
            <Link
              to="/assets/$asset"
              params={{ asset }}
              search={(before) => ({ ...before, partition })}
              title={partition}
            >
              {partition}
            </Link>
          )}
        </span>
      )}
      <span className="words">
        <Producer producer={producer} observed={observed === true} />
        {revision !== undefined && revision > 1 && <span className="quiet"> revision {revision}</span>}
        {because && <Because because={because} asset={asset} />}
        {told !== "" && <span className="quiet"> · {told}</span>}
        {invalid !== undefined && <span className="bad-text"> · does not count: {invalid}</span>}
      </span>
      <Link to="/events" search={{ event: String(position) }} className="number" title="Its entry of the log">
        {position}
      </Link>
    </li>
  );
}

function Because({
  because: { members, memberCount },
  asset,
}: {
  readonly because: VersionCause;
  readonly asset: string;
}) {
  const events = members.filter(({ position, at }) => position !== undefined || at !== undefined);
  if (events.length === 0) return null;
  return (
    <span className="quiet">
      {" "}
      because{" "}
      {events.map((member, at) => (
        <span key={`${member.operand} ${member.position ?? member.at ?? at}`}>
          {at > 0 && ", "}
          <Member member={member} asset={asset} />
        </span>
      ))}
      {memberCount > members.length && ` and ${memberCount - members.length} more`}
    </span>
  );
}

function Member({
  member: { position, event, at, operand },
  asset,
}: {
  readonly member: FiringMemberView;
  readonly asset: string;
}) {
  if (position === undefined)
    return (
      <>
        {operand} at <Clock at={at ?? ""} />
      </>
    );
  const isOfAsset = event?.type === "millrace.asset.updated" && event.subject !== asset;
  const name = !event
    ? `event ${position}`
    : isOfAsset
      ? `${event.subject} was updated`
      : `${event.type}${event.subject === undefined ? "" : ` ${event.subject}`}`;
  return (
    <Link to="/events" search={{ event: String(position) }}>
      {name}
    </Link>
  );
}
