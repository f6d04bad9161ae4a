/** Takes back what runs hold of shared limits that are gone: it was leaked by a server that died between the two. */
import type { EngineParts } from "./engine-parts.ts";
import { reapMs } from "./limits.ts";
import { workspaceId } from "./workspace.ts";

export class GrantReaper {
  readonly #parts: EngineParts;
  readonly #isHere: (runId: string) => boolean;
  #reapedAt = 0;

  /** `isHere`: a run of this name is under way here, or on its way. */
  constructor(parts: EngineParts, isHere: (runId: string) => boolean) {
    this.#parts = parts;
    this.#isHere = isHere;
  }

  /** Now and then, however often it is called. */
  async reap(): Promise<void> {
    const { limits, store, clock } = this.#parts;
    if (clock.now() - this.#reapedAt < reapMs) return;
    this.#reapedAt = clock.now();
    const held = limits.holders().filter(({ runId }) => !this.#isHere(runId));
    if (held.length === 0) return;
    const ids = [...new Set(held.map(({ runId }) => runId))];
    const live = new Set(await store.liveRuns(workspaceId, ids));
    for (const { key, holder, runId } of held) if (!live.has(runId)) limits.release(key, holder);
  }
}
