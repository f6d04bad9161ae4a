/**
 * Judges probes by what is durable, and by what looks really found.
 *
 * L1: what is remembered of a thing is what the last look found that was learned, in the order in which it was there: no look of
 *     before comes after.
 * L2: each change of the fingerprint is told once, in the flush that remembers it, and nothing else is (C9 of the design).
 * L3: looks at a thing are as far apart as its probe says, however many wait for it.
 * L4: nobody looks at what nobody waits for, but for a while; in the end all things rest.
 * That each who waits is woken is judged by their runs: some wait without a timeout.
 */
import {
  compileCondition,
  probeAtom,
  probeChangedType,
  probeId,
  type LogEvent,
  type ProbeRef,
} from "@millrace/core";
import { tokenKey, type AttemptOutcome, type DispatchToken } from "@millrace/protocol";
import { matchKeysOf } from "@millrace/server";
import type { FlushBatch, ProbeRow } from "@millrace/store";
import { keyOf, type MemoryTables } from "@millrace/testkit";
import type { Journal } from "./journal.ts";
import { everyMsOf, things, type Found } from "./outside.ts";

export interface ProbeCheckerOptions {
  readonly tables: MemoryTables;
  readonly journal: Journal;
  readonly now: () => number;
}

/** Clocks of nodes run up to 2% wrong, and learn of the database's time now and then. */
const clockMs = 300;
/** A look waits for a slot for half a minute, at a node that is frozen or finds no database for as long again. */
const vainMsMax = 120_000;

interface Watched {
  readonly ref: ProbeRef;
  readonly id: string;
  readonly key: string;
  row: ProbeRow | undefined;
  version: number;
  isWanted: boolean;
  /** When it was last wanted. */
  wantedAt: number;
}

export class ProbeChecker {
  readonly #options: ProbeCheckerOptions;
  readonly #watched = new Map<string, Watched>();
  /** Texts of what looks found, by thing. */
  readonly #found = new Map<string, Set<string>>();
  /** Whether a deployed trigger listens to a thing. */
  isAsked: (id: string) => boolean = () => false;

  constructor(options: ProbeCheckerOptions) {
    this.#options = options;
    for (const ref of things) {
      const [key] = matchKeysOf(compileCondition(probeAtom(ref))).keys;
      const watched = {
        ref,
        id: probeId(ref),
        key: key!,
        row: undefined,
        version: 0,
        isWanted: false,
        wantedAt: 0,
      };
      this.#watched.set(watched.id, watched);
    }
  }

  // --- looks --------------------------------------------------------------------------------------------------------

  /** A look leaves for a worker. */
  sent(token: DispatchToken): void {
    const { journal, now } = this.#options;
    journal.count("looks sent");
    const watched = this.#watched.get(thingOf(token));
    if (!watched) return journal.violate("L4 what is looked at is a thing", tokenKey(token));
    const vainMs = now() - watched.wantedAt;
    if (this.#isWanted(watched) || vainMs <= vainMsMax) return;
    journal.violate("L4 nobody looks in vain", `${tokenKey(token)}, ${vainMs} ms after somebody waited`);
  }

  ended(token: DispatchToken, outcome: AttemptOutcome): void {
    this.#options.journal.count(`looks ended: ${outcome.kind}`);
    if (outcome.kind !== "succeeded" || !("value" in outcome.output)) return;
    const texts = this.#found.get(thingOf(token)) ?? new Set();
    this.#found.set(thingOf(token), texts.add(textOf(outcome.output.value as unknown as Found)));
  }

  #isWanted({ id, key }: Watched): boolean {
    if (this.isAsked(id)) return true;
    for (const { matchKeys, end } of this.#options.tables.waits.values())
      if (end === undefined && matchKeys.includes(key)) return true;
    return false;
  }

  // --- commits ------------------------------------------------------------------------------------------------------

  onFlush(nodeId: number, batch: FlushBatch): void {
    const told = changesIn(batch);
    for (const row of batch.probes) this.#remembered(nodeId, row, told.get(row.id) ?? []);
    for (const [id, numbers] of told) {
      // The log's owner puts in what others told, some time after they remembered it.
      const { changes = 0 } = this.#options.tables.probes.get(keyOf(1, id)) ?? {};
      if (numbers.some((number) => number > changes))
        this.#violate(
          "L2 a change is told once, in its flush",
          `${id}: change ${numbers.join()} of ${changes}`,
        );
    }
    for (const watched of this.#watched.values()) {
      watched.row = this.#options.tables.probes.get(keyOf(1, watched.id));
      const before = watched.isWanted;
      watched.isWanted = this.#isWanted(watched);
      if (before || watched.isWanted) watched.wantedAt = this.#options.now();
    }
  }

