/** The steps and waits of one attempt, in this process. */
import type { FromChild, ProducedWait, RunAttempt } from "../pool/child-message.ts";
import { InlineBudget } from "./inline-budget.ts";
import type { LogGate } from "./log-gate.ts";
import { Operations, type OperationsHost } from "./operations.ts";
import type { ProcessState } from "./process-state.ts";
import type { Values } from "./value.ts";

export interface AttemptOperationsParts {
  readonly run: RunAttempt;
  readonly values: Values;
  readonly state: Pick<ProcessState, "isIdle">;
  readonly gate: LogGate;
  readonly post: (message: FromChild) => void;
  readonly isEmitting: () => boolean;
  readonly suspend: (waits: readonly ProducedWait[]) => void;
}

/** Made at the first use, or when there are records: an attempt without steps and waits pays nothing. */
export class AttemptOperations {
  readonly operations: Operations;
  readonly budget: InlineBudget;

  constructor(parts: AttemptOperationsParts) {
    const records = parts.run.records ?? [];
    this.operations = new Operations(records, hostOf(parts));
    this.budget = new InlineBudget(records);
  }
}

type ProcessHost = Pick<OperationsHost, "read" | "nextTurn" | "later" | "now" | "isQuiet">;

/** What operations need of any process. */
export function processHost(values: Values, state: Pick<ProcessState, "isIdle">): ProcessHost {
  return {
    read: (value) => values.read(value),
    nextTurn: (callback) => setImmediate(callback),
    later: (ms, callback) => setTimeout(callback, ms).unref(),
    now: () => performance.now(),
    isQuiet: () => state.isIdle(),
  };
}

function hostOf({
  run,
  values,
  state,
  gate,
  post,
  isEmitting,
  suspend,
}: AttemptOperationsParts): OperationsHost {
  return {
    ...processHost(values, state),
    beginsSteps: true,
    keepsRecords: run.checkReplay ?? false,
    post: (step) => post({ kind: "step", step }),
    isEmitting,
    suspend,
    warn: (text) => post({ kind: "log", level: "warn", text }),
    wentOn: () => gate.open(),
    repeats: (isLast) => {
      gate.drop();
      if (isLast) gate.open();
    },
  };
}
