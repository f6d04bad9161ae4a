/**
 * Judges what is told of assets.
 *
 * S1: after each commit the rows of assets are what the log's entries give when they are folded in their order, and each entry
 *     has counted once (A1–A3 of `000008_asset.sql`).
 * S2: a success has updated what its node declares, but for what its function told or left unchanged; nothing else was told
 *     (R7 of the run machine).
 * S3: what an attempt that began reads is recorded, as the rows had it then.
 */
import { assetFactOf, type AssetFact, type LogEvent } from "@millrace/core";
import { partitionLabel } from "@millrace/protocol";
import type { FlushBatch } from "@millrace/store";
import type { MemoryTables } from "@millrace/testkit";
import { isUnchanged, writesOf } from "./assets.ts";
import type { Journal } from "./journal.ts";

interface Expected {
  updates: number;
  rejected: number;
  /** How far progress has come. */
  until: number | undefined;
  last: { position: number; version: string | undefined } | undefined;
}

export class AssetChecker {
  readonly #tables: MemoryTables;
  readonly #journal: Journal;
  /** By asset and lane; by asset, lane and partition. */
  readonly #states = new Map<string, Expected>();
  readonly #partitions = new Map<string, Expected>();
  /** Task run and asset: what was told of it, in words. */
  readonly #told = new Map<string, string[]>();
  #length = 0;

  constructor(tables: MemoryTables, journal: Journal) {
    this.#tables = tables;
    this.#journal = journal;
  }

  onFlush(batch: FlushBatch): void {
    this.#checkReads(batch);
    const entries = this.#tables.logs.get(1)?.entries ?? [];
    const touched = new Set<string>();
    for (; this.#length < entries.length; this.#length += 1) {
      const entry = entries[this.#length]!;
      const fact = assetFactOf(entry);
      if (fact) touched.add(this.#fold(entry, fact));
    }
    for (const key of touched) this.#compare(key);
  }

  #fold(entry: LogEvent, fact: AssetFact): string {
    const stateKey = ["1", fact.asset, fact.lane].join("\n");
    const state = this.#expected(this.#states, stateKey);
    if (fact.run) this.#note(fact, entry);
    if (fact.invalid !== undefined) {
      state.rejected += 1;
      return stateKey;
    }
    if (fact.kind === "progress") {
      state.until = Math.max(state.until ?? Number.NEGATIVE_INFINITY, fact.until!);
      return stateKey;
    }
    if (fact.kind === "partition") return stateKey;
    state.updates += 1;
    state.last = { position: entry.position, version: fact.version };
    const partition = this.#expected(this.#partitions, `${stateKey}\n${fact.partition}`);
    partition.updates += 1;
    partition.last = state.last;
    return stateKey;
  }

  #expected(of: Map<string, Expected>, key: string): Expected {
    const found = of.get(key) ?? { updates: 0, rejected: 0, until: undefined, last: undefined };
    of.set(key, found);
    return found;
  }

  #note({ asset, partition, run, invalid }: AssetFact, { position }: LogEvent): void {
    const name = toldName({ ...run!, runId: run!.id }, asset);
    const told = this.#told.get(name) ?? [];
    told.push(`${partition}${invalid === undefined ? "" : "!"}`);
    this.#told.set(name, told);
    this.#journal.note(`asset ${asset} ${partition} by ${name} at ${position}`);
  }

  #compare(stateKey: string): void {
    const { assetStates, assetPartitions } = this.#tables;
    const expected = this.#states.get(stateKey)!;
    const state = assetStates.get(stateKey);
    if (
      state?.updates !== expected.updates ||
      state.rejected !== expected.rejected ||
      state.update?.position !== expected.last?.position ||
      state.progress?.until !== expected.until
    )
      this.#journal.violate(
        "S1 an asset's row is what the log says",
        `${stateKey}: ${JSON.stringify(state)}`,
      );
    for (const [key, partition] of this.#partitions) {
      if (!key.startsWith(`${stateKey}\n`)) continue;
      const row = assetPartitions.get(key);
      const isSame =
        row?.updates === partition.updates &&
        row.position === partition.last?.position &&
        row.update?.fact.version === partition.last.version;
      if (!isSame)
        this.#journal.violate("S1 a partition's row is what the log says", `${key}: ${JSON.stringify(row)}`);
    }
  }

  #checkReads(batch: FlushBatch): void {
    for (const read of batch.assetReads) {
      const { runId, generation, node, item, asset, lane, partition } = read;
      const use = this.#tables.assetUses.get(
        ["1", runId, generation, node, item, "read", asset, partition].join("\n"),
      );
      // As it was before the entries of this very flush.
      const known = this.#partitions.get(["1", asset, lane, partition].join("\n"));
      if (use?.position !== known?.last?.position)
        this.#journal.violate(
          "S3 what is read is what was there",
          `${runId}/${node} ${asset}: ${use?.position}`,
        );
    }
    this.#journal.count("assets read", batch.assetReads.length);
  }

  checkEnd(): void {
    const { taskRunHistory, taskRuns, runs, runHistory } = this.#tables;
    const partitions = new Map(
      [...runs.values(), ...runHistory.values()].map(({ id, labels }) => [id, labels[partitionLabel]]),
    );
    const rows = [...taskRunHistory.values(), ...[...taskRuns.values()].flatMap((of) => [...of.values()])];
    const byWorkers = rows.filter(
      ({ state, worker, reason, carried }) =>
        state === "succeeded" && worker !== undefined && reason === undefined && !carried,
    );
    let checked = 0;
    for (const row of byWorkers)
      for (const asset of writesOf(row.node)) {
        const name = toldName(row, asset);
        const told = this.#told.get(name)?.toSorted() ?? [];
        this.#told.delete(name);
        const wanted = tellingsOf(asset, row, partitions.get(row.runId));
        checked += 1;
        if (told.join() !== wanted.join())
          this.#journal.violate(
            "S2 a success tells what its node writes",
            `${name}: ${told.join()} for ${wanted.join()}`,
          );
      }
    for (const name of this.#told.keys()) this.#journal.violate("S2 only a success tells of assets", name);
    this.#journal.count("assets written", checked);
  }
}

/** Partitions; with a mark those that the asset does not have. No run is for one of `parted`'s. */
function tellingsOf(
  asset: string,
  row: { readonly runId: string; readonly item: string },
  ofRun: string | undefined,
): string[] {
  switch (asset) {
    case "told":
      return isUnchanged(row) ? [] : ["", "none of its own!"];
    case "plain":
      return [""];
    case "parted":
      return [`${ofRun ?? ""}!`];
    default:
      return ["!"];
  }
}

function toldName(
  task: { readonly runId: string; readonly node: string; readonly item: string; readonly generation: number },
  asset: string,
): string {
  return `${task.runId}/${task.node}/${task.item}/g${task.generation} ${asset}`;
}
