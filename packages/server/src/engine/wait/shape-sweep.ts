/**
 * Forgets shapes that no wait has any more, in this evaluator's memory and in its shards' rows: events of their types are looked up
 * no more, and ends of runs that nobody else asks for leave the log.
 *
 * J9: no wait of a shard is without a row of its shape there, and in the memory of who tells it. A shard's owner alone registers its
 *     waits and writes its rows of shapes, in flushes which a take-over refuses. It asks for waits with a shape when all that it
 *     has placed is committed, and forgets the shape in the turn of the answer, unless it has placed a further one since: what it
 *     places later has a row of its shape behind that, in the same flush or a later one. Other shards' rows stay.
 */
import type { Alarm } from "../clock.ts";
import type { EngineParts } from "../engine-parts.ts";
import { shapeSweepMs, shapeSweepMsMin, shapesSweptMax } from "../limits.ts";
import { workspaceId } from "../workspace.ts";
import { rangeOf, type KnownShape, type WaitShapes } from "./wait-shapes.ts";

export interface ShapeSweepOptions {
  readonly parts: Pick<EngineParts, "alarms" | "clock" | "commit" | "log" | "store">;
  readonly shapes: WaitShapes;
  readonly isOurs: (shard: number) => boolean;
  /** In which time all of them are looked at. */
  readonly everyMs?: number | undefined;
}

/** The row of old waits' shapes is of no shard. */
const shardOfOld = -1;

export class ShapeSweep {
  readonly #options: ShapeSweepOptions;
  #alarm: Alarm | undefined;
  #stopped = false;

  constructor(options: ShapeSweepOptions) {
    this.#options = options;
  }

  start(): void {
    const { parts, shapes, everyMs = shapeSweepMs } = this.#options;
    const pages = Math.ceil(shapes.size / shapesSweptMax);
    const delayMs = Math.max(everyMs / Math.max(1, pages), Math.min(everyMs, shapeSweepMsMin));
    this.#alarm = parts.alarms.set(parts.clock.now() + delayMs, () => void this.#goOn());
  }

  stop(): void {
    this.#stopped = true;
    this.#alarm?.cancel();
  }

  async #goOn(): Promise<void> {
    try {
      await this.#sweep();
    } catch (error) {
      if (!this.#stopped)
        this.#options.parts.log.warn({ err: error }, "shapes of waits could not be looked at; trying again");
    }
    if (!this.#stopped) this.start();
  }

  /** Some of them. */
  async #sweep(): Promise<void> {
    const { parts, shapes } = this.#options;
    const page = shapes.nextToLookAt(shapesSweptMax);
    await this.#forgetOld(page.filter(({ isOld }) => isOld));
    const asked = page.filter(({ isUsed, isOld }) => !isUsed && !isOld);
    for (const known of page) known.isUsed = false;
    if (asked.length === 0) return;
    await parts.commit.drained();
    const unused = await parts.store.unusedKeyRanges(asked.map(rangeOf));
    if (this.#stopped) return;
    for (const at of unused) this.#forget(asked[at]!);
  }

  #forget(known: KnownShape): void {
    const { shapes, isOurs } = this.#options;
    if (known.isUsed) return;
    shapes.forget(known);
    const shards = known.shards.filter(isOurs);
    if (shards.length > 0) this.#removeRows(known, shards);
  }

  /** No wait begins with old keys: once the last one has ended, none is looked up by them. */
  async #forgetOld(old: readonly KnownShape[]): Promise<void> {
    if (old.length === 0 || (await this.#options.parts.store.hasOldWaits(workspaceId)) || this.#stopped)
      return;
    for (const known of old) {
      known.isOld = false;
      this.#removeRows(known, [shardOfOld]);
    }
  }

  #removeRows({ shape }: KnownShape, shards: readonly number[]): void {
    const { commit } = this.#options.parts;
    commit.batch.waitShapesGone.push({ ...shape, shards });
    commit.request();
  }
}
