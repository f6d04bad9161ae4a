/** What went into a run and came out of it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { one } from "../../api/queries.ts";
import { JsonTree } from "../../parts/json-tree.tsx";
import { nodeName } from "./sentence.ts";
import type { LiveRun } from "./use-run.ts";

export function RunData({ live }: { readonly live: LiveRun }) {
  const { run } = live;
  const path = `/runs/${encodeURIComponent(run.id)}` as const;
  const artifacts = useQuery(one("run", `${path}/artifacts`));
  const uses = useQuery(one("run", `${path}/assets`));
  const firing = useQuery(one("run", `${path}/firing`));
  const members = firing.data?.firing?.members ?? [];
  return (
    <div className="parts">
      <section>
        <h2>Parameters</h2>
        <JsonTree value={run.params} />
      </section>
      {members.length > 0 && (
        <section>
          <h2>What satisfied its trigger</h2>
          <JsonTree value={JSON.parse(JSON.stringify(members)) as never} />
        </section>
      )}
      {run.output !== undefined && (
        <section>
          <h2>Output</h2>
          <JsonTree value={run.output} />
        </section>
      )}
      {(uses.data?.items.length ?? 0) > 0 && (
        <section>
          <h2>Assets</h2>
          <ul>
            {uses.data?.items.map((use) => (
              <li key={`${use.direction} ${use.node} ${use.item} ${use.asset} ${use.partition ?? ""}`}>
                {use.direction === "write" ? "wrote" : "read"}{" "}
                <Link
                  to="/assets/$asset"
                  params={{ asset: use.asset }}
                  search={use.partition === undefined ? {} : { partition: use.partition }}
                >
                  {use.asset} {use.partition ?? ""}
                </Link>{" "}
                <span className="quiet">
                  in {nodeName({ id: use.node, item: use.item })}
                  {use.version === undefined ? "" : `, version ${use.version}`}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {(artifacts.data?.items.length ?? 0) > 0 && (
        <section>
          <h2>Artifacts</h2>
          <ul>
            {artifacts.data?.items.map((artifact) => (
              <li key={`${artifact.node} ${artifact.item} ${artifact.attempt} ${artifact.name}`}>
                <a href={`/api/v1/blobs/${artifact.blob}`} download={artifact.name}>
                  {artifact.name}
                </a>{" "}
                <span className="quiet">
                  {artifact.type} of {nodeName({ id: artifact.node, item: artifact.item })}, {artifact.bytes}{" "}
                  bytes
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
