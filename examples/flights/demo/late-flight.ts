/** The late flight's way: from its event through the runs that it caused to the published day. */
import type { Observation, Started } from "./observation.ts";
import type { Paper } from "./paper.ts";
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

/** Its way, as the command explains it. */
export async function explainLateFlight(server: DemoServer, paper: Paper, late: LateFlight): Promise<void> {
  await printed(server, paper, ["trigger", "explain", "land-hours", "--event", String(late.position)]);
  for (const started of [late.landed, late.read, late.published])
    if (started !== undefined) await printed(server, paper, ["show", started.run.id]);
}

/** Runs the command and shows what it prints. */
export async function printed(server: DemoServer, paper: Paper, args: readonly string[]): Promise<void> {
  paper.output(`millrace ${args.join(" ")}`, await server.millrace(...args));
}
