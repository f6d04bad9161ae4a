/** The late flight's way: from its event through the runs that it caused to the published day. */
import type { Observation, Started } from "./observation.ts";
import type { Replay } from "./replay.ts";
import type { DemoServer } from "./server.ts";
import { readingOf } from "./timeline.ts";

/** Runs that did not begin are absent. */
export interface LateFlight {
  /** Of its event, in the log. */
  readonly position: number;
  readonly recordedAt: string;
  readonly landed: Started | undefined;
  readonly read: Started | undefined;
  readonly published: Started | undefined;
}

export async function followLateFlight(
  server: DemoServer,
  seen: Observation,
  { late }: Replay,
): Promise<LateFlight> {
  const path = `/events?id=${encodeURIComponent(late.id)}&source=${encodeURIComponent(late.source)}`;
  const { items } = await server.get<{
    readonly items: readonly { readonly position: number; readonly recordedAt: string }[];
  }>(path);
  const [event] = items;
  if (event === undefined) throw new Error(`the log has no event ${late.id} of ${late.source}`);
  return {
    ...event,
    landed: seen.landed.find(({ firing }) => firing.revision > 1),
    read: seen.read.find(({ run }) => (readingOf(run.output).version ?? 1) > 1),
    published: seen.published.find(({ firing }) => firing.revision > 1),
  };
}

/** The commands that explain its way. */
export function explainingCommands({
  position,
  landed,
  read,
  published,
}: LateFlight): readonly (readonly string[])[] {
  const runs = [landed, read, published].flatMap((started) =>
    started === undefined ? [] : [started.run.id],
  );
  return [
    ["trigger", "explain", "land-hours", "--event", String(position)],
    ...runs.map((run) => ["show", run]),
  ];
}
