/** Numbers of JSON that JavaScript does not hold. */
import type { Json } from "./json.ts";

/** A number that may be beyond what JavaScript holds: most bodies have none that looks so. */
const suspicious = /\d{309}|\d\.?\d*[eE]\+?\d{3}/;

/**
 * Whether JSON's text has a number that is read as infinite, such as 1e400. It would be written as null: another value than the one
 * that was sent. `value`: what was read of it, nested within bounds.
 */
export function hasInfiniteNumber(text: string, value: Json): boolean {
  return suspicious.test(text) && hasInfinity(value);
}

function hasInfinity(value: Json): boolean {
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === "number" && !Number.isFinite(next)) return true;
    // One by one: a list may have more members than a call takes arguments.
    if (next !== null && typeof next === "object") for (const inner of Object.values(next)) open.push(inner);
  }
  return false;
}
