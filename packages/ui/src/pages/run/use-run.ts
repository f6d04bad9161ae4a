/** A run as it happens: its picture, drawn anew once a frame at most. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { LogEntry, RunDetail, RunEvent, TaskRunView, Page } from "@millrace/protocol";
import { RunPicture } from "@millrace/protocol/run-picture";
import { get } from "../../api/client.ts";
import { listen } from "../../api/live.ts";
import { one } from "../../api/queries.ts";

export interface LiveRun {
  readonly picture: RunPicture;
  readonly run: RunDetail["run"];
  /** Rises with each change of the picture. */
  readonly version: number;
}

/** `undefined` until it is read. Errors are thrown to whoever asks `useQuery` for the run's first reading. */
export function useRun(id: string): { readonly live: LiveRun | undefined; readonly error: Error | null } {
  const path = `/runs/${encodeURIComponent(id)}` as const;
  const first = useQuery(one("run", path));
  const pipeline = first.data?.run.pipeline;
  const definition = useQuery({
    ...one("definition", `/pipelines/${encodeURIComponent(pipeline ?? "")}`),
    enabled: pipeline !== undefined,
    // A run outlives its pipeline: what is retired and gone has no definition.
    retry: false,
  });
  const pipelineDefinition = definition.data?.definition;
  const isReady = first.data !== undefined && !definition.isPending;
  const [live, setLive] = useState<LiveRun>();
  useEffect(() => {
    if (!isReady || !first.data) return undefined;
    const picture = new RunPicture(first.data.run, pipelineDefinition);
    let details = first.data.run;
    let version = 0;
    let frame = 0;
    const draw = (): void => {
      frame = 0;
      version += 1;
      setLive({ picture, run: { ...details, ...picture.run }, version });
    };
    const apply = (event: RunEvent): void => {
      picture.apply(event);
      if (event.kind === "snapshot") {
        details = event.detail.run;
        if (event.detail.nextCursor !== undefined) void restOf(path, event.detail.nextCursor, apply);
      }
      // Its output and the rest of its row stand in no event.
      if (event.kind === "end") void get(path).then((detail) => apply({ kind: "snapshot", detail }));
      frame ||= requestAnimationFrame(draw);
    };
    apply({ kind: "snapshot", detail: first.data });
    const unlisten = listen(`run:${id}`, { onData: (data) => apply(data as RunEvent) });
    return () => {
      cancelAnimationFrame(frame);
      unlisten();
    };
  }, [id, path, isReady, first.data, pipelineDefinition]);
  return { live: live?.picture.run.id === id ? live : undefined, error: first.error };
}

/** What a snapshot was too long for. */
async function restOf(
  path: `/runs/${string}`,
  cursor: string,
  apply: (event: RunEvent) => void,
): Promise<void> {
  for (let next: string | undefined = cursor; next !== undefined;) {
    const page: Page<TaskRunView> = await get(`${path}/nodes`, { cursor: next, limit: 1_000 });
    for (const node of page.items) apply({ kind: "node", node });
    next = page.nextCursor;
  }
}

export function isUnderWay({ state }: { readonly state: string }): boolean {
  return state === "queued" || state === "running" || state === "waiting";
}

export function logKey(entry: LogEntry): string {
  return `${entry.node}/${entry.item}/${entry.generation}/${entry.attempt}/${entry.position}`;
}
