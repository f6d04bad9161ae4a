/** Outputs that later runs of a testbed may reuse: by project, task, version and input. */
import { canonicalJson, type Json, type StoredValue, type TaskRun } from "@millrace/core";
import type { VirtualTime } from "./virtual-time.ts";

export class OutputCache {
  readonly #time: VirtualTime;
  readonly #outputs = new Map<string, { readonly output: StoredValue; readonly expiresAt: number }>();

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  keyOf(project: string, { node }: TaskRun, input: Json): string {
    const { options, name } = node.definition;
    return canonicalJson([project, name, options.cache?.version ?? "", input]);
  }

  find(key: string): StoredValue | undefined {
    const found = this.#outputs.get(key);
    return found && found.expiresAt > this.#time.now() ? found.output : undefined;
  }

  /** Keeps the output of a task run that succeeded. */
  note(key: string, { node, state, output }: TaskRun): void {
    const { cache } = node.definition.options;
    if (state !== "succeeded" || !output) return;
    const expiresAt =
      cache?.expiryMs === undefined ? Number.POSITIVE_INFINITY : this.#time.now() + cache.expiryMs;
    this.#outputs.set(key, { output, expiresAt });
  }
}
