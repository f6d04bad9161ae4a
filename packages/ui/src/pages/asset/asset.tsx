/** One asset: fresh or late, its partitions, who writes and reads it, what updated it last and why. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { AssetDetail, AssetNode } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Facts } from "../../parts/facts.tsx";
import { Head } from "../../parts/head.tsx";
import { useNow } from "../../parts/now.ts";
import { Clock } from "../../parts/time.tsx";
import { Trouble } from "../../parts/trouble.tsx";
import { AssetLinks } from "./asset-links.tsx";
import { AssetMark } from "./asset-mark.tsx";
import { Cells } from "./cells.tsx";
import { Neighbours } from "./neighbours.tsx";
import { Partition } from "./partition.tsx";
import { Report } from "./report.tsx";
import { assetSentence } from "./sentence.ts";
import { Versions } from "./versions.tsx";
import { WouldStart } from "./would-start.tsx";

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
        actions={<Report asset={asset} partition={undefined} />}
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
          <Neighbours asset={name} />
          <section>
            <h2>Versions</h2>
            <Versions asset={name} />
          </section>
        </div>
        {partition === undefined ? (
          <Around asset={asset} />
        ) : (
          <Partition asset={asset} partition={partition} key={partition} />
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
    [
      "owner",
      owner === undefined ? undefined : (
        <Link key="owner" to="/assets" search={{ find: owner }}>
          {owner}
        </Link>
      ),
    ],
    [
      "tags",
      tags.length === 0
        ? undefined
        : tags.map((tag, at) => (
            <span key={tag}>
              {at > 0 && ", "}
              <Link to="/assets" search={{ find: tag }}>
                {tag}
              </Link>
            </span>
          )),
    ],
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
        <ul className="would-start">
          {triggers.map((pipeline) => (
            <WouldStart key={pipeline} pipeline={pipeline} />
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
