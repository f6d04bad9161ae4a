/** Who deploys, pauses and resumes triggers, and emits the events that they wait for. */
import {
  assetProgressType,
  assetUpdatedType,
  liveLane,
  type EventDraft,
  type Json,
  type TriggerDefinition,
} from "@millrace/core";
import type { MemoryTables, SeededRandom } from "@millrace/testkit";
import type { EventChecker } from "./event-checker.ts";
import type { Journal } from "./journal.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ServerNode } from "./server-node.ts";
import type { TriggerChecker } from "./trigger-checker.ts";
import { listening, makeTrigger, slices } from "./triggers.ts";

export interface TriggerClientOptions {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly nodes: readonly ServerNode[];
  readonly tables: MemoryTables;
  readonly events: EventChecker;
  readonly checker: TriggerChecker;
  /** The pipelines. */
  readonly names: readonly string[];
  /** Events have times of their own, by this; absent: none has. */
  readonly times: SeededRandom | undefined;
}

/** Servers have had this time to put what was deployed into the log by themselves. */
const calmMs = 20_000;

export class TriggerClient {
  readonly #options: TriggerClientOptions;
  readonly #deployed = new Map<string, TriggerDefinition>();
  /** What the last deploy said. */
  readonly #active = new Map<string, Json>();
  #changes = 0;
  #emitted = 0;
  isIdle = false;

  constructor(options: TriggerClientOptions) {
    this.#options = options;
  }

  start(until: number): void {
    const { random, scheduler } = this.#options;
    for (const name of this.#options.names)
      scheduler.after(random.next() * 20_000, () => this.#deploy(name, { paused: random.chance(0.1) }));
    const eventsMs = random.pick([400, 1_500, 10_000]);
    this.#repeat(until, eventsMs, () => this.#emit());
    this.#repeat(until, random.pick([4_000, 20_000]), () => this.#change());
    scheduler.after(until + calmMs - scheduler.now, () => this.#finish());
  }

  #repeat(until: number, everyMs: number, act: () => void): void {
    const { random, scheduler } = this.#options;
    scheduler.after(random.next() * 2 * everyMs, () => {
      if (scheduler.now > until - 1_000) return;
      act();
      this.#repeat(until, everyMs, act);
    });
  }

  /** Nothing of calendar time goes on for ever, nor windows that fire incomplete when nobody tells of them any more. */
  #finish(): void {
    const { journal, tables } = this.#options;
    for (const { id, subject } of tables.outbox.values())
      journal.violate("R5 what is deployed comes into the log by itself", `outbox/${id} of ${subject}`);
    this.isIdle = true;
    const { names } = this.#options;
    for (const name of ["t-schedule", "t-reached", ...names.filter((one) => one === listening)])
      this.#put("millrace.trigger.changed", name, { trigger: null, paused: false });
  }

  /** The conditions that are deployed of this pipeline: one or none. */
  conditionsOf(pipeline: string): readonly Json[] {
    const trigger = this.#active.get(pipeline) as { readonly condition: Json } | null | undefined;
    return trigger ? [trigger.condition] : [];
  }

  // --- events -------------------------------------------------------------------------------------------------------

  #emit(): void {
    const { random, events, journal } = this.#options;
    const engine = this.#readyNode()?.engine;
    if (!engine) return;
    const drafts = Array.from({ length: random.pick([1, 1, 2, 8]) }, () => this.#draft());
    events.given(drafts);
    Promise.all(drafts.map(async (draft) => engine.events.prepare(draft)))
      .then((rows) => engine.events.append(rows))
      .then(
        (outcomes) => {
          for (const [at, outcome] of outcomes.entries()) events.answered(drafts[at]!, outcome);
        },
        (error: unknown) => journal.note(`events were refused: ${String(error)}`),
      );
  }

  #draft(): EventDraft {
    return this.#options.random.chance(0.4) ? this.#assetDraft() : this.#orderDraft();
  }

