/**
 * Holds the shared limits of this node's shards and carries messages to those of others.
 *
 * Every limit belongs to the shard of its name. A request from a run of this node is answered in the same turn when
 * the limit lives here, else through the inbox.
 */
import {
  createLimit,
  decideLimit,
  restoreGrant,
  restoreRequest,
  unreachable,
  type Limit,
  type LimitEffect,
  type LimitMessage,
  type LimitRequest,
} from "@millrace/core";
import {
  type FlushBatch,
  type GrantRow,
  type LimitKey,
  type LoadedShards,
  type RequestRow,
} from "@millrace/store";
import { shardOfName } from "./shard-of-name.ts";

export type LimitInboxMessage =
  | {
      readonly kind: "limit_request";
      readonly key: LimitKey;
      readonly request: LimitRequest;
      readonly limitSlots: number;
    }
  | { readonly kind: "limit_release"; readonly key: LimitKey; readonly holder: string }
  | {
      readonly kind: "limit_granted";
      readonly key: LimitKey;
      readonly holder: string;
      readonly runId: string;
    }
  | { readonly kind: "limit_slots"; readonly key: LimitKey; readonly slots: number };

export interface LimitHostOptions {
  readonly owns: (shard: number) => boolean;
  readonly batch: () => FlushBatch;
  /** Makes sure that what was put into the batch is committed. */
  readonly request: () => void;
  readonly send: (shard: number, message: LimitInboxMessage) => void;
  readonly onGranted: (key: LimitKey, holder: string, runId: string) => void;
}

interface HostedLimit {
  readonly key: LimitKey;
  readonly shard: number;
  readonly limit: Limit;
  setByOperator: boolean;
}

export class LimitHost {
  readonly #options: LimitHostOptions;
  readonly #limits = new Map<string, HostedLimit>();
  /** Rows that the batch under construction inserts: what goes again before the flush is taken out of it. */
  #fresh:
    | {
        readonly batch: FlushBatch;
        readonly grants: Map<string, GrantRow>;
        readonly requests: Map<string, RequestRow>;
      }
    | undefined;

  constructor(options: LimitHostOptions) {
    this.#options = options;
  }

