/**
 * The things of this node's shards that probes look at: when they are looked at, and by whom what was found is learned.
 *
 * P1: a thing is looked at while a wait's row has its key, or a deployed trigger listens to it; that is asked before each look. A
 *     wait's row and the word that wants the thing are of one flush, so no wait is left without looks.
 * P2: one look at a thing is under way at most, however many wait for it.
 * P3: a change is told in the flush that remembers it.
 * P4: what was there when a wait began is told to that wait alone: to triggers and to others it is no change (C9). And only where the
 *     last change stands before what the wait finds by looking back, by their positions in the log: else it would hear of it twice.
 */
import {
  decideLook,
  firstLookAt,
  isFresh,
  presentProbeEvent,
  probeEvent,
  probeId,
  probesWithin,
  parseCondition,
  unseenProbe,
  type Json,
  type LookOutcome,
  type ProbeDefinition,
  type ProbeRef,
} from "@millrace/core";
import { shardCount, type DeployedProbe, type DeployedProbes, type ProbeRow } from "@millrace/store";
import type { Alarm } from "../clock.ts";
import type { EngineParts } from "../engine-parts.ts";
import { lookRetryMs, lookWaitLongMs, lookWaitMs, probeWaitsPageMax } from "../limits.ts";
import { ownEvent } from "../event-log.ts";
import { workspaceId } from "../workspace.ts";
import { ProbeBook } from "./probe-book.ts";
import { probeWaitKeys } from "./probe-keys.ts";
import { ProbeLooks, type ProbeLooksOptions } from "./probe-looks.ts";
import { probeShard } from "./probe-shard.ts";

/** A wait that counts what was there when it began. */
export interface ProbeJoin {
  readonly token: string;
  /** Changes after this position of the log it finds by itself; absent where it looks back by time. */
  readonly after?: number | undefined;
}

/** Somebody waits for a thing. */
export interface ProbeWantedMessage {
  readonly kind: "probe_wanted";
  readonly name: string;
  readonly args: Json;
  /** Of a wait that is to be told what is there. */
  readonly joins?: ProbeJoin;
}

export interface ProbeHostOptions {
  readonly parts: Pick<
    EngineParts,
    | "store"
    | "clock"
    | "alarms"
    | "random"
    | "log"
    | "commit"
    | "events"
    | "dispatcher"
    | "nodeId"
    | "revokeDistant"
  >;
  readonly owns: (shard: number) => boolean;
  readonly liveNodes: () => number;
  readonly send: ProbeLooksOptions["send"] & ((shard: number, message: ProbeWantedMessage) => void);
  /** Absent: this node knows no probes, and looks at nothing. */
  readonly find: (() => Promise<DeployedProbes>) | undefined;
}

interface Thing {
  readonly ref: ProbeRef;
  readonly id: string;
  readonly shard: number;
  /** Absent until it was read. */
  row: ProbeRow | undefined;
  alarm: Alarm | undefined;
  isBusy: boolean;
  /** It was wanted since it was asked last whether somebody waits. */
  isWanted: boolean;
  /** Waits that may have to be told what is there, and after which position they find changes by themselves. */
  readonly joined: Map<string, number>;
  /** Where the change of this number stands in the log. */
  told: { readonly changes: number; readonly position: number } | undefined;
  isFinding: boolean;
  /** Waits may have joined that this node was not told of. */
  isInherited: boolean;
  /** No worker had a slot for the last look. */
  isUntaken: boolean;
}

const allShards = Array.from({ length: shardCount }, (_, shard) => shard);

export class ProbeHost {
  readonly looks: ProbeLooks;
  readonly #options: ProbeHostOptions;
  readonly #book = new ProbeBook();
  readonly #things = new Map<string, Thing>();
  /** Queues of which it was said that nobody takes looks. */
  readonly #untaken = new Set<string>();
  #isBehind = false;
  #stopped = false;

  constructor(options: ProbeHostOptions) {
    this.#options = options;
    this.looks = new ProbeLooks(options);
  }

  // --- shards and deployments ---------------------------------------------------------------------------------------

  async load(shards: readonly number[]): Promise<{ readonly enter: () => void }> {
    const { find, parts } = this.#options;
    const rows = find ? await parts.store.loadLookingProbes(shards) : [];
    return {
      enter: () => {
        for (const row of rows) this.#enter(row);
        void this.refresh();
      },
    };
  }

