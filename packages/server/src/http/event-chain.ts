/** `GET /events/:position/chain`: what an entry comes of, back to the outside, and what came of it; bounded both ways. */
import { causeOf, taskSource, type LogEvent } from "@millrace/core";
import type {
  ChainEvent,
  ChainRun,
  EventCauses,
  EventChain,
  EventEffect,
  RunState,
} from "@millrace/protocol";
import {
  findEntries,
  findEventsOfRun,
  findFiringMembers,
  findFiringOfRun,
  findFiringsOfEvent,
  findPipeline,
  findRun,
} from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { requireEntry } from "./event-find.ts";
import { chainEntriesOfOne, chainPartsMax, chainStepsMax } from "./limits.ts";
import { isoTime } from "./run-summary.ts";
import { firingView } from "./trigger-view.ts";

export async function chainOf(context: ApiContext, position: string): Promise<EventChain> {
  const entry = await requireEntry(context, position, undefined);
  const up = new ChainReader(context);
  const causes = await up.causes(entry, chainStepsMax);
  const down = new ChainReader(context);
  const { effects, hasMore } = await down.effects(entry, chainStepsMax);
  return {
    event: chainEvent(entry),
    ...(causes ? { causes } : {}),
    effects,
    ...(hasMore ? { effectsAreMore: true } : {}),
    ...(up.isCut || down.isCut ? { isCut: true } : {}),
  };
}

interface FoundRunState {
  readonly state: RunState;
  readonly pipeline: string;
  readonly parent: string | undefined;
}

/** Reads one direction; parts are counted over all of it. */
class ChainReader {
  readonly #context: ApiContext;
  readonly #seen = new Set<string>();
  #parts = 0;
  isCut = false;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async causes(entry: LogEvent, steps: number): Promise<EventCauses | undefined> {
    const { values } = this.#context.host.engine;
    const cause = causeOf({ ...entry, data: await values.loaded(entry.data) });
    if (cause?.run === undefined || !this.#take(`run ${cause.run}`, steps)) return undefined;
    const { run, node, pipeline } = cause;
    return {
      run: await this.#run(run, pipeline, steps - 1),
      ...(node === undefined ? {} : { node }),
    };
  }

  async #run(id: string, told: string | undefined, steps: number): Promise<ChainRun> {
    const { database } = this.#context;
    const found = await this.#stateOf(id);
    const firing = await findFiringOfRun(database, workspaceId, id);
    const pipeline = found?.pipeline ?? told;
    return {
      id,
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(found ? { state: found.state } : {}),
      ...(found?.parent === undefined ? {} : { parent: found.parent }),
      ...(firing
        ? {
            firing: {
              id: firingView(firing).id,
              pipeline: firing.pipeline,
              at: isoTime(firing.at),
              memberCount: firing.members,
              members: await this.#members(id, steps),
            },
          }
        : {}),
    };
  }

  async #members(runId: string, steps: number): Promise<NonNullable<ChainRun["firing"]>["members"]> {
    const { database } = this.#context;
    const page = { runId, from: 0, limit: chainEntriesOfOne };
    const members = await findFiringMembers(database, workspaceId, page);
    const positions = members.flatMap(({ position }) => position ?? []);
    const entries = new Map(
      (await findEntries(database, workspaceId, positions)).map((entry) => [entry.position, entry]),
    );
    const told: NonNullable<ChainRun["firing"]>["members"][number][] = [];
    for (const { operand, position } of members) {
      const entry = position === undefined ? undefined : entries.get(position);
      if (!entry) continue;
      const causes = await this.causes(entry, steps);
      told.push({ ...chainEvent(entry), operand, ...(causes ? { causes } : {}) });
    }
    return told;
  }

  async effects(
    entry: LogEvent,
    steps: number,
  ): Promise<{ readonly effects: readonly EventEffect[]; readonly hasMore: boolean }> {
    const asked = { position: entry.position, pipeline: undefined, limit: chainEntriesOfOne * 4 + 1 };
    const firings = await findFiringsOfEvent(this.#context.database, workspaceId, asked);
    const shown = firings.slice(0, chainEntriesOfOne * 4);
    const effects: EventEffect[] = [];
    for (const firing of shown) {
      const view = firingView(firing);
      const id = view.mergedInto ?? view.runId;
      if (id === undefined || view.state === "waiting" || !this.#take(`run ${id}`, steps)) {
        effects.push({ firing: view, ...(id === undefined ? {} : { run: { id } }), events: [] });
        continue;
      }
      const found = await this.#stateOf(id);
      const told = await this.#eventsOf(id, firing.pipeline);
      const events: EventEffect["events"][number][] = [];
      for (const one of told.slice(0, chainEntriesOfOne))
        events.push({ ...chainEvent(one), effects: (await this.effects(one, steps - 1)).effects });
      effects.push({
        firing: view,
        run: { id, ...(found ? { state: found.state } : {}) },
        events,
        ...(told.length > events.length ? { more: true } : {}),
      });
    }
    return { effects, hasMore: firings.length > shown.length };
  }

  /** By the names that entries of its tasks have; a task that gives its events ids of its own is not found by them. */
  async #eventsOf(runId: string, pipeline: string): Promise<readonly LogEvent[]> {
    const { database } = this.#context;
    const nodes = (await findPipeline(database, workspaceId, pipeline))?.definition.nodes ?? [];
    const sources = nodes.map(({ id }) => taskSource(pipeline, id));
    const limit = chainEntriesOfOne + 1;
    const positions = await findEventsOfRun(database, workspaceId, { runId, sources, limit });
    return (await findEntries(database, workspaceId, positions)).sort((a, b) => a.position - b.position);
  }

  async #stateOf(id: string): Promise<FoundRunState | undefined> {
    const { database, retentionDays, host } = this.#context;
    const since = host.engine.now() - retentionDays * 86_400_000;
    const { live, ended } = await findRun(database, workspaceId, id, since);
    const run = live ?? ended[0];
    return run && { state: run.state, pipeline: run.pipeline, parent: run.parent?.runId };
  }

  /** Whether there is room for one more part; each is followed once. */
  #take(name: string, steps: number): boolean {
    if (this.#seen.has(name)) return false;
    if (steps <= 0 || this.#parts >= chainPartsMax) {
      this.isCut = true;
      return false;
    }
    this.#seen.add(name);
    this.#parts += 1;
    return true;
  }
}

function chainEvent({ position, recordedAt, type, source, id, subject }: LogEvent): ChainEvent {
  return {
    position,
    recordedAt: isoTime(recordedAt),
    type,
    source,
    id,
    ...(subject === undefined ? {} : { subject }),
  };
}