  /** Takes over the limits of shards that were loaded. */
  restore(loaded: LoadedShards): void {
    for (const row of loaded.limits) {
      const hosted: HostedLimit = {
        key: { workspace: row.workspace, kind: row.kind, name: row.name },
        shard: row.shard,
        limit: createLimit(row.slots),
        setByOperator: row.setByOperator,
      };
      this.#limits.set(nameOf(row), hosted);
    }
    for (const row of loaded.grants) restoreGrant(this.#host(row, row.slots).limit, row.holder, row);
    for (const row of loaded.requests) restoreRequest(this.#host(row, row.limitSlots).limit, row);
    for (const hosted of this.#limits.values()) {
      if (loaded.limits.some((row) => nameOf(row) === nameOf(hosted.key)))
        this.#step(hosted, { kind: "set_slots", slots: hosted.limit.slots });
    }
  }

  /** Lets go of shards that went to another node. */
  drop(shards: ReadonlySet<number>): void {
    for (const [name, hosted] of this.#limits) if (shards.has(hosted.shard)) this.#limits.delete(name);
  }

  /** Asks for slots; `onGranted` follows, perhaps in this call. */
  ask(key: LimitKey, request: LimitRequest, limitSlots: number): void {
    const shard = limitShard(key);
    if (this.#options.owns(shard)) this.#request(key, request, limitSlots);
    else this.#options.send(shard, { kind: "limit_request", key, request, limitSlots });
  }

  /** Gives back, or withdraws. */
  release(key: LimitKey, holder: string): void {
    const shard = limitShard(key);
    if (this.#options.owns(shard)) this.#step(this.#host(key, 1), { kind: "release", holder });
    else this.#options.send(shard, { kind: "limit_release", key, holder });
  }

  /** An operator's number; it holds over deploys. */
  setSlots(key: LimitKey, slots: number): void {
    const shard = limitShard(key);
    if (!this.#options.owns(shard)) {
      this.#options.send(shard, { kind: "limit_slots", key, slots });
      return;
    }
    const hosted = this.#host(key, slots);
    hosted.setByOperator = true;
    this.#store(hosted, slots);
    this.#step(hosted, { kind: "set_slots", slots });
  }

  receive(message: LimitInboxMessage): void {
    switch (message.kind) {
      case "limit_request":
        return this.#request(message.key, message.request, message.limitSlots);
      case "limit_release":
        return this.#step(this.#host(message.key, 1), { kind: "release", holder: message.holder });
      case "limit_granted":
        return this.#options.onGranted(message.key, message.holder, message.runId);
      case "limit_slots":
        return this.setSlots(message.key, message.slots);
      default:
        return unreachable(message);
    }
  }

  usage(
    key: LimitKey,
  ): { readonly slots: number; readonly used: number; readonly waiting: number } | undefined {
    const hosted = this.#limits.get(nameOf(key));
    return (
      hosted && { slots: hosted.limit.slots, used: hosted.limit.used, waiting: hosted.limit.waiting.size }
    );
  }

  /** Who holds what. */
  holders(): { readonly key: LimitKey; readonly holder: string; readonly runId: string }[] {
    return [...this.#limits.values()].flatMap(({ key, limit }) =>
      Array.from(limit.granted, ([holder, { runId }]) => ({ key, holder, runId })),
    );
  }

  /** A definition's number counts until an operator sets one. */
  #request(key: LimitKey, request: LimitRequest, limitSlots: number): void {
    const hosted = this.#host(key, limitSlots);
    if (!hosted.setByOperator && hosted.limit.slots !== limitSlots) {
      this.#store(hosted, limitSlots);
      this.#step(hosted, { kind: "set_slots", slots: limitSlots });
    }
    this.#step(hosted, { kind: "request", request });
  }

  #host(key: LimitKey, slots: number): HostedLimit {
    const name = nameOf(key);
    let hosted = this.#limits.get(name);
    if (!hosted) {
      const { workspace, kind, name: limitName } = key;
      hosted = {
        key: { workspace, kind, name: limitName },
        shard: limitShard(key),
        limit: createLimit(slots),
        setByOperator: false,
      };
      this.#limits.set(name, hosted);
    }
    return hosted;
  }

  #store(hosted: HostedLimit, slots: number): void {
    const { limits } = this.#options.batch();
    const before = limits.findIndex((row) => nameOf(row) === nameOf(hosted.key));
    if (before >= 0) limits.splice(before, 1);
    limits.push({ ...hosted.key, shard: hosted.shard, slots, setByOperator: hosted.setByOperator });
    this.#options.request();
  }

  #step(hosted: HostedLimit, message: LimitMessage): void {
    for (const effect of decideLimit(hosted.limit, message)) this.#apply(hosted, effect);
    const { limit, key } = hosted;
    if (key.kind === "key" && limit.used === 0 && limit.waiting.size === 0) this.#limits.delete(nameOf(key));
  }

  #apply(hosted: HostedLimit, effect: LimitEffect): void {
    const { key, shard } = hosted;
    const batch = this.#options.batch();
    switch (effect.kind) {
      case "granted": {
        const { holder, runId, slots } = effect.request;
        const row = { ...key, holder, shard, runId, slots };
        batch.grants.push(row);
        this.#freshRows(batch).grants.set(`${nameOf(key)}/${holder}`, row);
        this.#answer(key, effect.request);
        break;
      }
      case "granted_before":
        this.#answer(key, effect.request);
        break;
      case "grant_gone":
        if (!takeOut(this.#freshRows(batch).grants, batch.grants, `${nameOf(key)}/${effect.holder}`)) {
          batch.grantsGone.push({ ...key, holder: effect.holder });
        }
        break;
      case "waiting": {
        const row = { ...key, shard, limitSlots: hosted.limit.slots, ...effect.request };
        batch.requests.push(row);
        this.#freshRows(batch).requests.set(`${nameOf(key)}/${effect.request.holder}`, row);
        break;
      }
      case "request_gone":
        if (!takeOut(this.#freshRows(batch).requests, batch.requests, `${nameOf(key)}/${effect.holder}`)) {
          batch.requestsGone.push({ ...key, holder: effect.holder });
        }
        break;
      default:
        unreachable(effect);
    }
    this.#options.request();
  }

  #freshRows(batch: FlushBatch): {
    readonly grants: Map<string, GrantRow>;
    readonly requests: Map<string, RequestRow>;
  } {
    if (this.#fresh?.batch !== batch) this.#fresh = { batch, grants: new Map(), requests: new Map() };
    return this.#fresh;
  }

  #answer(key: LimitKey, request: LimitRequest): void {
    const { holder, runId, replyShard } = request;
    if (this.#options.owns(replyShard)) this.#options.onGranted(key, holder, runId);
    else this.#options.send(replyShard, { kind: "limit_granted", key, holder, runId });
  }
}

/** Removes a row that the batch would have inserted; false when it was committed before. */
function takeOut<Row>(fresh: Map<string, Row>, rows: Row[], name: string): boolean {
  const row = fresh.get(name);
  if (!row) return false;
  fresh.delete(name);
  rows.splice(rows.lastIndexOf(row), 1);
  return true;
}

function nameOf(key: LimitKey): string {
  return `${key.workspace}/${key.kind}/${key.name}`;
}

export function limitShard(key: LimitKey): number {
  return shardOfName(nameOf(key));
}