  drop(shards: ReadonlySet<number>): void {
    for (const thing of this.#things.values()) if (shards.has(thing.shard)) this.#forget(thing);
  }

  stop(): void {
    this.#stopped = true;
    for (const thing of this.#things.values()) this.#forget(thing);
  }

  /** Reads what is deployed; what fails is logged and tried again with the next tick. */
  async refresh(): Promise<void> {
    const { find, parts, owns } = this.#options;
    if (!find || this.#stopped) return;
    try {
      this.#book.replace(await find());
      this.#isBehind = false;
    } catch (error) {
      this.#isBehind = true;
      parts.log.warn({ err: error }, "the probes could not be read");
      return;
    }
    for (const [id, { name, args }] of this.#book.asked())
      if (owns(probeShard(id)) && !this.#things.has(id)) this.#want({ name, args }, undefined);
  }

  tick(): void {
    if (this.#isBehind) void this.refresh();
  }

  // --- who waits ----------------------------------------------------------------------------------------------------

  /** In the turn that puts the wait's row into the batch (P1). */
  wanted(ref: ProbeRef, joins: ProbeJoin | undefined): void {
    const shard = probeShard(probeId(ref));
    const { owns, send } = this.#options;
    if (owns(shard)) this.#want(ref, joins);
    else send(shard, { kind: "probe_wanted", ...ref, ...(joins === undefined ? {} : { joins }) });
  }

  /** In the turn that takes the message. */
  receive({ name, args, joins }: ProbeWantedMessage): void {
    this.#want({ name, args }, joins);
  }

  #want(ref: ProbeRef, joins: ProbeJoin | undefined): void {
    const { parts, find } = this.#options;
    if (!find || this.#stopped) return;
    const id = probeId(ref);
    let thing = this.#things.get(id);
    if (!thing) {
      const shard = probeShard(id);
      const now = parts.clock.now();
      const { batch } = parts.commit;
      if (!batch.probesWanted.some((row) => row.id === id))
        batch.probesWanted.push({ workspace: workspaceId, id, shard, ...ref, nextAt: now });
      parts.commit.request();
      thing = this.#make(ref, shard);
    }
    thing.isWanted = true;
    if (joins !== undefined) thing.joined.set(joins.token, joins.after ?? unknownAfter);
    if (thing.row) this.#tellIfFresh(thing, thing.row);
    else this.#ring(thing);
  }

  #enter(row: ProbeRow): void {
    if (this.#things.has(row.id)) return;
    const thing = this.#make({ name: row.name, args: row.args }, row.shard);
    thing.isInherited = true;
    thing.row = row;
    this.#setAlarm(thing, row.nextAt ?? this.#options.parts.clock.now());
  }

  #make(ref: ProbeRef, shard: number): Thing {
    const thing: Thing = {
      ref: { name: ref.name, args: ref.args },
      id: probeId(ref),
      shard,
      row: undefined,
      alarm: undefined,
      isBusy: false,
      isWanted: false,
      joined: new Map(),
      told: undefined,
      isFinding: false,
      isInherited: false,
      isUntaken: false,
    };
    this.#things.set(thing.id, thing);
    return thing;
  }

  #forget(thing: Thing): void {
    thing.alarm?.cancel();
    this.#things.delete(thing.id);
    this.looks.forget(thing.id);
  }

  #isHere(thing: Thing): boolean {
    return !this.#stopped && this.#things.get(thing.id) === thing;
  }

  // --- looking ------------------------------------------------------------------------------------------------------

  #ring(thing: Thing): void {
    if (thing.isBusy) return;
    thing.alarm?.cancel();
    thing.isBusy = true;
    void this.#turn(thing)
      .catch((error: unknown) => {
        this.#options.parts.log.warn(
          { err: error, probe: thing.id },
          "a probe's thing could not be looked at",
        );
        return this.#options.parts.clock.now() + lookRetryMs;
      })
      .then((nextAt) => {
        thing.isBusy = false;
        if (nextAt !== undefined && this.#isHere(thing)) this.#setAlarm(thing, nextAt);
      });
  }

  #setAlarm(thing: Thing, at: number): void {
    thing.alarm?.cancel();
    thing.alarm = this.#options.parts.alarms.set(at, () => this.#ring(thing));
  }

  /** When it goes on; absent: not at all. */
  async #turn(thing: Thing): Promise<number | undefined> {
    const { commit, clock } = this.#options.parts;
    thing.isWanted = false;
    // What has wanted it so far is committed, and so are the waits' rows.
    await commit.drained();
    const row = (thing.row ??= await this.#read(thing));
    const deployed = await this.#deployed(thing.ref.name);
    if (!this.#isHere(thing)) return undefined;
    if (deployed) {
      this.#tellIfFresh(thing, row);
      const at = firstLookAt(row, deployed.definition, clock.now());
      if (at > clock.now()) return at;
    }
    const isAsked = this.#book.isAsked(thing.id) || (await this.#hasWaits(thing));
    if (!this.#isHere(thing)) return undefined;
    if (!isAsked && !thing.isWanted) return this.#rest(thing, row);
    if (!isAsked) return clock.now();
    if (thing.isInherited) await this.#findJoined(thing, row);
    const { name, args } = thing.ref;
    const waitMs = thing.isUntaken ? lookWaitLongMs : lookWaitMs;
    const end = deployed
      ? await this.looks.look({ ...deployed, args, id: thing.id, looks: row.looks, waitMs })
      : unknownProbe(name);
    if (!this.#isHere(thing)) return undefined;
    if (end.kind === "untaken") return this.#stillUntaken(thing, deployed!.definition);
    thing.isUntaken = false;
    if (deployed) this.#untaken.delete(deployed.definition.queue);
    if (end.kind === "lost") return clock.now() + lookRetryMs;
    return this.#learn(thing, row, { outcome: end, definition: deployed?.definition ?? restless });
  }

  /** It goes on waiting for a slot if somebody still waits for it. Why none is free is found when a person looks. */
  #stillUntaken(thing: Thing, { queue }: ProbeDefinition): number {
    const { clock, log } = this.#options.parts;
    thing.isUntaken = true;
    if (!this.#untaken.has(queue))
      log.warn({ probe: thing.id, queue }, `no worker of the queue "${queue}" has a free slot for probes`);
    this.#untaken.add(queue);
    return clock.now();
  }

  async #read({ ref, id, shard }: Thing): Promise<ProbeRow> {
    const found = await this.#options.parts.store.loadProbe({ workspace: workspaceId, id });
    const fresh = { ...unseenProbe, workspace: workspaceId, id, shard, ...ref };
    return { ...fresh, ...found, nextAt: this.#options.parts.clock.now() };
  }

  /** What is not in the book may have been deployed since it was read. */
  async #deployed(name: string): Promise<DeployedProbe | undefined> {
    const found = this.#book.find(name);
    if (found) return found;
    await this.refresh();
    if (this.#isBehind) throw new Error("what is deployed could not be read");
    return this.#book.find(name);
  }

  #tellIfFresh(thing: Thing, row: ProbeRow): void {
    const deployed = this.#book.find(thing.ref.name);
    if (deployed && isFresh(row, deployed.definition, this.#options.parts.clock.now()))
      this.#tellJoined(thing, row);
  }

  #tellJoined(thing: Thing, row: ProbeRow): void {
    if (thing.joined.size === 0) return;
    if (thing.told?.changes !== row.changes) return void this.#findTold(thing);
    const { position } = thing.told;
    const late = [...thing.joined].filter(([, after]) => position <= after);
    thing.joined.clear();
    this.#options.parts.events.emit(late.map(([token]) => ownEvent(presentProbeEvent(row, token))));
    return undefined;
  }

  /** Where its last change stands in the log; then those who have joined are told. One that fails is tried again with the next look. */
  async #findTold(thing: Thing): Promise<void> {
    if (thing.isFinding) return;
    thing.isFinding = true;
    const { log } = this.#options.parts;
    try {
      for (let row = thing.row; row && this.#isHere(thing) && thing.joined.size > 0; row = thing.row) {
        if (row.fingerprint === undefined) break;
        if (thing.told?.changes === row.changes) {
          this.#tellJoined(thing, row);
          break;
        }
        await this.#findChange(thing, row);
      }
    } catch (error) {
      log.warn({ err: error, probe: thing.id }, "where a change stands in the log could not be read");
    } finally {
      thing.isFinding = false;
    }
  }

  async #findChange(thing: Thing, row: ProbeRow): Promise<void> {
    const { clock, commit, store } = this.#options.parts;
    const joined = [...thing.joined];
    // A change that this node has told is in the log then, or on its way to the log's owner.
    await commit.drained();
    const { source, id } = probeEvent({ ...row, ...thing.ref }, "changed");
    const position = await store.positionOfEvent({ workspace: workspaceId, source, id });
    const isForgotten = clock.now() - (row.changedAt ?? 0) > changeOnItsWayMs;
    if (position !== undefined || isForgotten) thing.told = { changes: row.changes, position: position ?? 0 };
    // It comes after all that they look back to: these find it.
    else
      for (const [token, after] of joined) if (thing.joined.get(token) === after) thing.joined.delete(token);
  }

  #learn(
    thing: Thing,
    row: ProbeRow,
    { outcome, definition }: { readonly outcome: LookOutcome; readonly definition: Backing },
  ): number {
    const { clock, events, random } = this.#options.parts;
    const { memory, nextAt, tells } = decideLook(row, outcome, {
      definition,
      now: clock.now(),
      random: random(),
    });
    const next: ProbeRow = { ...row, ...memory, nextAt };
    // In one turn (P3).
    this.#write(thing, next);
    events.emit(tells.map((kind) => ownEvent(probeEvent(next, kind))));
    if (outcome.kind === "failed") return nextAt;
    // Those who have joined learn of a change as all others do; and of what comes, where nothing is there.
    if (tells.includes("changed") || next.fingerprint === undefined) thing.joined.clear();
    else this.#tellJoined(thing, next);
    thing.isInherited = false;
    return nextAt;
  }

  /** Nobody waits any more. */
  #rest(thing: Thing, row: ProbeRow): undefined {
    this.#write(thing, { ...row, nextAt: undefined, failures: 0 });
    this.#forget(thing);
    return undefined;
  }

