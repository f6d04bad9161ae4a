/** One dispatch of a function that has steps and waits, as a worker's child process runs it. */
import type { AttemptOutcome, Dispatch, Recorded, Steps, WaitRequest } from "@millrace/protocol";
import type { SeededRandom } from "@millrace/testkit";
import {
  nextOf,
  runStep,
  stepName,
  type KnownRecord,
  type Program,
  type ProgramWait,
} from "./code-program.ts";
import type { Journal } from "./journal.ts";
import { epochMs } from "./scheduler.ts";
import type { StepLedger } from "./step-ledger.ts";

export interface CodeRunOptions {
  readonly dispatch: Dispatch;
  readonly program: Program;
  readonly random: SeededRandom;
  readonly journal: Journal;
  readonly ledger: StepLedger;
  readonly now: () => number;
  /** Later, unless the attempt ends before. */
  readonly later: (delayMs: number, act: () => void) => void;
  readonly send: (message: Steps) => void;
  readonly suspended: (outcome: Extract<AttemptOutcome, { kind: "suspended" | "failed" }>) => void;
  /** Nothing is left but what tasks do without steps and waits. */
  readonly finish: () => void;
}

export class CodeRun {
  readonly #options: CodeRunOptions;
  /** Steps that it recorded itself. */
  readonly #records: KnownRecord[] = [];
  #unrecorded: Steps["steps"][number] | undefined;

  constructor(options: CodeRunOptions) {
    this.#options = options;
  }

  /** Does what comes next. */
  goOn(): void {
    const { dispatch, program, random, journal, ledger, later, suspended, finish } = this.#options;
    const next = nextOf(program, [...(dispatch.records ?? []), ...this.#records]);
    if (next.kind === "end") return finish();
    const durationMs = random.next() * random.pick([1, 20, 400]);
    if (next.kind === "throw") {
      journal.count("code: ended by a failed step");
      return later(durationMs, () => suspended({ kind: "failed", error: next.error }));
    }
    if (next.kind === "suspend") {
      journal.count("code: suspended");
      const waits = next.waits.map((wait) => this.#requestOf(wait));
      for (const { op } of waits) journal.count(`code: waits for ${op.kind}`);
      return later(durationMs, () => suspended({ kind: "suspended", waits }));
    }
    return later(durationMs, () => {
      journal.count("code: steps");
      const name = stepName(next.step);
      ledger.stepRun(dispatch, name);
      const outcome = runStep(next.step, dispatch.token);
      if (outcome.kind === "error") journal.count("code: steps that fail");
      this.#unrecorded = { ...name, outcome };
      this.send();
    });
  }

  #requestOf({ inMs, ...request }: ProgramWait): WaitRequest {
    if (inMs === undefined) return request;
    return { ...request, op: { kind: "sleep_until", at: epochMs + Math.floor(this.#options.now() + inMs) } };
  }

  /** A step stays until it is said to be recorded (W6). */
  send(): void {
    const { token } = this.#options.dispatch;
    if (this.#unrecorded) this.#options.send({ kind: "steps", token, steps: [this.#unrecorded] });
  }

  recorded({ token, steps }: Recorded): void {
    const step = this.#unrecorded;
    if (!step || !steps.some(({ name }) => name === step.name)) return;
    this.#unrecorded = undefined;
    this.#records.push({ kind: "step", name: step.name, outcome: step.outcome });
    this.#options.ledger.stepRecorded(token, step);
    this.goOn();
  }

  /** It is being cancelled: what comes for it is nobody's. */
  stop(): void {
    this.#unrecorded = undefined;
  }
}
