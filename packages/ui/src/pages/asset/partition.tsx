/** What the last update of a partition told, and who made it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AssetPartitionView } from "@millrace/protocol";
import { ApiError } from "../../api/client.ts";
import { one } from "../../api/queries.ts";
import { Facts } from "../../parts/facts.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Producer } from "./producer.tsx";

export function Partition({ asset, partition }: { readonly asset: string; readonly partition: string }) {
  const path = `/assets/${encodeURIComponent(asset)}/partitions/${encodeURIComponent(partition)}` as const;
  const { data, error } = useQuery({ ...one("assets", path), retry: false });
  const isUnwritten = error instanceof ApiError && error.problem.code === "MILLRACE_PARTITION_UNKNOWN";
  return (
    <aside aria-label={partition}>
      <div className="head">
        <h2 className="words">{partition}</h2>
        <Link
          to="/assets/$asset"
          params={{ asset }}
          search={({ partition: _partition, ...rest }) => rest}
          aria-label="Close"
        >
          ✕
        </Link>
      </div>
      {isUnwritten && <p className="quiet">{error.message}</p>}
      {error && !isUnwritten && <Trouble error={error} />}
      {data && <Told partition={data} />}
    </aside>
  );
}

function Told({ partition }: { readonly partition: AssetPartitionView }) {
  const { updates, at, position, version, metadata, revision, producer, observed } = partition;
  if (at === undefined) return <p className="quiet">Its key is known, and nothing was written to it.</p>;
  const facts = [
    ["updated", <Clock key="at" at={at} />],
    ["updates", updates],
    ["by", <Producer key="by" producer={producer} observed={observed === true} />],
    [
      "event",
      <Link key="event" to="/events" search={{ event: String(position) }}>
        {position}
      </Link>,
    ],
    ["version", version],
    ["revision", revision],
  ] as const;
  return (
    <>
      <Facts facts={facts} />
      {metadata && Object.keys(metadata).length > 0 && (
        <section>
          <h3>What it told</h3>
          <JsonTree value={metadata} />
        </section>
      )}
    </>
  );
}
