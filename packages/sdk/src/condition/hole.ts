/**
 * References within conditions: a wait in a graph may ask for a value that only its run knows. The condition holds a text in
 * its place, which becomes part of the node's input.
 */
import type { Json } from "@millrace/core";
import type { ReferenceBase } from "../reference.ts";

const prefix = "\u0001millrace reference ";
/** Bodies run once, when a project is loaded: there are never many. */
const references: ReferenceBase<unknown>[] = [];

/** The text that stands for a reference. */
export function holeFor(reference: ReferenceBase<unknown>): string {
  references.push(reference);
  return `${prefix}${references.length - 1}`;
}

export function hasHoles(json: Json): boolean {
  return JSON.stringify(json).includes(JSON.stringify(prefix).slice(1, -1));
}

/** The condition's JSON with references where their texts stood. */
export function fillHoles(json: Json): unknown {
  if (typeof json === "string") {
    return json.startsWith(prefix) ? references[Number(json.slice(prefix.length))] : json;
  }
  if (json === null || typeof json !== "object") return json;
  if (Array.isArray(json)) return json.map((item) => fillHoles(item as Json));
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, fillHoles(value)]));
}
