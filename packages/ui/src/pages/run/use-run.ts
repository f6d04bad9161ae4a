/** A run as it happens: its picture, drawn anew once a frame at most; less often where it has very many nodes. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import type { LogEntry, Page, RunDetail, RunEvent, TaskRunView } from "@millrace/protocol";
import { RunPicture } from "@millrace/protocol/run-picture";
import { get } from "../../api/client.ts";
import { listen } from "../../api/live.ts";
import { one } from "../../api/queries.ts";
import { withEarlierAttempts } from "./earlier-attempts.ts";

export interface LiveRun {
  readonly picture: RunPicture;
  readonly run: RunDetail["run"];
  /** Rises with each change of the picture. */
  readonly version: number;
}

/** A picture of more nodes is drawn anew at most this often. */
const nodesMany = 300;
const drawManyMs = 250;

/** `undefined` until it is read. Errors are thrown to whoever asks `useQuery` for the run's first reading. */
export function useRun(id: string): { readonly live: LiveRun | undefined; readonly error: Error | null } {
  const path = `/runs/${encodeURIComponent(id)}` as const;
  const first = useQuery({ ...one("run", path), staleTime: Number.POSITIVE_INFINITY });
  const bundle = first.data?.run.bundle;
  const definition = useQuery({
    ...one("definition", `${path}/definition`),
    queryKey: ["run-definition", path, bundle],
    enabled: bundle !== undefined,
    // Of a bundle it never changes; a run outlives its bundle: then there is none.
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const pipelineDefinition = definition.data?.definition;
  const isReady = first.data !== undefined && !definition.isPending;
  const [live, setLive] = useState<LiveRun>();
  useEffect(() => {
    if (!isReady || !first.data) return undefined;
    const picture = new RunPicture(first.data.run, pipelineDefinition);
    const drawing = new Drawing((pipelineDefinition?.nodes.length ?? 0) > nodesMany);
    let details = first.data.run;
    let version = 0;
    let reading = new AbortController();
    /** What was told live since the snapshot: what its further pages say of that may be older. */
    const told = new Set<string>();
    const draw = (): void => {
      version += 1;
      setLive({ picture, run: { ...details, ...picture.run }, version });
    };
    const apply = (event: RunEvent): void => {
      if (event.kind === "node") {
        const { node } = event;
        told.add(nameOf(node));
        const known = picture.taskRun(node.id, node.item);
        picture.apply({ kind: "node", node: withEarlierAttempts(known, node, Date.now()) });
      } else picture.apply(event);
      if (event.kind === "snapshot") {
        details = event.detail.run;
        told.clear();
        reading.abort();
        reading = new AbortController();
        if (event.detail.nextCursor !== undefined)
          void restOf(path, event.detail.nextCursor, { take, signal: reading.signal });
      }
      // Its output and the rest of its row stand in no event.
      if (event.kind === "end")
        void get(path).then(
          ({ run, nodes }) => {
            details = run;
            // With each attempt as it is recorded.
            for (const node of nodes) picture.apply({ kind: "node", node });
            drawing.later(draw);
          },
          // What was told live stands; that the server is away is said by the frame.
          () => undefined,
        );
      drawing.later(draw);
    };
    const take = (nodes: readonly TaskRunView[]): void => {
      for (const node of nodes) if (!told.has(nameOf(node))) picture.apply({ kind: "node", node });
      drawing.later(draw);
    };
    picture.apply({ kind: "snapshot", detail: first.data });
    draw();
    const unlisten = listen(`run:${id}`, { onData: (data) => apply(data as RunEvent) });
    return () => {
      drawing.stop();
      reading.abort();
      unlisten();
    };
  }, [id, path, isReady, first.data, pipelineDefinition]);
  return { live: live?.picture.run.id === id ? live : undefined, error: first.error };
}

function nameOf({ id, item }: TaskRunView): string {
  return `${id}\n${item}`;
}

class Drawing {
  readonly #isSlow: boolean;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(isSlow: boolean) {
    this.#isSlow = isSlow;
  }

  later(draw: () => void): void {
    if (this.#isSlow)
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        draw();
      }, drawManyMs);
    else
      this.#frame ||= requestAnimationFrame(() => {
        this.#frame = 0;
        draw();
      });
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
  }
}

interface Reading {
  readonly take: (nodes: readonly TaskRunView[]) => void;
  readonly signal: AbortSignal;
}

const pauseMs = 2_000;

/** What a snapshot was too long for; until a newer one is there, it is tried again. */
async function restOf(path: `/runs/${string}`, cursor: string, { take, signal }: Reading): Promise<void> {
  for (let next: string | undefined = cursor; next !== undefined && !signal.aborted;) {
    try {
      const page: Page<TaskRunView> = await get(`${path}/nodes`, { cursor: next, limit: 1_000 }, signal);
      if (signal.aborted) return;
      take(page.items);
      next = page.nextCursor;
    } catch {
      // The server is away: the page's head says so.
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

export function isUnderWay({ state }: { readonly state: string }): boolean {
  return state === "queued" || state === "running" || state === "waiting";
}

export function logKey(entry: LogEntry): string {
  return `${entry.node}/${entry.item}/${entry.generation}/${entry.attempt}/${entry.position}`;
}
