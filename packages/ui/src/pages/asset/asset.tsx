/** One asset: fresh or late, its partitions, who writes and reads it, what updated it last and why. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { AssetDetail, AssetNode, AssetUpdateView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Facts } from "../../parts/facts.tsx";
import { Head } from "../../parts/head.tsx";
import { useNow } from "../../parts/now.ts";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { AssetLinks } from "./asset-links.tsx";
import { AssetMark } from "./asset-mark.tsx";
import { Cells } from "./cells.tsx";
import { Partition } from "./partition.tsx";
import { Producer } from "./producer.tsx";
import { assetSentence } from "./sentence.ts";

const route = getRouteApi("/assets/$asset");

export function Asset() {
  const { asset: name } = route.useParams();
  const { data, error, refetch } = useQuery({
    ...one("assets", `/assets/${encodeURIComponent(name)}`),
    retry: false,
  });
  if (error)
    return (
      <div className="page">
        <Head title={name} name={name} />
        <Trouble error={error} onRetry={() => void refetch()} />
      </div>
    );
  if (!data) return <div className="page quiet">Reading the asset…</div>;
  return <AssetPage asset={data} key={name} />;
}

function AssetPage({ asset }: { readonly asset: AssetDetail }) {
  const { partition } = route.useSearch();
  const now = useNow();
  const { name, description, rejected, partitions } = asset;
  return (
    <div className="page fills">
      <Head
        name={name}
        title={
          <>
            {name} <AssetMark asset={asset} />
          </>
        }
      >
        {description !== undefined && <p>{description}</p>}
        <p className={asset.freshness?.state === "stale" ? "warn-text" : undefined}>
          {assetSentence(asset, now)}
        </p>
        <Chain asset={asset} />
      </Head>
      {rejected && (
        <p className="note warn">
          {rejected.count === 1 ? "One update" : `${rejected.count} updates`} did not fit and started nothing;
          the last one at <Clock at={rejected.at} />
          {rejected.partition === undefined ? "" : ` for ${rejected.partition}`}: {rejected.reason}.{" "}
          <Link to="/events" search={{ event: String(rejected.position) }}>
            its event
          </Link>
        </p>
      )}
      <div className="split open">
        <div className="parts scrolls padded">
          {partitions && (
            <section>
              <h2>
                Partitions <span className="quiet">{partitions.kind}</span>
              </h2>
              <Cells asset={name} />
            </section>
          )}
          <section>
            <h2>Last updates</h2>
            <Updates asset={asset} />
          </section>
        </div>
        {partition === undefined ? (
          <Around asset={asset} />
        ) : (
          <Partition asset={name} partition={partition} />
        )}
      </div>
    </div>
  );
}

/** What it comes of, and what comes of it. */
function Chain({ asset: { upstream, downstream } }: { readonly asset: AssetDetail }) {
  if (upstream.length === 0 && downstream.length === 0) return null;
  return (
    <p>
      {upstream.length > 0 && (
        <>
          made of <AssetLinks names={upstream} />
        </>
      )}
      {upstream.length > 0 && downstream.length > 0 && " · "}
      {downstream.length > 0 && (
        <>
          goes into <AssetLinks names={downstream} />
        </>
      )}
    </p>
  );
}

function Around({ asset }: { readonly asset: AssetDetail }) {
  const { definition, project, owner, tags, writers, readers, triggers, freshness } = asset;
  const source = definition?.source;
  const facts = [
    ["project", project],
    [
      "declared in",
      source === undefined ? undefined : <code key="source">{`${source.file}:${source.line}`}</code>,
    ],
    ["owner", owner],
    ["tags", tags.join(", ")],
    [
      "should be",
      freshness === undefined
        ? undefined
        : freshness.state === "fresh"
          ? "fresh, and is"
          : "fresh, and is not",
    ],
  ] as const;
  return (
    <aside aria-label="Around it">
      <Facts facts={facts} />
      <section>
        <h3>Written by</h3>
        <Nodes nodes={writers} none="No task of a deployed pipeline declares that it writes it." />
      </section>
      <section>
        <h3>Read by</h3>
        <Nodes nodes={readers} none="No task says that it reads it." />
      </section>
      <section>
        <h3>Its updates start</h3>
        {triggers.length === 0 && <p className="quiet">No trigger listens to it.</p>}
        <ul>
          {triggers.map((pipeline) => (
            <li key={pipeline}>
              <Link to="/triggers/$pipeline" params={{ pipeline }}>
                {pipeline}
              </Link>
            </li>
          ))}
        </ul>
      </section>
    </aside>
  );
}

function Nodes({ nodes, none }: { readonly nodes: readonly AssetNode[]; readonly none: string }) {
  if (nodes.length === 0) return <p className="quiet">{none}</p>;
  return (
    <ul>
      {nodes.map(({ pipeline, node }) => (
        <li key={`${pipeline} ${node}`}>
          <Link to="/pipelines/$pipeline" params={{ pipeline }}>
            {pipeline}
          </Link>
          {" / "}
          <Link to="/pipelines/$pipeline" params={{ pipeline }} search={{ tab: "graph", node }}>
            {node}
          </Link>
        </li>
      ))}
    </ul>
  );
}

function Updates({ asset: { lastUpdates, updates } }: { readonly asset: AssetDetail }) {
  if (lastUpdates.length === 0)
    return (
      <p className="quiet">
        {updates > 0
          ? "They are older than what the log keeps."
          : "There was none: here stands who wrote it, and when."}
      </p>
    );
  return (
    <ul className="updates">
      {lastUpdates.map((update) => (
        <Update key={update.position} update={update} />
      ))}
    </ul>
  );
}

function Update({ update }: { readonly update: AssetUpdateView }) {
  const { position, at, partition, producer, observed, revision, metadata, invalid } = update;
  const told = Object.entries(metadata)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join(", ");
  return (
    <li>
      <Clock at={at} />
      <span className="cut">
        {partition === undefined ? (
          "all of it"
        ) : (
          <Link
            to="/assets/$asset"
            params={(before) => ({ asset: before.asset ?? "" })}
            search={{ partition }}
          >
            {partition}
          </Link>
        )}
        {revision !== undefined && <span className="quiet"> revision {revision}</span>}
      </span>
      <span className="cut">
        <Producer producer={producer} observed={observed === true} />
      </span>
      <span className={invalid === undefined ? "cut quiet" : "cut bad-text"} title={invalid ?? told}>
        {invalid === undefined ? told : `does not count: ${invalid}`}
      </span>
      <Link to="/events" search={{ event: String(position) }} className="number">
        {position}
      </Link>
    </li>
  );
}
