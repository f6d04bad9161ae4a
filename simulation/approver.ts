/**
 * People who answer approvals, as `packages/server/src/http/approval-answer.ts` does it: each answer is one event at any node, and the
 * first one in the log counts. They answer twice, at two nodes at once, and after it is over; once faults have stopped they
 * answer everything.
 */
import { approvalAnswer, approvalId, type EventDraft, type EventOutcome } from "@millrace/core";
import type { WaitRow } from "@millrace/store";
import { keyOf, type MemoryTables, type SeededRandom } from "@millrace/testkit";
import type { ApprovalChecker } from "./approval-checker.ts";
import type { Journal } from "./journal.ts";
import { epochMs, type Scheduler } from "./scheduler.ts";
import type { ServerNode } from "./server-node.ts";

export interface ApproverOptions {
  readonly random: SeededRandom;
  readonly scheduler: Scheduler;
  readonly journal: Journal;
  readonly nodes: readonly ServerNode[];
  readonly tables: MemoryTables;
  readonly checker: ApprovalChecker;
}

/** Once faults have stopped. */
const calmEveryMs = 5_000;

export class Approver {
  readonly #options: ApproverOptions;
  readonly #everyMs: number;

  constructor(options: ApproverOptions) {
    this.#options = options;
    this.#everyMs = options.random.pick([500, 3_000, 15_000]);
  }

  start(until: number): void {
    const { random, scheduler } = this.#options;
    const next = (): void => {
      const isCalm = scheduler.now > until;
      scheduler.after(isCalm ? calmEveryMs : random.next() * 2 * this.#everyMs, () => {
        const open = this.#open();
        if (isCalm) for (const wait of open) this.#answer(wait);
        else if (open.length > 0) this.#answer(random.pick(open));
        next();
      });
    };
    next();
  }

  #open(): WaitRow[] {
    return [...this.#options.tables.waits.values()].filter(
      ({ approval, end }) => approval !== undefined && end === undefined,
    );
  }

  #answer(wait: WaitRow): void {
    const { random, scheduler } = this.#options;
    const first = this.#draft(wait);
    if (!first) return;
    this.#send(wait, first);
    // The same answer once more, as its own answer was lost.
    if (random.chance(0.2)) scheduler.after(random.next() * 3_000, () => this.#send(wait, first));
    // Another person's.
    if (random.chance(0.3))
      scheduler.after(random.pick([0, random.next() * 50, random.next() * 20_000]), () => {
        const other = this.#draft(wait);
        if (other) this.#send(wait, other);
      });
  }

  #draft(wait: WaitRow): EventDraft | undefined {
    const { random, scheduler, tables } = this.#options;
    const run = tables.runs.get(keyOf(1, wait.runId));
    if (!run) return undefined;
    const { by } = wait.approval as { readonly by: readonly string[] | null };
    const draft = approvalAnswer(wait, run.pipeline, {
      approved: random.chance(0.6),
      by: random.pick(by ?? ["ann", "bob", "cid"]),
      note: random.chance(0.5) ? `note ${random.below(1_000)}` : null,
      form: random.chance(0.2) ? { amount: random.below(100) } : null,
    });
    return { ...draft, time: epochMs + Math.floor(scheduler.now) };
  }

  #send(wait: WaitRow, draft: EventDraft): void {
    const { random, nodes, journal, checker } = this.#options;
    const ready = nodes.filter((node) => node.isReady);
    if (ready.length === 0) return;
    const { engine } = random.pick(ready);
    checker.given(draft);
    journal.note(`${approvalId(wait)} is answered: ${JSON.stringify(draft.data.value)}`);
    Promise.resolve(engine!.events.prepare(draft))
      .then((row) => engine!.events.append([row]))
      .then(
        ([outcome]: readonly EventOutcome[]) => checker.answered(draft, outcome!),
        (error: unknown) => journal.note(`an answer was refused: ${String(error)}`),
      );
  }
}
