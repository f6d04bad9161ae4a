/** What became of a tick, and whether its run is expected to go on when the next one comes. */
import type { RunState, ScheduleRunsView, ScheduleTicksView, TickOutcome } from "@millrace/protocol";

/** Sooner, nobody would call it late. */
const lateMs = 60_000;

export type Became =
  | { readonly kind: "ran"; readonly run: string; readonly state: RunState | undefined; readonly late?: Late }
  /** It has a firing, and no run of its own: its policy, or a refusal. */
  | { readonly kind: "no run"; readonly reason: string }
  /** Nobody decided anything: no server was there, and what was missed was not caught up. */
  | { readonly kind: "missed" }
  | { readonly kind: "kept" }
  /** Its trigger is as it is only since then. */
  | { readonly kind: "before" }
  | { readonly kind: "unknown" }
  | { readonly kind: "coming" };

export interface Late {
  readonly ms: number;
  /** Its run was made late (nobody was there at the tick), or was made in time and began late (it waited for room). */
  readonly why: "caught up" | "waited";
}

export type Overlap = "always" | "often" | undefined;

export class Outcomes {
  readonly #byPipeline: ReadonlyMap<string, ScheduleRunsView>;
  readonly #byTick = new Map<string, TickOutcome>();

  constructor(views: readonly ScheduleRunsView[]) {
    this.#byPipeline = new Map(views.map((view) => [view.pipeline, view]));
    for (const { pipeline, ticks } of views)
      for (const tick of ticks) this.#byTick.set(`${pipeline} ${Date.parse(tick.at)}`, tick);
  }

  of(pipeline: string): ScheduleRunsView | undefined {
    return this.#byPipeline.get(pipeline);
  }

  became(schedule: ScheduleTicksView, at: number, now: number): Became {
    const { pipeline, alone, jitterMs = 0 } = schedule;
    if (at > now) return { kind: "coming" };
    const view = this.of(pipeline);
    const found = this.#byTick.get(`${pipeline} ${at}`);
    if (found) return ofFiring(found, at, jitterMs);
    if (!view || !alone) return { kind: "unknown" };
    if (at < Date.parse(view.since)) return { kind: "before" };
    if (view.pausedSince !== undefined && at >= Date.parse(view.pausedSince)) return { kind: "kept" };
    // Only the last ones were told.
    const [first] = view.ticks;
    if (view.ticksAreMore && first && at < Date.parse(first.at)) return { kind: "unknown" };
    return now - at > lateMs + jitterMs ? { kind: "missed" } : { kind: "coming" };
  }

  /** Whether runs take longer than from this tick to the next: as most of them do, or as some do. */
  overlap(schedule: ScheduleTicksView, next: number | undefined, at: number): Overlap {
    const took = this.of(schedule.pipeline)?.took;
    if (!took || next === undefined || !schedule.alone || schedule.paused) return undefined;
    if (took.p50Ms > next - at) return "always";
    return took.p95Ms > next - at ? "often" : undefined;
  }
}

function ofFiring(
  { run, state, createdAt, startedAt, reason }: TickOutcome,
  at: number,
  jitterMs: number,
): Became {
  if (run === undefined) return { kind: "no run", reason: reason ?? "no run began" };
  if (state === "superseded") return { kind: "no run", reason: reason ?? "a later tick took its place" };
  const late = lateOf(createdAt, startedAt, at + jitterMs);
  return { kind: "ran", run, state, ...(late ? { late } : {}) };
}

function lateOf(createdAt: string | undefined, startedAt: string | undefined, due: number): Late | undefined {
  const made = createdAt === undefined ? 0 : Date.parse(createdAt) - due;
  if (made > lateMs) return { ms: made, why: "caught up" };
  const began = startedAt === undefined ? 0 : Date.parse(startedAt) - due;
  return began > lateMs ? { ms: began, why: "waited" } : undefined;
}