  /** A slice of the last half minute is written, or all of them are complete up to one. */
  #assetDraft(): EventDraft {
    const { random, scheduler } = this.#options;
    const { windows } = slices;
    const window = windows?.at(scheduler.now - random.below(30_000));
    const isProgress = random.chance(0.15);
    return {
      ...this.#orderDraft(),
      type: isProgress ? assetProgressType : assetUpdatedType,
      source: "millrace",
      id: `a${(this.#emitted += 1)}`,
      subject: "slices",
      data: {
        value: isProgress
          ? { asset: "slices", until: new Date(window?.to ?? 0).toISOString() }
          : {
              asset: "slices",
              partition: window ? windows!.keyOf(window) : null,
              version: `v${this.#emitted}`,
              kind: "observed",
              metadata: {},
            },
      },
    };
  }

  #orderDraft(): EventDraft {
    const { random } = this.#options;
    const customer = `c${random.below(5)}`;
    return {
      lane: random.chance(0.03) ? "backfill:1" : liveLane,
      source: "/shop",
      id: `o${(this.#emitted += 1)}`,
      type: random.pick([
        ...Array<string>(8).fill("order.placed"),
        ...Array<string>(4).fill("order.paid"),
        "loop.begun",
      ]),
      subject: customer,
      time: this.#time(),
      data: {
        value: {
          customer,
          n: random.below(10),
          ...(random.chance(0.02) ? { text: "x".repeat(20_000) } : {}),
        },
      },
      isBinary: false,
      contentType: undefined,
      dataSchema: undefined,
      extensions: {},
      invalid: random.chance(0.02) ? "it does not fit" : undefined,
    };
  }

  /** Most are recorded soon after they happened. */
  #time(): number | undefined {
    const { times, scheduler } = this.#options;
    if (!times) return undefined;
    return scheduler.now - times.below(times.chance(0.1) ? 90_000 : 3_000);
  }

  // --- changes ------------------------------------------------------------------------------------------------------

  #change(): void {
    const { random, names } = this.#options;
    const name = random.pick(names);
    const what = random.below(10);
    if (what < 3) this.#put("millrace.trigger.paused", name, {});
    else if (what < 7)
      this.#put(
        "millrace.trigger.resumed",
        name,
        random.chance(0.5) ? {} : { onResume: random.pick<Json>(["all", "latest", "none"]) },
      );
    else if (what < 8) this.#put("millrace.trigger.changed", name, { trigger: null, paused: false });
    else this.#deploy(name, { paused: random.chance(0.1) });
  }

  /** A new definition, or the same once more. */
  #deploy(name: string, { paused }: { readonly paused: boolean }): void {
    const { random } = this.#options;
    const known = this.#deployed.get(name);
    const trigger = known && random.chance(0.3) ? known : makeTrigger(random, name);
    this.#deployed.set(name, trigger);
    this.#put("millrace.trigger.changed", name, { trigger: trigger as unknown as Json, paused });
  }

  /** What a transaction of the API does, at a server which then puts it into the log, unless it dies before. */
  #put(type: string, subject: string, data: Json): void {
    const { random, scheduler, tables, checker, journal } = this.#options;
    const node = this.#readyNode();
    if (!node) return;
    const id = (this.#changes += 1);
    tables.outbox.set(id, { id, workspace: 1, type, subject, data });
    this.#noteDeployed(subject, data);
    checker.deployed(subject, id);
    journal.note(`outbox/${id}: ${type} of ${subject} ${JSON.stringify(data)}`);
    journal.count(type);
    if (!this.isIdle && random.chance(0.04)) {
      journal.count("fault: node crashed after a deploy");
      node.crash();
      scheduler.after(random.next() * 20_000, () => node.start());
      return;
    }
    node.engine!.outbox.drain().then(
      () => checker.acknowledged(id),
      (error: unknown) => journal.note(`outbox/${id} was not put into the log: ${String(error)}`),
    );
  }

  /** Each server hears of a deploy. */
  #noteDeployed(subject: string, data: Json): void {
    const { trigger } = data as { readonly trigger?: Json };
    if (trigger === undefined) return;
    this.#active.set(subject, trigger);
    if (subject !== listening) return;
    for (const node of this.#options.nodes)
      node.incarnation?.deliver(() => void node.engine?.probes.refresh());
  }

  #readyNode(): ServerNode | undefined {
    const { random, nodes } = this.#options;
    const ready = nodes.filter((node) => node.isReady);
    return ready.length === 0 ? undefined : random.pick(ready);
  }
}
