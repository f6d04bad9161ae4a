/**
 * The library tells types by `value.constructor`, so an object with a member of that name (in motor racing, a team) is
 * no map to it: each use of it is an error, and with `?` it looks empty. A `Map` has no such trouble.
 *
 * Few events have such members, so the search is made only where an evaluation failed or an optional was read.
 */
type Variables = { readonly [name: string]: unknown };

/** The same variables when there is nothing to change. */
export function withReadableObjects(variables: Variables): Variables {
  let changed = false;
  const entries = Object.entries(variables).map(([name, value]) => {
    const readable = readableOf(value, 0);
    changed ||= readable !== value;
    return [name, readable] as const;
  });
  return changed ? Object.fromEntries(entries) : variables;
}

/** Below that, CEL's own bound on nesting lets no expression look. */
const depthMax = 200;

function readableOf(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== "object" || value instanceof Date || depth > depthMax) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => readableOf(item, depth + 1));
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  const entries = Object.entries(value).map(([key, member]) => [key, readableOf(member, depth + 1)] as const);
  if (Object.hasOwn(value, "constructor")) return new Map(entries);
  const isSame = entries.every(([key, member]) => member === (value as Variables)[key]);
  return isSame ? value : Object.fromEntries(entries);
}
