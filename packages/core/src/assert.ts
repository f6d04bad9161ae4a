/** Stops on a bug of ours. On in production: a wrong state must not be committed. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}

/** Closes a `switch` over a union: the compiler proves that every kind was handled. */
export function unreachable(value: never): never {
  throw new Error(`invariant broken: unhandled ${JSON.stringify(value)}`);
}
