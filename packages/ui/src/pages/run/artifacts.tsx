/** What attempts kept for people: a list, and the chosen one beside it. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ArtifactView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";
import { DownloadLink } from "../../parts/download-link.tsx";
import { bytesText } from "../../parts/number-text.ts";
import { ArtifactPreview, blobPath } from "./artifact-view.tsx";
import { nodeName } from "./sentence.ts";
import type { LiveRun } from "./use-run.ts";

const route = getRouteApi("/runs/$run");

export function useArtifacts({ run, version }: LiveRun): readonly ArtifactView[] {
  const path = `/runs/${encodeURIComponent(run.id)}/artifacts` as const;
  // They come with attempts: asked for again as the run goes on, at most with each of its states.
  const { data } = useQuery({
    ...one("run", path),
    queryKey: ["run", path, run.state, run.generation, Math.floor(version / artifactTurns)],
    placeholderData: (before) => before,
  });
  return data?.items ?? none;
}

const artifactTurns = 50;
const none: readonly ArtifactView[] = [];

interface ArtifactListProps {
  readonly run: string;
  readonly artifacts: readonly ArtifactView[];
  readonly withNode?: boolean;
}

export function ArtifactList({ run, artifacts, withNode = true }: ArtifactListProps) {
  return (
    <ul className="artifacts">
      {artifacts.map((artifact) => (
        <li
          key={`${artifact.node} ${artifact.item} ${artifact.generation} ${artifact.attempt} ${artifact.name}`}
        >
          <Link
            to="/runs/$run"
            params={{ run }}
            search={(before) => ({ ...before, tab: "data", artifact: addressOf(artifact) })}
          >
            {artifact.name}
          </Link>{" "}
          <span className="quiet">
            {artifact.type}, {bytesText(artifact.bytes)}
            {withNode && `, of ${nodeName({ id: artifact.node, item: artifact.item })}`}
            {artifact.attempt > 1 && `, attempt ${artifact.attempt}`}
          </span>{" "}
          <DownloadLink path={blobPath(artifact)} name={artifact.name}>
            download
          </DownloadLink>
        </li>
      ))}
    </ul>
  );
}

/** Several may have the same content, and a name may stand at several nodes. */
function addressOf({ node, item, generation, attempt, name }: ArtifactView): string {
  return JSON.stringify([node, item, generation, attempt, name]);
}

/** The artifact that the address names. */
export function ChosenArtifact({ artifacts }: { readonly artifacts: readonly ArtifactView[] }) {
  const { artifact: chosen } = route.useSearch();
  const { run } = route.useParams();
  if (chosen === undefined) return null;
  const found = artifacts.find((artifact) => addressOf(artifact) === chosen);
  return (
    <aside aria-label={found?.name ?? "artifact"} className="filled">
      <div className="head">
        <h2 className="words">{found?.name ?? "There is no such artifact"}</h2>
        <Link
          to="/runs/$run"
          params={{ run }}
          search={({ artifact: _artifact, ...rest }) => rest}
          aria-label="Close"
        >
          ✕
        </Link>
      </div>
      {found && (
        <p className="quiet">
          {found.mediaType}, {bytesText(found.bytes)}, of {nodeName({ id: found.node, item: found.item })}{" "}
          <DownloadLink path={blobPath(found)} name={found.name}>
            download
          </DownloadLink>
        </p>
      )}
      {found && <ArtifactPreview artifact={found} />}
    </aside>
  );
}
