/** What a deliberate fault is, and how it is put in. */
import type { EngineStore, FlushBatch } from "@millrace/store";
import type { Part } from "./parts.ts";

export interface Mutant {
  readonly name: string;
  /** What it breaks. */
  readonly breaks: string;
  /** What a simulation must have to see it; absent: what each has. */
  readonly parts?: readonly Part[];
  /** Puts the fault in; gives what takes it out. */
  apply(): () => void;
  readonly wrapStore?: (store: EngineStore, database: MutableDatabase) => EngineStore;
}

/** As much of the memory's database as a faulty store needs. */
export interface MutableDatabase {
  readonly tables: { readonly nodes: Map<number, { fenced: boolean; lastFlush: number }> };
}

// A prototype's methods differ in everything but being functions.
export type Method = (this: unknown, ...values: never[]) => unknown;

/** Replaces a method of a class for the time of one simulation. */
export function patch(
  owner: { readonly prototype: object },
  name: string,
  make: (original: Method) => Method,
): () => void {
  const prototype = owner.prototype as Record<string, Method>;
  const original = prototype[name];
  if (typeof original !== "function") throw new Error(`there is no method ${name} to replace`);
  prototype[name] = make(original);
  return () => {
    prototype[name] = original;
  };
}

export const nothing = (): (() => void) => () => undefined;

export function withBatch(store: EngineStore, change: (batch: FlushBatch) => FlushBatch): EngineStore {
  return { ...store, flush: (nodeId, number, batch) => store.flush(nodeId, number, change(batch)) };
}
