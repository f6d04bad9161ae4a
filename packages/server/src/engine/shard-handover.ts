/** What a node does when shards become its own, and when it gives them up: in which order its modules take and drop them. */
import type { QueuedRun } from "@millrace/store";
import type { EngineParts } from "./engine-parts.ts";
import { logShard } from "./event-log.ts";
import type { Inbox } from "./inbox.ts";
import { queuedPageMax } from "./limits.ts";
import type { RunEntrance } from "./run-entrance.ts";
import type { SourceHost } from "./source/source-host.ts";
import type { Outbox } from "./trigger/outbox.ts";
import type { TriggerHost } from "./trigger/trigger-host.ts";
import type { Wakes } from "./wakes.ts";
import type { WorkerHub } from "./worker-hub.ts";

export interface ShardHandoverOptions {
  readonly parts: EngineParts;
  readonly entrance: RunEntrance;
  readonly inbox: Inbox;
  readonly wakes: Wakes;
  readonly triggers: TriggerHost;
  readonly sources: SourceHost;
  readonly outbox: Outbox;
  readonly hub: WorkerHub;
}

export class ShardHandover {
  readonly #options: ShardHandoverOptions;

  constructor(options: ShardHandoverOptions) {
    this.#options = options;
  }

  /** Reads what stands in shards that were claimed; what it gives puts all of it under way, in one turn. */
  async load(shards: readonly number[]): Promise<() => void> {
    const { parts, entrance, inbox, wakes, triggers, sources, outbox } = this.#options;
    const { store } = parts;
    const loaded = await store.loadShards(parts.nodeId(), shards);
    const loadedTriggers = await triggers.load(shards);
    const waits = await parts.waits.load(shards);
    const probes = await parts.probes.load(shards);
    const queued = await this.#queuedRuns(shards);
    const taskRunsOf = Map.groupBy(loaded.taskRuns, (row) => row.runId);
    const waitsOf = Map.groupBy(loaded.waits, (row) => row.runId);
    const runs = loaded.runs.map((run) => ({
      run,
      taskRuns: taskRunsOf.get(run.id) ?? [],
      waits: waitsOf.get(run.id) ?? [],
    }));
    return () => {
      parts.limits.restore(loaded);
      // Before the runs: their waits begin there.
      waits.enter();
      probes.enter();
      entrance.takeOver(runs, queued);
      inbox.read();
      wakes.read();
      loadedTriggers.enter();
      if (shards.includes(logShard)) parts.events.hear();
      // Also what their earlier owner did not live to tell.
      outbox.drainLater();
      void sources.refresh();
    };
  }

  async #queuedRuns(shards: readonly number[]): Promise<QueuedRun[]> {
    const { store } = this.#options.parts;
    const queued: QueuedRun[] = [];
    for (let page = await store.loadQueuedRuns(shards, "", queuedPageMax); page.length > 0;) {
      queued.push(...page);
      page =
        page.length < queuedPageMax ? [] : await store.loadQueuedRuns(shards, page.at(-1)!.id, queuedPageMax);
    }
    return queued;
  }

  /** Commits what was decided in them; afterwards they may be another node's. */
  async release(shards: readonly number[]): Promise<void> {
    const { parts, entrance, inbox, triggers, sources, hub } = this.#options;
    const gone = new Set(shards);
    // At once: what fires from now on would find no shard of this node for its run.
    triggers.drop(gone);
    parts.waits.drop(gone);
    await sources.drop(gone);
    await inbox.idle();
    // No message can want a thing here any more.
    parts.probes.drop(gone);
    const dropped = parts.runs.drop(gone);
    if (gone.has(logShard)) parts.events.onRelease();
    entrance.admission.drop(gone);
    hub.forget(dropped);
    await parts.commit.drained();
    parts.limits.drop(gone);
  }
}
