/** The timeline and the explanation, made of what the server tells alone. */
import { lateHour, replayedDays, type Replay } from "./replay.ts";
import type { Observation, Started } from "./observation.ts";
import type { Paper } from "./paper.ts";
import type { DemoServer } from "./server.ts";
import { dayOf } from "./verdict.ts";

interface Entry {
  readonly at: number;
  readonly what: string;
  readonly run?: string;
}

/** Where the late flight stands in the log, and the runs on its way to the published day; absent what did not happen. */
export interface LateFlight {
  readonly position: number;
  readonly recordedAt: string;
  readonly landed?: Started;
  readonly read?: Started;
  readonly published?: Started;
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
  if (event === undefined) throw new Error(`the log has no event ${late.id}`);
  const landed = seen.landed.find(({ firing }) => firing.revision > 1);
  const read = seen.read.find(({ run }) => landed !== undefined && isLaterVersion(run, landed));
  const published = seen.published.find(({ firing }) => firing.revision > 1);
  return {
    position: event.position,
    recordedAt: event.recordedAt,
    ...(landed && { landed }),
    ...(read && { read }),
    ...(published && { published }),
  };
}

/** Both read and land runs tell of the hour; of two readings the second is of the revision. */
function isLaterVersion(run: Started["run"], landed: Started): boolean {
  const { partition } = (run.output ?? {}) as { readonly partition?: string };
  const isHour = partition === `${lateHour}:00Z`;
  return isHour && (run.endedAt ?? "") > (landed.run.endedAt ?? "~");
}

export function timeline(seen: Observation, late: LateFlight): readonly Entry[] {
  const entries = [
    ...replayedDays.flatMap((day) => hourEntries(day, seen)),
    ...seen.published.flatMap(publishedEntries),
    ...seen.reports.flatMap(({ firing, run }) => [
      { at: Date.parse(firing.at), what: "A webhook asks for the report over all flights", run: run.id },
      ...(run.endedAt === undefined
        ? []
        : [{ at: Date.parse(run.endedAt), what: "That report is made", run: run.id }]),
    ]),
    ...seen.silences.map(({ firing, run }) => ({
      at: Date.parse(firing.at),
      what: `No sign of life from the feed ${firing.key} for 6 s`,
      run: run.id,
    })),
    {
      at: Date.parse(late.recordedAt),
      what: `A flight of ${lateHour.replace("T", ", ")}h comes late: event ${late.position}`,
    },
    ...(late.landed
      ? [
          {
            at: Date.parse(late.landed.firing.at),
            what: "Its hour is written anew, revision 2",
            run: late.landed.run.id,
          },
        ]
      : []),
    ...(late.read
      ? [{ at: Date.parse(late.read.firing.at), what: "The file's version 2 is read", run: late.read.run.id }]
      : []),
    ...seen.asked.flatMap(({ since, run, title, answer }) => [
      { at: Date.parse(since), what: `Asked: ${title ?? "?"}`, run },
      ...(answer
        ? [{ at: Date.parse(answer.at), what: `${answer.by} ${answer.approved ? "agrees" : "says no"}`, run }]
        : []),
    ]),
  ];
  return entries.toSorted((a, b) => a.at - b.at);
}

function hourEntries(day: string, { landed, read }: Observation): Entry[] {
  const ofDay = landed.filter(
    ({ firing }) => new Date(firing.occurrence).toISOString().startsWith(day) && firing.revision === 1,
  );
  const hours = read.filter(({ run }) =>
    ((run.output ?? {}) as { partition?: string }).partition?.startsWith(day),
  );
  const [first] = ofDay;
  const last = hours[ofDay.length - 1];
  return [
    ...(first
      ? [
          {
            at: Date.parse(first.firing.at),
            what: `${day}: its first hour lands as a file`,
            run: first.run.id,
          },
        ]
      : []),
    ...(last
      ? [
          {
            at: Date.parse(last.run.endedAt ?? last.firing.at),
            what: `${day}: ${ofDay.length} hours are there`,
            run: last.run.id,
          },
        ]
      : []),
  ];
}

function publishedEntries(started: Started): Entry[] {
  const { day, revision, flights } = dayOf(started);
  const { firing, run } = started;
  const begins = revision > 1 ? `${day} is re-opened as revision ${revision}` : `${day} is complete`;
  return [
    { at: Date.parse(firing.at), what: begins, run: run.id },
    ...(run.endedAt === undefined
      ? []
      : [
          {
            at: Date.parse(run.endedAt),
            what: `${day} is published, revision ${revision}: ${flights} flights`,
            run: run.id,
          },
        ]),
  ];
}

/** From the late event to what it published, as the command explains each step. */
export async function explain(server: DemoServer, paper: Paper, late: LateFlight): Promise<void> {
  const commands = [
    ["trigger", "explain", "land-hours", "--event", String(late.position)],
    ...[late.landed, late.read, late.published].flatMap((started) =>
      started === undefined ? [] : [["show", started.run.id]],
    ),
  ];
  for (const command of commands) {
    paper.output(`millrace ${command.join(" ")}`, await server.millrace(...command));
  }
}
