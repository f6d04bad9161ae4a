/**
 * Which triggers an event may concern: by its type, and by an equality of the filter where it has one. What it gives is
 * checked by the whole filter afterwards.
 */
import type { EventUse } from "../condition/compile.ts";
import type { ConditionEvent } from "../condition/condition-event.ts";
import { whereKey } from "../condition/where/key-hash.ts";
import { compilePath } from "../condition/where/read.ts";
import type { HeldTrigger } from "./held-trigger.ts";

export interface Candidate<Trigger> {
  readonly trigger: Trigger;
  readonly use: EventUse;
}

interface ByPath<Trigger> {
  readonly read: (event: ConditionEvent) => unknown;
  readonly path: readonly string[];
  readonly byKey: Map<string, Candidate<Trigger>[]>;
}

/** Uses of one type. */
interface OfType<Trigger> {
  /** By the path of the equality that they are filed under. */
  readonly paths: Map<string, ByPath<Trigger>>;
  readonly others: Candidate<Trigger>[];
}

export class TriggerIndex<Trigger extends Pick<HeldTrigger, "program">> {
  readonly #types = new Map<string, OfType<Trigger>>();
  readonly #prefixes: Candidate<Trigger>[] = [];

  add(trigger: Trigger): void {
    for (const use of trigger.program?.events ?? []) {
      const candidate = { trigger, use };
      if (use.isPrefix) this.#prefixes.push(candidate);
      else file(this.#ofType(use.type), candidate);
    }
  }

  remove(trigger: Trigger): void {
    const isOther = (candidate: Candidate<Trigger>): boolean => candidate.trigger !== trigger;
    keep(this.#prefixes, isOther);
    for (const use of trigger.program?.events ?? []) {
      const found = this.#types.get(use.type);
      if (!found) continue;
      keep(found.others, isOther);
      for (const [path, { byKey }] of found.paths) {
        for (const [key, candidates] of byKey) {
          keep(candidates, isOther);
          if (candidates.length === 0) byKey.delete(key);
        }
        if (byKey.size === 0) found.paths.delete(path);
      }
      if (found.others.length === 0 && found.paths.size === 0) this.#types.delete(use.type);
    }
  }

  /** Those whose filter the event fits. */
  *matching(event: ConditionEvent): Iterable<Candidate<Trigger>> {
    for (const candidate of this.#prefixes) if (candidate.use.matches(event)) yield candidate;
    const found = this.#types.get(event.type);
    if (!found) return;
    for (const candidate of found.others) if (candidate.use.matches(event)) yield candidate;
    for (const { read, path, byKey } of found.paths.values()) {
      const value = read(event);
      if (value === undefined || (value !== null && typeof value === "object")) continue;
      const candidates = byKey.get(whereKey(path, value as string));
      for (const candidate of candidates ?? []) if (candidate.use.matches(event)) yield candidate;
    }
  }

  /** Whether any trigger asks for events of this type. */
  wants(type: string): boolean {
    return this.#types.has(type) || this.#prefixes.some(({ use }) => type.startsWith(use.type));
  }

  #ofType(type: string): OfType<Trigger> {
    const known = this.#types.get(type);
    if (known) return known;
    const made: OfType<Trigger> = { paths: new Map(), others: [] };
    this.#types.set(type, made);
    return made;
  }
}

function file<Trigger>(ofType: OfType<Trigger>, candidate: Candidate<Trigger>): void {
  const [equality] = candidate.use.where?.equalities ?? [];
  if (!equality) {
    ofType.others.push(candidate);
    return;
  }
  const { path, value } = equality;
  const name = JSON.stringify(path);
  const known = ofType.paths.get(name) ?? {
    read: compilePath(path),
    path,
    byKey: new Map<string, Candidate<Trigger>[]>(),
  };
  ofType.paths.set(name, known);
  const key = whereKey(path, value);
  const candidates = known.byKey.get(key);
  if (candidates) candidates.push(candidate);
  else known.byKey.set(key, [candidate]);
}

function keep<Trigger>(
  candidates: Candidate<Trigger>[],
  isKept: (candidate: Candidate<Trigger>) => boolean,
): void {
  let at = 0;
  for (const candidate of candidates) if (isKept(candidate)) candidates[at++] = candidate;
  candidates.length = at;
}
