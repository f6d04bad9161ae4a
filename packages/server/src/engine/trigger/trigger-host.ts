/** The triggers of this node: an evaluator for each claim of shards. */
import { logResumed, ownSource } from "@millrace/core";
import type { TriggerBounds } from "../engine-options.ts";
import type { EngineParts } from "../engine-parts.ts";
import { logShard, ownEvent } from "../event-log.ts";
import { dueHorizonMs, dueKeysMax, nodeLeaseMs, outageMsMin, settleMs, triggerKeysMax } from "../limits.ts";
import { workspaceId } from "../workspace.ts";
import { TriggerEvaluator } from "./evaluator.ts";
import type { FiringDesk } from "./firing-desk.ts";

export class TriggerHost {
  readonly #parts: EngineParts;
  readonly #desk: FiringDesk;
  readonly #bounds: TriggerBounds;
  readonly #evaluators = new Set<TriggerEvaluator>();

  constructor(parts: EngineParts, desk: FiringDesk, bounds: TriggerBounds | undefined) {
    this.#parts = parts;
    this.#desk = desk;
    this.#bounds = bounds ?? { keysMax: triggerKeysMax, dueHorizonMs, dueKeysMax };
  }

  /** Reads what shards that are being claimed have; `enter` begins to evaluate them. */
  async load(shards: readonly number[]): Promise<{ readonly enter: () => void }> {
    const { store, nodeId } = this.#parts;
    const loaded = await store.loadTriggers(shards);
    const ownsLog = shards.includes(logShard);
    const outage = ownsLog ? await store.lastOutage(nodeId()) : undefined;
    const { clock } = await store.logHead(workspaceId);
    return {
      enter: () => {
        // Before anything advances the log's clock.
        if (outage && clock < outage.to) this.#tellOutage(outage.from - nodeLeaseMs, clock);
        const evaluator = new TriggerEvaluator({
          parts: this.#parts,
          desk: this.#desk,
          bounds: this.#bounds,
          shards,
          loaded,
        });
        this.#evaluators.add(evaluator);
        evaluator.start();
      },
    };
  }

  /**
   * The database's clock went on from `from` while ours stood: the machine slept, or a clock was set. Nobody was up meanwhile, so
   * it is an outage. Said by the log's owner in the turn in which its clock leaps, before an alarm can ring by the new time.
   */
  leapt(from: number): void {
    this.#tellOutage(from, from);
  }

  /**
   * When no server has been up, the log says so, once (C3: what fires then is the same for everybody). `from`: when the last
   * server before was surely up. `logClock`: up to there time was told while servers were up.
   */
  #tellOutage(from: number, logClock: number): void {
    const { clock, events } = this.#parts;
    const to = clock.now();
    if (to - from < outageMsMin) return;
    const value = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), clock: logClock };
    const id = `outage/${value.from}`;
    events.emit([ownEvent({ source: ownSource, id, type: logResumed, subject: undefined, data: { value } })]);
  }

  drop(shards: ReadonlySet<number>): void {
    for (const evaluator of this.#evaluators) {
      evaluator.drop(shards);
      if (evaluator.shards.size === 0) this.#evaluators.delete(evaluator);
    }
  }

  /** The position up to which all triggers of this node were told the log; none where it has no shards. */
  get toldTo(): number | undefined {
    const positions = [...this.#evaluators].map(({ toldTo }) => toldTo);
    return positions.length === 0 ? undefined : Math.min(...positions);
  }

  stop(): void {
    this.#desk.stop();
    for (const evaluator of this.#evaluators) evaluator.stop();
    this.#evaluators.clear();
  }

  /**
   * Resolves once the trigger of this shard was told everything up to a position and that is committed, as far as this node
   * has it; false where it has not, or not in time.
   */
  async settled(shard: number, position: number): Promise<boolean> {
    const evaluator = [...this.#evaluators].find(({ shards }) => shards.has(shard));
    if (!evaluator) return false;
    const { alarms, clock } = this.#parts;
    return new Promise((resolve) => {
      const alarm = alarms.set(clock.now() + settleMs, () => resolve(false));
      void evaluator.settled(position).then(() => {
        alarm.cancel();
        resolve(evaluator.shards.has(shard));
      });
    });
  }
}
