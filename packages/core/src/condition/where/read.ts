/** Reads what a path leads to in an event. Own members only: an event can't reach a prototype. */
import { unreachable } from "../../assert.ts";
import type { Json } from "../../json.ts";
import type { WhereEvent, WherePath, WhereRoot } from "./where.ts";

export type ReadPath = (event: WhereEvent) => Json | undefined;

export function compilePath(path: WherePath): ReadPath {
  const root = path[0] as WhereRoot;
  const steps = path.slice(1);
  switch (root) {
    case "source":
      return (event) => event.source;
    case "id":
      return (event) => event.id;
    case "type":
      return (event) => event.type;
    case "subject":
      return (event) => event.subject;
    case "time":
      return (event) => event.time;
    case "data":
      return (event) => readSteps(event.data, steps);
    case "attributes":
      return (event) => readSteps(event.attributes, steps);
    default:
      return unreachable(root);
  }
}

function readSteps(value: Json | undefined, steps: readonly string[]): Json | undefined {
  let current = value;
  for (const step of steps) {
    if (current === null || typeof current !== "object") return undefined;
    if (Array.isArray(current) && !isIndex(step)) return undefined;
    if (!Object.hasOwn(current, step)) return undefined;
    current = (current as { readonly [step: string]: Json })[step];
  }
  return current;
}

/** A list has the own member `length`, which is not data. */
function isIndex(step: string): boolean {
  return /^(?:0|[1-9]\d{0,9})$/.test(step);
}
