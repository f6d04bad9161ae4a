/** What a pipeline is made of, as a graph; a node opens beside it. */
import { getRouteApi, Link } from "@tanstack/react-router";
import type { PipelineDefinition } from "@millrace/core";
import { Graph } from "../../parts/graph/graph.tsx";
import { NodeOptions } from "./node-options.tsx";

const route = getRouteApi("/pipelines/$pipeline");

export function GraphTab({ definition }: { readonly definition: PipelineDefinition }) {
  const { node } = route.useSearch();
  const { pipeline } = route.useParams();
  const navigate = route.useNavigate();
  const found = definition.nodes.find(({ id }) => id === node);
  if (definition.nodes.length === 0) return <p className="quiet">It has no nodes.</p>;
  return (
    <div className={found ? "split open" : "split"}>
      <Graph
        definition={definition}
        selected={found?.id}
        onOpen={(id) => void navigate({ search: (before) => ({ ...before, node: id }), replace: true })}
      />
      {found && (
        <aside aria-label={found.id}>
          <div className="head">
            <h2 className="words">{found.id}</h2>
            <Link
              to="/pipelines/$pipeline"
              params={{ pipeline }}
              search={({ node: _node, ...rest }) => rest}
              aria-label="Close"
            >
              ✕
            </Link>
          </div>
          <NodeOptions node={found} definition={definition} />
        </aside>
      )}
    </div>
  );
}
