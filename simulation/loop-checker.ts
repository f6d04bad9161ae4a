/**
 * Judges loops of triggers by what is durable: who led to a firing is found in the log and in rows, not in what the engine
 * noted of it (`core/trigger/causes.ts`).
 *
 * R9: a trigger stands in the chain that led to one of its runs as often as it may, its own firing included, and no more; what
 *     was refused as a loop would have been one more (L2).
 */
import type { LogEvent, Member } from "@millrace/core";
import type { FiringRow } from "@millrace/store";
import { emittedSource } from "./event-checker.ts";
import type { Journal } from "./journal.ts";

export interface LoopEvidence {
  readonly firings: readonly FiringRow[];
  readonly entries: readonly LogEvent[];
  readonly journal: Journal;
  /** Those of firings that were merged into it included. */
  readonly membersOf: (row: FiringRow) => readonly Member[];
  readonly limitOf: (pipeline: string) => number;
}

export function checkLoops({ firings, entries, journal, membersOf, limitOf }: LoopEvidence): void {
  const byRun = new Map(firings.flatMap((row) => (row.runId === undefined ? [] : [[row.runId, row]])));
  const chains = new Map<FiringRow, ReadonlyMap<string, number>>();
  for (const row of firings) {
    if (row.into) continue;
    const times = chainOf(row, row.pipeline).get(row.pipeline) ?? 0;
    const limit = limitOf(row.pipeline);
    const isRefused = row.reason?.code === "trigger_loop";
    if (times > 1) journal.count("firings: of a loop");
    if (isRefused) journal.count("firings: refused as a loop");
    if (row.runId !== undefined && times > limit)
      journal.violate("R9 a loop is stopped", `${row.pipeline} ${row.occurrence} is the ${times}th`);
    if (isRefused && times <= limit)
      journal.violate("R9 only a loop is stopped", `${row.pipeline} ${row.occurrence} is the ${times}th`);
  }

  /** How often each trigger fired on the way to a firing, by the member that led to `asked` most often. */
  function chainOf(row: FiringRow, asked: string): ReadonlyMap<string, number> {
    const known = asked === row.pipeline ? chains.get(row) : undefined;
    if (known) return known;
    let worst: ReadonlyMap<string, number> = new Map();
    for (const member of membersOf(row)) {
      const before = producerOf(member);
      const chain = before ? chainOf(before, row.pipeline) : new Map<string, number>();
      if (weightOf(chain, row.pipeline) >= weightOf(worst, row.pipeline)) worst = chain;
    }
    const chain = new Map(worst);
    chain.set(row.pipeline, (chain.get(row.pipeline) ?? 0) + 1);
    if (asked === row.pipeline) chains.set(row, chain);
    return chain;
  }

  function producerOf(member: Member): FiringRow | undefined {
    if (member.kind !== "event") return undefined;
    const entry = entries[member.position - 1];
    if (entry?.source !== emittedSource) return undefined;
    return byRun.get(entry.id.split("/", 1)[0]!);
  }
}

/** First by how often this trigger stands in it, then by all. */
function weightOf(chain: ReadonlyMap<string, number>, pipeline: string): number {
  const all = [...chain.values()].reduce((sum, times) => sum + times, 0);
  return (chain.get(pipeline) ?? 0) * 1_000_000 + all;
}
