/**
 * Who emits events and who listens to them: programs outside that emit at any node and repeat themselves, also with other
 * content, and on each node a listener that goes on where it was when its process starts again.
 */
import { liveLane, type EventDraft, type EventOutcome } from "@millrace/core";
import type { Engine } from "@millrace/server";
import type { SeededRandom } from "@millrace/testkit";
import type { EventChecker } from "./event-checker.ts";
import type { Journal } from "./journal.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ServerNode } from "./server-node.ts";

export interface EventClientOptions {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly nodes: readonly ServerNode[];
  readonly checker: EventChecker;
}

/** Events that are remembered to be repeated. */
const recentMax = 50;

export class EventClient {
  readonly #options: EventClientOptions;
  readonly #listening = new Map<ServerNode, Engine>();
  #recent: EventDraft[] = [];
  #emitted = 0;

  constructor(options: EventClientOptions) {
    this.#options = options;
  }

  start(until: number): void {
    const { random, scheduler } = this.#options;
    const everyMs = random.pick([300, 2_000, 15_000]);
    const next = (): void => {
      scheduler.after(random.next() * 2 * everyMs, () => {
        this.listen();
        if (scheduler.now > until - 1_000) return;
        this.#act();
        next();
      });
    };
    next();
  }

  /** On engines that came since; each node's listener goes on after what it heard. */
  listen(): void {
    const { nodes, checker } = this.#options;
    for (const node of nodes) {
      const { engine } = node;
      if (!engine || !node.isReady || this.#listening.get(node) === engine) continue;
      this.#listening.set(node, engine);
      engine.events.onAppended(checker.heardBy(node.name), (page) => checker.heard(node.name, page));
    }
  }

  #act(): void {
    const { random, nodes } = this.#options;
    const ready = nodes.filter((node) => node.isReady);
    if (ready.length === 0) return;
    const { engine } = random.pick(ready);
    if (random.chance(0.1)) {
      const to = engine!.now() + random.next() * 3_000;
      engine!.events.advanceClock(to).catch(() => undefined);
      return;
    }
    const drafts = Array.from({ length: random.pick([1, 1, 3, 10]) }, () => this.#draft());
    this.#emit(engine!, drafts);
    // The same again at another node: at once, or after an answer was lost.
    if (!random.chance(0.2)) return;
    const again = (): void => {
      const still = nodes.filter((node) => node.isReady);
      if (still.length > 0) this.#emit(random.pick(still).engine!, drafts);
    };
    if (random.chance(0.5)) again();
    else this.#options.scheduler.after(random.next() * 5_000, again);
  }

  /** A new event, a repeat of one, or another one under its name. */
  #draft(): EventDraft {
    const { random } = this.#options;
    if (this.#recent.length > 0 && random.chance(0.2)) {
      const known = random.pick(this.#recent);
      return random.chance(0.7) ? known : { ...known, subject: `other ${random.below(3)}` };
    }
    const draft: EventDraft = {
      lane: liveLane,
      source: `/source${random.below(3)}`,
      id: `e${(this.#emitted += 1)}`,
      type: "test.happened",
      subject: undefined,
      time: undefined,
      data: { value: random.chance(0.02) ? "x".repeat(20_000) : this.#emitted },
      isBinary: false,
      contentType: undefined,
      dataSchema: undefined,
      extensions: {},
      invalid: undefined,
    };
    this.#recent = [...this.#recent.slice(1 - recentMax), draft];
    return draft;
  }

  #emit(engine: Engine, drafts: readonly EventDraft[]): void {
    const { journal, checker } = this.#options;
    checker.given(drafts);
    Promise.all(drafts.map(async (draft) => engine.events.prepare(draft)))
      .then((rows) => engine.events.append(rows))
      .then(
        (outcomes: readonly EventOutcome[]) => {
          for (const [at, outcome] of outcomes.entries()) {
            journal.count(`events ${outcome.kind}`);
            checker.answered(drafts[at]!, outcome);
          }
        },
        (error: unknown) => {
          journal.count("events refused", drafts.length);
          journal.note(`events were refused: ${String(error)}`);
        },
      );
  }
}
