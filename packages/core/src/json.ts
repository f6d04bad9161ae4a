import { jsonDepthMax } from "./limits.ts";

/** A value that JSON can carry. Everything that crosses a process or a row is one. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One step into a JSON value: an object's key or an array's index. */
export type PathStep = string | number;
export type Path = readonly PathStep[];

/** Reads `path` inside `value`; a step that is not there gives `undefined`. Own properties only. */
export function valueAt(value: Json, path: Path): Json | undefined {
  let current: Json | undefined = value;
  for (const step of path) {
    if (current === null || typeof current !== "object") return undefined;
    if (!Object.hasOwn(current, step)) return undefined;
    current = (current as Record<PathStep, Json>)[step];
  }
  return current;
}

/** Writes a path as people read it: `$.rows[3].name`. */
export function formatPath(path: Path): string {
  let text = "$";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(step)) text += `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** What people call it: `a[0]` of `$.a[0]`. */
export function memberName(path: string): string {
  return path.replace(/^\$\.?/, "");
}

/** Steps shown of a path that is too long. */
const pathShownMax = 10;
export const tooDeep = `a value nested more than ${jsonDepthMax} deep`;

export interface JsonFault {
  readonly path: Path;
  readonly found: string;
}

/** Finds the first place in `value` that JSON can't carry, or `undefined` when all of it can. */
export function findJsonFault(value: unknown, path: Path = [], seen: unknown[] = []): JsonFault | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : { path, found: String(value) };
    case "object":
      break;
    default:
      return { path, found: value === undefined ? "undefined" : `a ${typeof value}` };
  }
  if (value === null) return undefined;
  if (seen.length >= jsonDepthMax) return { path: path.slice(0, pathShownMax), found: tooDeep };
  if (seen.includes(value)) return { path, found: "a value that contains itself" };
  if (Array.isArray(value)) {
    const inner = [...seen, value];
    for (let index = 0; index < value.length; index += 1) {
      const fault = findJsonFault(value[index], [...path, index], inner);
      if (fault) return fault;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return { path, found: className(prototype) };
  }
  const inner = [...seen, value];
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const fault = findJsonFault(member, [...path, key], inner);
    if (fault) return fault;
  }
  return undefined;
}

/** Whether no list or object in `value` stands below more than `depthMax` others. */
export function isNestedWithin(value: Json, depthMax: number): boolean {
  if (value === null || typeof value !== "object") return true;
  if (depthMax === 0) return false;
  for (const inner of Object.values(value)) if (!isNestedWithin(inner, depthMax - 1)) return false;
  return true;
}

function className(prototype: unknown): string {
  const constructor = (prototype as { constructor?: { name?: string } }).constructor;
  const name = constructor?.name;
  return `an instance of ${name === undefined || name === "" ? "a class without a name" : name}`;
}