  #violate(rule: string, detail: string): void {
    this.#options.journal.violate(rule, detail);
  }

  #remembered(nodeId: number, row: ProbeRow, numbers: readonly number[]): void {
    const { tables, journal } = this.#options;
    const watched = this.#watched.get(row.id);
    if (tables.shards[row.shard]?.nodeId !== nodeId)
      this.#violate("L1 only the owner remembers", `node ${nodeId} of ${row.id}`);
    if (!watched) return this.#violate("L4 what is looked at is a thing", row.id);
    const before = watched.row;
    const told = numbers.filter((number) => number > (before?.changes ?? 0)).length;
    journal.note(
      `node ${nodeId}: ${row.id} look ${row.looks} ${row.fingerprint} ${JSON.stringify(row.value)}, ${row.failures} failures, next ${row.nextAt}, told ${told}`,
    );
    const looked = row.looks - (before?.looks ?? 0);
    const isChanged = looked > 0 && row.fingerprint !== undefined && row.fingerprint !== before?.fingerprint;
    if (told !== Number(isChanged) || row.changes - (before?.changes ?? 0) !== told)
      this.#violate(
        "L2 a change is told once, in its flush",
        `${row.id}: ${before?.fingerprint} to ${row.fingerprint}, told ${told} times`,
      );
    if (looked === 0) return;
    journal.count("looks learned");
    if (isChanged) journal.count("probes: changes told");
    if (looked > 1) this.#violate("L1 each look is learned", `${row.id}: ${looked} at once`);
    const apartMs = (row.lookedAt ?? 0) - (before?.lookedAt ?? Number.NEGATIVE_INFINITY);
    if (apartMs < everyMsOf(row.name) - clockMs)
      this.#violate("L3 looks are as far apart as was asked", `${row.id}: ${apartMs} ms`);
    if (row.failures === 0) this.#learned(row, watched);
  }

  #learned(row: ProbeRow, watched: Watched): void {
    const { value, fingerprint } = row as unknown as Found;
    if (!this.#found.get(row.id)?.has(textOf({ value, fingerprint })))
      this.#violate("L1 what is remembered was found", `${row.id}: ${JSON.stringify(value)} ${fingerprint}`);
    if (value === null) return;
    if (value.version < watched.version)
      this.#violate(
        "L1 no look of before comes after",
        `${row.id}: ${value.version} after ${watched.version}`,
      );
    watched.version = value.version;
  }

  // --- the end ------------------------------------------------------------------------------------------------------

  get isAtRest(): boolean {
    return [...this.#options.tables.probes.values()].every(({ nextAt }) => nextAt === undefined);
  }

  checkEnd(): void {
    const { tables } = this.#options;
    for (const { id, nextAt } of tables.probes.values())
      if (nextAt !== undefined) this.#violate("L4 all things rest in the end", id);
    for (const { id, looks, changes } of tables.probes.values()) if (looks > 0) this.#checkTold(id, changes);
  }

  /** In the log there are as many changes as were remembered, and no two of one fingerprint but after it was gone. */
  #checkTold(id: string, changes: number): void {
    const entries = this.#options.tables.logs.get(1)?.entries ?? [];
    const told = entries.filter(({ type, subject }) => type === probeChangedType && subject === id);
    if (told.length !== changes)
      this.#violate("L2 each change is in the log once", `${id}: ${told.length} of ${changes}`);
    const versions = told.map(versionOf);
    if (versions.some((version, at) => at > 0 && version <= versions[at - 1]!))
      this.#violate("L2 changes are in the log in their order", `${id}: ${versions.join()}`);
  }
}

function versionOf({ data }: LogEvent): number {
  return (data.value as unknown as { readonly value: { readonly version: number } }).value.version;
}

function thingOf({ runId }: DispatchToken): string {
  return runId.slice("probe:".length);
}

function textOf({ value, fingerprint }: Found): string {
  return JSON.stringify([value, fingerprint ?? null]);
}

/** Numbers of the changes that are told, to the log or to its owner, by thing. */
function changesIn({ events, messagesSent }: FlushBatch): Map<string, number[]> {
  const sent = messagesSent.flatMap(({ message }) => {
    const { kind, events: inner } = message as unknown as { kind: string; events?: FlushBatch["events"] };
    return kind === "events" ? (inner ?? []) : [];
  });
  const numbers = new Map<string, number[]>();
  for (const { type, subject, id } of [...events, ...sent])
    if (type === probeChangedType && subject !== undefined)
      numbers.set(subject, [
        ...(numbers.get(subject) ?? []),
        Number(id.split("/changed/")[1]!.split("/")[0]),
      ]);
  return numbers;
}
