/** What went into a run and came out of it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { one } from "../../api/queries.ts";
import { DownloadLink } from "../../parts/download-link.tsx";
import { JsonTree } from "../../parts/json-tree.tsx";
import { bytesText } from "../../parts/number-text.ts";
import { ArtifactList, ChosenArtifact, useArtifacts } from "./artifacts.tsx";
import { nodeName } from "./sentence.ts";
import type { LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");

export function RunData({ live }: { readonly live: LiveRun }) {
  const { run } = live;
  const { artifact } = route.useSearch();
  const path = `/runs/${encodeURIComponent(run.id)}` as const;
  const artifacts = useArtifacts(live);
  const uses = useQuery(one("run", `${path}/assets`));
  const firing = useQuery(one("run", `${path}/firing`));
  const members = firing.data?.firing?.members ?? [];
  return (
    <div className={artifact === undefined ? "split" : "split open"}>
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
        {run.outputBlob && (
          <section>
            <h2>Output</h2>
            <p>
              It has {bytesText(run.outputBlob.bytes)}:{" "}
              <DownloadLink path={`/blobs/${run.outputBlob.hash}`} name={`${run.id}-output.json`}>
                download
              </DownloadLink>
            </p>
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
                    in{" "}
                    <Link
                      to="/runs/$run"
                      params={{ run: run.id }}
                      search={{ node: use.node, ...(use.item === "" ? {} : { item: use.item }) }}
                    >
                      {nodeName({ id: use.node, item: use.item })}
                    </Link>
                    {use.version === undefined ? "" : `, version ${use.version}`}
                  </span>
                </li>
              ))}
            </ul>
          </section>
        )}
        <section>
          <h2>Artifacts</h2>
          {artifacts.length === 0 ? (
            <p className="quiet">
              Nothing was kept. <code>{'await ctx.artifact("rows", { table })'}</code> in a task keeps a table
              here; texts, images, files and html, too.
            </p>
          ) : (
            <ArtifactList run={run.id} artifacts={artifacts} />
          )}
        </section>
      </div>
      <ChosenArtifact artifacts={artifacts} />
    </div>
  );
}
