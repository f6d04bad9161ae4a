/** Which run an entry of the log comes of, as far as it says so itself. */
import type { LogEvent } from "./event.ts";
import { ownSource } from "./own.ts";

/** With an id of its own a task's event names its pipeline and node, and no run; with a source of its own nothing. */
export interface EventCause {
  readonly run?: string;
  readonly pipeline?: string;
  readonly node?: string;
}

/** What a task emitted (`taskSource`), or Millrace tells of a run; nothing of what came from outside. */
export function causeOf({
  source,
  id,
  data,
}: Pick<LogEvent, "source" | "id" | "data">): EventCause | undefined {
  if (source === ownSource) return toldCause(data.value);
  const place = /^\/pipelines\/([^/]+)\/([^/]+)$/.exec(source);
  if (!place) return undefined;
  const [, pipeline = "", node = ""] = place.map(decoded);
  const run = /^(r[0-9a-z]{16})\/(?:.+\/)?g\d+\//.exec(id)?.[1];
  return { ...(run === undefined ? {} : { run }), pipeline, node };
}

/** Runs and nodes have the run's id in their data, updates of assets an object. */
function toldCause(value: LogEvent["data"]["value"]): EventCause | undefined {
  if (value === undefined || value === null || typeof value !== "object" || Array.isArray(value))
    return undefined;
  const told = value as { readonly [name: string]: unknown };
  const of = typeof told["run"] === "string" ? { ...told, id: told["run"] } : told["run"];
  if (of === null || typeof of !== "object") return undefined;
  const { id, pipeline, node } = of as { readonly [name: string]: unknown };
  if (typeof id !== "string") return undefined;
  return {
    run: id,
    ...(typeof pipeline === "string" ? { pipeline } : {}),
    ...(typeof node === "string" ? { node } : {}),
  };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
