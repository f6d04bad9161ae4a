/** Which pipelines are shown, and in what order. */
import type { PipelineSummary } from "@millrace/protocol";

export interface Chosen {
  readonly find?: string | undefined;
  readonly tag?: string | undefined;
  readonly owner?: string | undefined;
  readonly state?: string | undefined;
  readonly sort?: string | undefined;
}

export const states: readonly string[] = [
  "failed",
  "running",
  "waiting",
  "never ran",
  "paused",
  "on",
  "retired",
];

export function chosenPipelines(
  pipelines: readonly PipelineSummary[],
  { find, tag, owner, state, sort }: Chosen,
  nextDue: ReadonlyMap<string, string | undefined> = new Map(),
): PipelineSummary[] {
  const text = find?.toLowerCase();
  const found = pipelines.filter(
    (one) =>
      (text === undefined ||
        one.name.toLowerCase().includes(text) ||
        one.description?.toLowerCase().includes(text) === true) &&
      (tag === undefined || one.tags.includes(tag)) &&
      (owner === undefined || one.owner === owner) &&
      (state === undefined || isOf(one, state)),
  );
  switch (sort) {
    case "last":
      return found.sort((a, b) => later(a.lastRun?.createdAt, b.lastRun?.createdAt));
    case "next":
      return found.sort((a, b) => earlier(nextDue.get(a.name), nextDue.get(b.name)));
    case "state":
      return found.sort((a, b) => rankOf(a) - rankOf(b));
    default:
      return found;
  }
}

function isOf({ lastRun, paused, retired }: PipelineSummary, state: string): boolean {
  switch (state) {
    case "never ran":
      return lastRun === undefined;
    case "paused":
      return paused;
    case "retired":
      return retired;
    case "on":
      return !paused && !retired;
    default:
      return lastRun?.state === state;
  }
}

function rankOf({ lastRun, retired }: PipelineSummary): number {
  if (retired) return 4;
  const state = lastRun?.state;
  if (state === "failed" || state === "quarantined") return 0;
  return state === undefined ? 3 : state === "succeeded" ? 2 : 1;
}

/** What has no time comes last. */
function later(a: string | undefined, b: string | undefined): number {
  return Date.parse(b ?? "1970-01-01") - Date.parse(a ?? "1970-01-01");
}

function earlier(a: string | undefined, b: string | undefined): number {
  const time = (text: string | undefined): number => (text === undefined ? 8e15 : Date.parse(text));
  return time(a) - time(b);
}

export function tagsOf(pipelines: readonly PipelineSummary[]): {
  readonly tags: readonly string[];
  readonly owners: readonly string[];
} {
  return {
    tags: [...new Set(pipelines.flatMap(({ tags }) => tags))].sort(),
    owners: [...new Set(pipelines.flatMap(({ owner }) => owner ?? []))].sort(),
  };
}
