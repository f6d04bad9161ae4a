/**
 * This node among the others: its lease, the shards it holds, taking over those of the dead.
 *
 * N1: a node steps entities of a shard only between its claim and its release or the loss of its lease.
 * N2: a dead node's row is fenced before its shards are free, so that none of its flushes can land later.
 * N4: what a claim or a release did whose answer was lost is asked for before the next one.
 * N3: a node that could not renew for `nodeGiveUpMs` of its own clock stops by itself, before others may take over.
 */
import { shardCount, type EngineStore } from "@millrace/store";
import type { Alarm, Clock, DatabaseClock } from "./clock.ts";
import type { EngineLog } from "./engine-options.ts";
import { nodeGiveUpMs, nodeLeaseMs, nodeMarginMs, nodeRenewMs, outageMsMin } from "./limits.ts";

export interface MembershipOptions {
  readonly store: EngineStore;
  readonly clock: Clock;
  readonly database: DatabaseClock;
  readonly log: EngineLog;
  readonly node: { readonly name: string; readonly url: string | undefined; readonly version: string };
  /** Loads what stands in them; what it gives back puts that under way, in the turn in which they become ours. */
  readonly onClaimed: (shards: readonly number[]) => Promise<() => void>;
  /** Must stop stepping these shards and have everything committed before it resolves. */
  readonly onRelease: (shards: readonly number[]) => Promise<void>;
  readonly onLost: () => void;
  /** The database's clock is ahead of ours by more than clocks drift: `from` is what ours showed. */
  readonly onLeap: (from: number) => void;
  /** Called with each renewal: work that is due now and then. */
  readonly onTick: () => void;
}

export class Membership {
  readonly #options: MembershipOptions;
  readonly shards = new Set<number>();
  #nodeId = 0;
  #renewedAt = 0;
  #alarm: Alarm | undefined;
  #ticking: Promise<void> | undefined;
  #list: readonly number[] | undefined;
  #ended = false;
  /** Whether `shards` may differ from what the database has. */
  #isUnsure = false;
  #liveNodes = 1;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  get nodeId(): number {
    return this.#nodeId;
  }

  get liveNodes(): number {
    return this.#liveNodes;
  }

  list(): readonly number[] {
    return (this.#list ??= [...this.shards]);
  }

  owns(shard: number): boolean {
    return this.shards.has(shard);
  }

  /** Registers; shards come with `join`. */
  async register(): Promise<void> {
    const { store, clock, database, node } = this.#options;
    const before = clock.monotonic();
    const { nodeId, now } = await store.registerNode({ ...node, leaseMs: nodeLeaseMs });
    database.adjust(now, before, clock.monotonic());
    this.#nodeId = nodeId;
    this.#renewedAt = before;
  }

  /** Takes what is free and begins to renew. */
  async join(): Promise<void> {
    await this.#balance();
    this.#schedule();
  }

  /** Hands all shards over and leaves. */
  async leave(): Promise<void> {
    this.#ended = true;
    this.#alarm?.cancel();
    await this.#ticking;
    const shards = [...this.shards];
    this.shards.clear();
    this.#list = undefined;
    await this.#options.onRelease(shards);
    await this.#options.store.leave(this.#nodeId);
    if (shards.length > 0) await this.#options.store.wake(shards);
  }

  /** Stops without telling anybody: the lease is lost. */
  abandon(): void {
    this.#ended = true;
    this.#alarm?.cancel();
    this.shards.clear();
    this.#list = undefined;
  }

  /** Looks at once instead of at the next renewal (shards may have become free). */
  hurry(): void {
    if (this.#ended || this.#ticking) return;
    this.#alarm?.cancel();
    this.#tick();
  }

  #schedule(): void {
    if (!this.#ended) this.#alarm = this.#options.clock.after(nodeRenewMs, () => this.#tick());
  }

  #tick(): void {
    if (this.#ticking) return;
    this.#ticking = this.#renew()
      .catch((error: unknown) => {
        this.#options.log.warn({ err: error }, "the lease could not be renewed");
        if (this.#options.clock.monotonic() - this.#renewedAt > nodeGiveUpMs) this.#lose();
      })
      .finally(() => {
        this.#ticking = undefined;
        this.#schedule();
      });
  }

  async #renew(): Promise<void> {
    const { store, clock, database } = this.#options;
    const before = clock.monotonic();
    const renewal = await store.renewLease(this.#nodeId, nodeLeaseMs);
    const expected = database.now();
    database.adjust(renewal.now, before, clock.monotonic());
    if (!renewal.alive) {
      this.#lose();
      return;
    }
    if (database.now() - expected >= outageMsMin) this.#options.onLeap(expected);
    this.#renewedAt = before;
    this.#liveNodes = Math.max(1, renewal.liveNodes);
    this.#options.onTick();
    if (this.shards.size < shardCount || this.#liveNodes > 1) await this.#balance();
  }

  #lose(): void {
    if (this.#ended) return;
    this.abandon();
    this.#options.onLost();
  }

  /** Frees what dead nodes held, takes a fair share of what is free, gives up what is beyond it. */
  async #balance(): Promise<void> {
    const { store, log } = this.#options;
    if (this.#isUnsure) await this.#learnShards();
    const { fenced, freeShards } = await store.fenceExpired(nodeMarginMs);
    if (fenced.length > 0)
      log.warn({ nodes: fenced }, "a server that ran before did not stop in order; its work is taken over");
    const share = Math.ceil(shardCount / this.#liveNodes);
    if (this.#ended) return;
    this.#isUnsure = true;
    if (freeShards > 0 && this.shards.size < share) {
      await this.#take(await store.claimShards(this.#nodeId, share - this.shards.size));
    } else if (this.shards.size > share) {
      await this.#giveUp([...this.shards].slice(share));
    }
    this.#isUnsure = false;
  }

  /** Shards that are ours in the database and not here: a claim's answer was lost, or their loading failed (N4). */
  async #learnShards(): Promise<void> {
    const owned = await this.#options.store.ownedShards(this.#nodeId);
    await this.#take(owned.filter((shard) => !this.shards.has(shard)));
  }

  async #take(claimed: readonly number[]): Promise<void> {
    if (claimed.length === 0) return;
    const take = await this.#options.onClaimed(claimed);
    if (this.#ended) return;
    for (const shard of claimed) this.shards.add(shard);
    this.#list = undefined;
    take();
  }

  /** They are not ours from now on (N1), and free once all that was decided in them is committed. */
  async #giveUp(shards: readonly number[]): Promise<void> {
    const { store, onRelease } = this.#options;
    for (const shard of shards) this.shards.delete(shard);
    this.#list = undefined;
    await onRelease(shards);
    await store.releaseShards(this.#nodeId, shards);
    await store.wake(shards);
  }
}
