/** What the deployed code says of a pipeline, and which deployments changed it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { NodeDefinition } from "@millrace/core";
import type { Page, PipelineDetail, PipelineVersionView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { Facts } from "../../parts/facts.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { Table, type Column } from "../../parts/table.tsx";
import { Clock } from "../../parts/time.tsx";
import { durationText } from "../../parts/time-text.ts";
import { SourceLink } from "../../project/source-link.tsx";
import { NodeOptions } from "./node-options.tsx";

const route = getRouteApi("/pipelines/$pipeline");
const versionsShown = 20;
const hashShown = 10;

const columns: readonly Column<NodeDefinition>[] = [
  { name: "node", width: "minmax(160px, 1.4fr)", cell: ({ id }) => id },
  {
    name: "kind",
    width: "96px",
    cell: ({ kind }) => <span className="quiet">{kind.replace("_", " ")}</span>,
  },
  {
    name: "options",
    width: "minmax(160px, 2fr)",
    cell: (node) => <span className="quiet">{optionsText(node)}</span>,
  },
  {
    name: "declared in",
    width: "minmax(120px, 1fr)",
    cell: ({ source }) =>
      source ? (
        <SourceLink place={source}>
          <span className="mono quiet">{`${source.file.split("/").at(-1)}:${source.line}`}</span>
        </SourceLink>
      ) : null,
  },
];

function optionsText({ options, rule, region, writes = [], reads = [] }: NodeDefinition): string {
  const { retry, timeoutMs, pool, priority, queue, concurrency, cache } = options;
  return [
    rule === "all_success" ? "" : rule.replaceAll("_", " "),
    region === undefined ? "" : "mapped",
    retry.retries === 0 ? "" : retry.retries === 1 ? "1 retry" : `${retry.retries} retries`,
    timeoutMs === undefined ? "" : `timeout ${durationText(timeoutMs)}`,
    pool === undefined ? "" : `pool ${pool.name}`,
    concurrency === undefined ? "" : `${concurrency.limit} per key`,
    cache === undefined ? "" : "cached",
    priority === 0 ? "" : `priority ${priority}`,
    queue === "default" ? "" : `queue ${queue}`,
    writes.length === 0 ? "" : `writes ${writes.join(", ")}`,
    reads.length === 0 ? "" : `reads ${reads.join(", ")}`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

export function Definition({ pipeline }: { readonly pipeline: PipelineDetail }) {
  const { node } = route.useSearch();
  const navigate = route.useNavigate();
  const { definition } = pipeline;
  const found = definition.nodes.find(({ id }) => id === node);
  return (
    <div className="split open">
      <Table
        label="Nodes"
        rows={definition.nodes}
        columns={columns}
        keyOf={({ id }) => id}
        selected={found?.id}
        onOpen={({ id }) => void navigate({ search: (before) => ({ ...before, node: id }), replace: true })}
        empty={<p>It has no nodes.</p>}
      />
      {found ? (
        <aside aria-label={found.id}>
          <div className="head">
            <h2 className="words">{found.id}</h2>
            <Link
              to="/pipelines/$pipeline"
              params={{ pipeline: pipeline.name }}
              search={({ node: _node, ...rest }) => rest}
              aria-label="Close"
            >
              ✕
            </Link>
          </div>
          <NodeOptions node={found} definition={definition} />
          {JSON.stringify(found.input) !== '{"kind":"value","value":null}' && (
            <section>
              <h3>Its input</h3>
              <JsonTree value={found.input} />
            </section>
          )}
        </aside>
      ) : (
        <aside aria-label="The pipeline">
          <PipelineFacts pipeline={pipeline} />
        </aside>
      )}
    </div>
  );
}

function PipelineFacts({ pipeline }: { readonly pipeline: PipelineDetail }) {
  const { definition, project, bundle, owner, tags, source, maxActiveRuns, paramsSchema } = pipeline;
  const facts = [
    ["project", project],
    ["declared in", source === undefined ? undefined : <SourceLink place={source} />],
    ["owner", owner],
    ["tags", tags.join(", ")],
    ["runs at once", maxActiveRuns ?? "as many as come"],
    ["deadline", definition.deadlineMs === undefined ? undefined : durationText(definition.deadlineMs)],
    ["initially", definition.paused ? "paused" : undefined],
    [
      "bundle",
      <code key="bundle" title={bundle}>
        {bundle.slice(0, hashShown)}
      </code>,
    ],
  ] as const;
  return (
    <>
      <Facts facts={facts} />
      <section>
        <h3>Versions</h3>
        <Versions pipeline={pipeline.name} />
      </section>
      {paramsSchema !== undefined && (
        <section>
          <h3>Parameters</h3>
          <JsonTree value={paramsSchema} />
        </section>
      )}
    </>
  );
}

function Versions({ pipeline }: { readonly pipeline: string }) {
  const path = `/pipelines/${encodeURIComponent(pipeline)}/versions`;
  const { data } = useQuery({
    ...one<Page<PipelineVersionView>>("definition", path, { limit: versionsShown }),
    staleTime: 5_000,
  });
  const shown = data?.items.filter(({ changed, active }) => changed || active) ?? [];
  return (
    <>
      <ul className="short" tabIndex={0}>
        {shown.map(({ deployment, createdAt, bundle, active, changed, nodes }) => (
          <li key={deployment}>
            {active ? "● " : ""}deployment {deployment}, <Clock at={createdAt} />{" "}
            <span className="quiet">
              {nodes} nodes · <code title={bundle}>{bundle.slice(0, hashShown)}</code>
              {changed ? "" : " · unchanged"}
              {active ? " · active" : ""}
            </span>
          </li>
        ))}
      </ul>
      {data && shown.length < data.items.length && (
        <p className="quiet">{data.items.length - shown.length} other deployments left it as it was.</p>
      )}
    </>
  );
}
