/**
 * How many events came from each source in each stretch of time.
 *
 * S1: what came in a stretch that is over never changes: it is counted once.
 */
import type { EventRatesView, EventRateView } from "@millrace/protocol";
import { countBySource, type Database } from "@millrace/store";
import { workspaceId } from "../../engine/workspace.ts";
import { sourceCountedMax, sourcesLookedMax, sourcesShownMax } from "../limits.ts";
import { isoTime } from "../run-summary.ts";
import { EventPace } from "./event-pace.ts";

export const rateStretches = 30;
const stretchMs = 60_000;
/** The log's clock stands behind the server's by no more. */
const settleMs = 60_000;
const own = "millrace";

interface Count {
  readonly count: number;
  readonly isAbout: boolean;
}

/** By source. */
type Stretch = ReadonlyMap<string, Count>;

export class SourcePace {
  readonly #database: Database;
  readonly #pace: EventPace;
  /** By when they begin: the newest `rateStretches` of those that are over. */
  readonly #over = new Map<number, Stretch>();

  constructor(database: Database) {
    this.#database = database;
    this.#pace = new EventPace(database);
  }

  async rates(now: number): Promise<EventRatesView> {
    const from = (Math.floor(now / stretchMs) - rateStretches + 1) * stretchMs;
    const instants = Array.from({ length: rateStretches + 1 }, (_, at) => from + at * stretchMs);
    const positions = await this.#pace.positions(instants, now - settleMs);
    const begins = instants.slice(0, -1);
    const missing = begins.flatMap((at, index) => (this.#over.has(at) ? [] : [index]));
    const fresh = await this.#counted(begins, positions, missing);
    for (const [at, stretch] of fresh) if (at + stretchMs <= now - settleMs) this.#over.set(at, stretch);
    for (const at of this.#over.keys()) if (at < from) this.#over.delete(at);
    const stretches = begins.map((at) => fresh.get(at) ?? this.#over.get(at) ?? new Map<string, Count>());
    const totals = begins.map((_, at) => Math.max(0, positions[at + 1]! - positions[at]!));
    return viewOf(from, stretches, totals);
  }

  async #counted(
    begins: readonly number[],
    positions: readonly number[],
    missing: readonly number[],
  ): Promise<Map<number, Stretch>> {
    const first = missing[0];
    if (first === undefined) return new Map();
    // What is missing is at the end: the rest is counted along with it, if ever.
    const bounds = positions.slice(first);
    const rows = await countBySource(this.#database, workspaceId, {
      bounds,
      since: begins[first]! - settleMs,
      sourcesMax: sourcesLookedMax,
      each: sourceCountedMax,
    });
    return new Map(
      begins.slice(first).map((at, index) => {
        const [lower, upper] = [bounds[index]!, bounds[index + 1]!];
        const counts = rows.map(({ source, counts: all, lasts }): [string, Count] => [
          source,
          countOf(all[index]!, lasts[index], lower, upper),
        ]);
        return [at, new Map(counts.filter(([, { count }]) => count > 0))];
      }),
    );
  }
}

/** Where the bound was met, the rest of the stretch is taken to be like its beginning. */
function countOf(count: number, last: number | null | undefined, lower: number, upper: number): Count {
  if (count < sourceCountedMax || last == null || last >= upper) return { count, isAbout: false };
  return { count: Math.round((count * (upper - lower)) / (last - lower)), isAbout: true };
}

function viewOf(from: number, stretches: readonly Stretch[], totals: readonly number[]): EventRatesView {
  const names = [...new Set(stretches.flatMap((stretch) => [...stretch.keys()]))];
  const outside = names.map((source): EventRateView => {
    const counts = stretches.map((stretch) => stretch.get(source));
    return {
      source,
      counts: counts.map((one) => one?.count ?? 0),
      ...(counts.some((one) => one?.isAbout) ? { isAbout: true } : {}),
    };
  });
  const mine = totals.map((total, at) => Math.max(0, total - sum(outside.map(({ counts }) => counts[at]!))));
  const isAbout = outside.some((one) => one.isAbout);
  const sources = [
    ...outside,
    ...(sum(mine) > 0 ? [{ source: own, counts: mine, ...(isAbout ? { isAbout: true as const } : {}) }] : []),
  ].sort((a, b) => sum(b.counts) - sum(a.counts) || (a.source < b.source ? -1 : 1));
  return {
    from: isoTime(from),
    stretchMs,
    sources: sources.slice(0, sourcesShownMax),
    ...(sources.length > sourcesShownMax ? { areMore: true } : {}),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
