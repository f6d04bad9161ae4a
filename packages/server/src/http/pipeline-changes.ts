/** What differs between two deployments of a pipeline, as its definition says it; where declarations stand in files does not count. */
import { describeCondition, type Json, type PipelineDefinition } from "@millrace/core";
import type { PipelineChanges, SourceFileChange, ValueChange } from "@millrace/protocol";
import type { SourceFiles } from "./bundle-sources.ts";
import { differenceCharactersMax, differencesMax } from "./limits.ts";

type Values = { readonly [name: string]: Json | undefined };

export function changesBetween(
  before: PipelineDefinition | undefined,
  after: PipelineDefinition,
): Omit<PipelineChanges, "from" | "to" | "files"> {
  const found = new Differences();
  const earlier = new Map((before?.nodes ?? []).map((node) => [node.id, node]));
  const later = new Map(after.nodes.map((node) => [node.id, node]));
  const changed = after.nodes.flatMap((node) => {
    const old = earlier.get(node.id);
    const changes = old ? found.between(plain(old), plain(node)) : [];
    return changes.length === 0 ? [] : [{ id: node.id, changes }];
  });
  const words = (of: PipelineDefinition | undefined): string | undefined =>
    of?.trigger && describeCondition(of.trigger.condition);
  const triggerChanges = found.between(plain(before?.trigger), plain(after.trigger));
  const [was, is] = [words(before), words(after)];
  return {
    nodes: {
      added: after.nodes.filter(({ id }) => !earlier.has(id)).map(({ id }) => id),
      removed: [...earlier.keys()].filter((id) => !later.has(id)),
      changed,
    },
    ...(triggerChanges.length === 0
      ? {}
      : {
          trigger: {
            ...(was === undefined ? {} : { before: was }),
            ...(is === undefined ? {} : { after: is }),
          },
        }),
    triggerChanges,
    params: found.between(plain(before?.params?.schema), plain(after.params?.schema)),
    options: found.between(optionsOf(before), optionsOf(after)),
    ...(found.isCut ? { isCut: true } : {}),
  };
}

function plain(value: unknown): Json | undefined {
  return value as Json | undefined;
}

function optionsOf(definition: PipelineDefinition | undefined): Json | undefined {
  if (!definition) return undefined;
  const { nodes: _nodes, trigger: _trigger, params, ...rest } = definition;
  const validate = params?.validateOnWorker;
  return {
    ...(rest as unknown as { [name: string]: Json }),
    ...(validate === true ? { validateOnWorker: true } : {}),
  };
}

/** Collects what differs, up to a bound over all. */
class Differences {
  isCut = false;
  #count = 0;

  between(before: Json | undefined, after: Json | undefined): ValueChange[] {
    const changes: ValueChange[] = [];
    this.#compare(before, after, "", changes);
    return changes;
  }

  #compare(before: Json | undefined, after: Json | undefined, path: string, changes: ValueChange[]): void {
    if (isSame(before, after)) return;
    if (isObject(before) && isObject(after)) {
      for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
        if (name === "source") continue;
        this.#compare(before[name], after[name], path === "" ? name : `${path}.${name}`, changes);
      }
      return;
    }
    if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
      before.forEach((one, at) => this.#compare(one as Json, after[at] as Json, `${path}[${at}]`, changes));
      return;
    }
    if (this.#count >= differencesMax) {
      this.isCut = true;
      return;
    }
    this.#count += 1;
    changes.push({
      path,
      ...(before === undefined ? {} : { before: shortened(before) }),
      ...(after === undefined ? {} : { after: shortened(after) }),
    });
  }
}

function isObject(value: Json | undefined): value is Values & { readonly [name: string]: Json } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function isSame(before: Json | undefined, after: Json | undefined): boolean {
  return before === after || JSON.stringify(before) === JSON.stringify(after);
}

function shortened(value: Json): Json {
  const text = JSON.stringify(value);
  return text.length <= differenceCharactersMax ? value : `${text.slice(0, differenceCharactersMax)}…`;
}

export function changedFiles(
  before: SourceFiles | undefined,
  after: SourceFiles | undefined,
): SourceFileChange[] {
  if (!before || !after) return [];
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((file): SourceFileChange[] => {
    const [was, is] = [before.get(file), after.get(file)];
    if (was === is) return [];
    return [{ file, change: was === undefined ? "added" : is === undefined ? "removed" : "changed" }];
  });
}
