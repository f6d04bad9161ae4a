/** When what happened, in which run: made of what the server tells alone. */
import type { LateFlight } from "./late-flight.ts";
import type { Approval, Observation, Started } from "./observation.ts";
import { replayedDays } from "./replay.ts";
import { dayOf } from "./verdict.ts";

export interface Entry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: string;
  readonly run?: string;
}

/** In the order of time. */
export function timeline(seen: Observation, late: LateFlight): readonly Entry[] {
  const entries: readonly Entry[] = [
    ...replayedDays.flatMap((day) => hourEntries(day, seen)),
    ...seen.published.flatMap(publishedEntries),
    ...seen.reports.flatMap((started) => [
      begun(started, "A webhook asks for the report over all flights"),
      ...ended(started, "That report is made"),
    ]),
    ...seen.silences.map((started) => begun(started, `The feed ${started.firing.key} is silent for 6 s`)),
    { at: Date.parse(late.recordedAt), what: `A flight of the day before comes: event ${late.position}` },
    ...(late.landed ? [begun(late.landed, "Its hour is written anew, as revision 2")] : []),
    ...(late.read ? [begun(late.read, "That file's version 2 is seen")] : []),
    ...seen.asked.flatMap(approvalEntries),
  ];
  return entries.toSorted((a, b) => a.at - b.at);
}

function begun({ firing, run }: Started, what: string): Entry {
  return { at: Date.parse(firing.at), what, run: run.id };
}

function ended({ run }: Started, what: string): Entry[] {
  return run.endedAt === undefined ? [] : [{ at: Date.parse(run.endedAt), what, run: run.id }];
}

function hourEntries(day: string, { landed, read }: Observation): Entry[] {
  const first = landed.find(({ firing }) => new Date(firing.occurrence).toISOString().startsWith(day));
  const last = read.filter(({ run }) => readingOf(run.output).partition?.startsWith(day))[hoursOfDay - 1];
  return [
    ...(first ? [begun(first, `${day}: the first hour lands as a file`)] : []),
    ...(last ? ended(last, `${day}: all ${hoursOfDay} hours are there`) : []),
  ];
}

const hoursOfDay = 24;

/** What a run of `read-hours` gives; nothing while it has not succeeded. */
export function readingOf(output: unknown): Reading {
  return (output as Reading | null | undefined) ?? {};
}

interface Reading {
  readonly partition?: string;
  readonly version?: number;
}

function publishedEntries(started: Started): Entry[] {
  const { day, revision, flights } = dayOf(started);
  return [
    begun(started, revision > 1 ? `${day} is re-opened as revision ${revision}` : `${day} is complete`),
    ...ended(started, `${day} is published, revision ${revision}: ${flights} flights`),
  ];
}

function approvalEntries({ since, run, title, answer }: Approval): Entry[] {
  return [
    { at: Date.parse(since), what: title ?? "Somebody is asked", run },
    ...(answer
      ? [{ at: Date.parse(answer.at), what: `${answer.by} ${answer.approved ? "agrees" : "says no"}`, run }]
      : []),
  ];
}
