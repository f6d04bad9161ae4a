/** What `millrace dev` tells of the project whose files it follows: it comes live, and is never asked for. */
import { useQuery, type QueryClient } from "@tanstack/react-query";
import type { ProjectView } from "@millrace/protocol";
import type { About } from "./queries.ts";
import { listen } from "./live.ts";

const key = ["project"];

/** What a deploy changes. */
const ofDeploys: readonly About[] = [
  "definition",
  "grid",
  "pipelines",
  "triggers",
  "assets",
  "sources",
  "probes",
  "webhooks",
  "deployments",
  "overview",
];

/** `undefined` where nobody follows a project's files. */
export function useProject(): ProjectView | undefined {
  const { data } = useQuery<ProjectView | null>({ queryKey: key, queryFn: () => null, enabled: false });
  return data ?? undefined;
}

/** Until what it returns is called. A save that was taken up shows at once. */
export function followProject(queries: QueryClient): () => void {
  return listen("project", {
    onData: (data) => {
      const view = data as ProjectView | null;
      const before = queries.getQueryData<ProjectView | null>(key)?.running?.deployment;
      queries.setQueryData(key, view);
      if (before === undefined || view?.running?.deployment === before) return;
      for (const about of ofDeploys) void queries.invalidateQueries({ queryKey: [about] });
    },
  });
}
