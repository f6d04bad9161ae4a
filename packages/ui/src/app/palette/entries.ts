/** What the palette offers: pages and actions by their names, and what was found. */
import type { LinkProps } from "@tanstack/react-router";
import type { SearchHit, SearchKind } from "@millrace/protocol";
import { pages } from "../pages.ts";

/** What can be done with a pipeline or a run. */
export const verbs = {
  run: { of: "pipeline", name: "Run", ask: "Run…" },
  pause: { of: "pipeline", name: "Pause", ask: "Pause…" },
  resume: { of: "pipeline", name: "Resume", ask: "Resume…" },
  cancel: { of: "run", name: "Cancel", ask: "Cancel…" },
  rerun: { of: "run", name: "Rerun what failed in", ask: "Rerun what failed…" },
} as const;
export type Verb = keyof typeof verbs;

/** An action on something that is chosen, before it is confirmed. */
export interface Doing {
  readonly verb: Verb;
  readonly id: string;
}

export interface Entry {
  readonly id: string;
  readonly group: string;
  readonly name: string;
  readonly about?: string;
  /** A key that does the same. */
  readonly hint?: string;
  /** Of a run. */
  readonly hit?: SearchHit;
  readonly what:
    | { readonly kind: "go"; readonly to: LinkProps }
    | { readonly kind: "do"; readonly doing: Doing }
    | { readonly kind: "ask"; readonly verb: Verb }
    | { readonly kind: "act"; readonly act: () => void };
}

/** `run ord`: a verb, and what it is about. */
export function verbIn(text: string): { readonly verb: Verb; readonly rest: string } | undefined {
  const [, word, rest] = /^\s*([a-z]+)\s+(.*)$/i.exec(text) ?? [];
  const verb = word?.toLowerCase();
  if (verb === undefined || rest === undefined || !Object.hasOwn(verbs, verb)) return undefined;
  return { verb: verb as Verb, rest: rest.trim() };
}

/** All words stand in its name or in what it is about. */
export function isNamed({ name, about = "", group }: Entry, text: string): boolean {
  const within = `${name} ${about} ${group}`.toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => within.includes(word));
}

export function pageEntries(): readonly Entry[] {
  return pages.map(({ name, to, key }) => ({
    id: `page ${to}`,
    group: "Pages",
    name,
    hint: `g ${key}`,
    what: { kind: "go", to: { to } },
  }));
}

/** What can be done with what the page is about. */
export function entriesHere(path: string): readonly Entry[] {
  const [, place, part] = /^\/(pipelines|triggers|runs)\/([^/]+)$/.exec(path) ?? [];
  if (place === undefined || part === undefined) return [];
  const id = decodeURIComponent(part);
  const of = place === "runs" ? "run" : "pipeline";
  return (Object.keys(verbs) as Verb[])
    .filter((verb) => verbs[verb].of === of)
    .map((verb) => doEntry(verb, id, "Here"));
}

export function doEntry(verb: Verb, id: string, group: string): Entry {
  return {
    id: `${verb} ${id}`,
    group,
    name: `${verbs[verb].name} ${id}…`,
    what: { kind: "do", doing: { verb, id } },
  };
}

/** The first step of an action: of what. */
export function askEntries(): readonly Entry[] {
  return (Object.keys(verbs) as Verb[]).map((verb) => ({
    id: `ask ${verb}`,
    group: "Actions",
    name: verb === "rerun" ? "Rerun what failed in a run…" : `${verbs[verb].name} a ${verbs[verb].of}…`,
    what: { kind: "ask", verb },
  }));
}

const groups: { readonly [kind in SearchKind]: string } = {
  pipeline: "Pipelines",
  trigger: "Triggers",
  schedule: "Schedules",
  run: "Runs",
  asset: "Assets",
  event: "Events",
  worker: "Workers",
  queue: "Queues",
  pool: "Pools",
};

export function groupOf(kind: SearchKind): string {
  return groups[kind];
}

export function hitEntry(hit: SearchHit): Entry {
  return {
    id: `${hit.kind} ${hit.id}`,
    group: groups[hit.kind],
    name: hit.name,
    ...(hit.about === undefined ? {} : { about: hit.about }),
    hit,
    what: { kind: "go", to: placeOf(hit) },
  };
}

function placeOf({ kind, id }: SearchHit): LinkProps {
  switch (kind) {
    case "pipeline":
      return { to: "/pipelines/$pipeline", params: { pipeline: id } };
    case "trigger":
      return { to: "/triggers/$pipeline", params: { pipeline: id } };
    case "schedule":
      return { to: "/schedules", search: { find: id } };
    case "run":
      return { to: "/runs/$run", params: { run: id } };
    case "asset":
      return { to: "/assets/$asset", params: { asset: id } };
    case "event":
      return { to: "/events", search: { event: id } };
    case "pool":
      return { to: "/workers", search: { limit: `pool:${id}` } };
    default:
      return { to: "/workers" };
  }
}
