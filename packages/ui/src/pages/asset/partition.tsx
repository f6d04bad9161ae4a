/** One partition: what its last update told, all of its versions, and what can be done where it is missing. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import type { AssetDetail, AssetPartitionView } from "@millrace/protocol";
import { post } from "../../api/client.ts";
import { one } from "../../api/queries.ts";
import { Ask } from "../../parts/ask.tsx";
import { Facts } from "../../parts/facts.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { Producer } from "./producer.tsx";
import { Report } from "./report.tsx";
import { Versions } from "./versions.tsx";

interface PartitionProps {
  readonly asset: AssetDetail;
  readonly partition: string;
}

export function Partition({ asset, partition }: PartitionProps) {
  const { name, writers } = asset;
  const path = `/assets/${encodeURIComponent(name)}/versions` as const;
  const query = one("assets", path, { partition, limit: 1 });
  const { data, error } = useQuery({ ...query, retry: false });
  const current = data?.current;
  const pipelines = [...new Set(writers.map(({ pipeline }) => pipeline))];
  return (
    <aside aria-label={partition}>
      <div className="head">
        <h2 className="words">{partition}</h2>
        <Link
          to="/assets/$asset"
          params={{ asset: name }}
          search={({ partition: _partition, ...rest }) => rest}
          aria-label="Close"
        >
          ✕
        </Link>
      </div>
      {error && <Trouble error={error} />}
      {current && <Told partition={current} />}
      {data && !current && <p className="quiet">Nothing was written to it yet.</p>}
      {data && (
        <div className="filters padded-above">
          {pipelines.map((pipeline) => (
            <RunFor
              key={pipeline}
              pipeline={pipeline}
              partition={partition}
              isThere={current?.at !== undefined}
            />
          ))}
          <Report asset={asset} partition={partition} />
        </div>
      )}
      {current?.at !== undefined && (
        <section>
          <h3>Versions</h3>
          <Versions asset={name} partition={partition} />
        </section>
      )}
    </aside>
  );
}

interface RunForProps {
  readonly pipeline: string;
  readonly partition: string;
  readonly isThere: boolean;
}

/** Whether the pipeline takes this partition, and needs parameters, its answer says. */
function RunFor({ pipeline, partition, isThere }: RunForProps) {
  const navigate = useNavigate();
  return (
    <Ask
      name={`Run ${pipeline} for it…`}
      title={`Run ${pipeline} for ${partition}`}
      confirm="Run"
      changes={["runs", "grid", "pipelines"]}
      act={() => post("/runs", { pipeline, partition })}
      onDone={({ run }) => void navigate({ to: "/runs/$run", params: { run: run.id } })}
    >
      <p>
        A run of{" "}
        <Link to="/pipelines/$pipeline" params={{ pipeline }}>
          {pipeline}
        </Link>{" "}
        for this partition, without parameters.{" "}
        {isThere ? "It is there already: what is written counts as a further version." : ""}
      </p>
    </Ask>
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
