/** Which step code runs in, followed through its promises, timers and callbacks. */
import { AsyncLocalStorage } from "node:async_hooks";
import { describeOperation, MillraceError } from "@millrace/core";
import type { EmittedEvent } from "@millrace/sdk";
import type { EmitPlace } from "./emit.ts";
import type { Operation } from "./operations.ts";

export interface StepScope {
  readonly operation: Operation;
  readonly emits: EmitPlace;
  isOver: boolean;
}

/** Made at the first step of the process: code without steps pays nothing. */
let storage: AsyncLocalStorage<StepScope> | undefined;

export function runInStep<T>(scope: StepScope, run: () => T): T {
  storage ??= new AsyncLocalStorage();
  return storage.run(scope, run);
}

export function currentStep(): StepScope | undefined {
  return storage?.getStore();
}

/** A step's record is all that a repeat knows of it: what it began inside would be lost. */
export function refuseInStep(what: string): void {
  const scope = currentStep();
  if (!scope) return;
  throw new MillraceError("MILLRACE_STEP_NESTED", {
    message: `${what} was called inside the ${describeOperation(scope.operation)}.`,
    fields: { step: scope.operation.name },
  });
}

/** Where an event belongs that is emitted now; `undefined`: to the attempt. */
export function emitPlaceHere(event: EmittedEvent): EmitPlace | undefined {
  const type = typeof event.type === "string" ? event.type : event.type.type;
  return placeHere(`An event of type ${type} was emitted`);
}

/** The same of what is told of an asset. */
export function reportPlaceHere(asset: string): EmitPlace | undefined {
  return placeHere(`Something of the asset ${asset} was told`);
}

function placeHere(what: string): EmitPlace | undefined {
  const scope = currentStep();
  if (!scope?.isOver) return scope?.emits;
  throw new MillraceError("MILLRACE_STEP_OVER", {
    message: `${what} after the end of the ${describeOperation(scope.operation)}, in which it was begun.`,
    fields: { step: scope.operation.name },
  });
}