  #write(thing: Thing, row: ProbeRow): void {
    const { commit } = this.#options.parts;
    const { probes } = commit.batch;
    thing.row = row;
    const before = probes.findIndex(({ id }) => id === row.id);
    if (before >= 0) probes.splice(before, 1);
    probes.push(row);
    commit.request();
  }

  async #hasWaits({ ref }: Thing): Promise<boolean> {
    const { waits } = await this.#options.parts.store.findWaits(allShards, probeWaitKeys(ref), undefined, 1);
    return waits.length > 0;
  }

  /** Waits that began under an earlier owner: it was told of them, this one was not. */
  async #findJoined(thing: Thing, row: ProbeRow): Promise<void> {
    const { store } = this.#options.parts;
    const keys = probeWaitKeys(thing.ref);
    for (let after: Parameters<typeof store.findWaits>[2]; ;) {
      const { waits, next } = await store.findWaits(allShards, keys, after, probeWaitsPageMax);
      for (const { beganAt, condition, joinsAfter } of waits) {
        if (condition === undefined) continue;
        // One that looks back by time has heard of what changed since it began, at least.
        if (joinsAfter === undefined && beganAt < (row.changedAt ?? 0)) continue;
        for (const { token, ...ref } of probesWithin(parseCondition(JSON.parse(condition) as Json)))
          if (token !== undefined && probeId(ref) === thing.id)
            thing.joined.set(token, joinsAfter ?? unknownAfter);
      }
      if (!next) return;
      after = next;
    }
  }
}

/** Of a wait that looks back by time: it is told what is there. */
const unknownAfter = Number.MAX_SAFE_INTEGER;

/** A change that is older and has no position has lost its name to the retention of events. */
const changeOnItsWayMs = 86_400_000;

type Backing = Pick<ProbeDefinition, "everyMs" | "jitterMs" | "backoff">;

/** Of what no project has: it may be deployed yet. */
const restless: Backing = { everyMs: 1_000, jitterMs: 0, backoff: { factor: 2, maxMs: 60_000 } };

function unknownProbe(name: string): LookOutcome {
  const message = `No deployed project has a probe "${name}".`;
  return { kind: "failed", error: { code: "MILLRACE_PROBE_UNKNOWN", message } };
}
