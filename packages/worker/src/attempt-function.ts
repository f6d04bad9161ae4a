/** What runs an attempt's function, apart from the process that it runs in: the child's, and a test's. */
export { describeThrown, nextRequestOf } from "./child/attempt-error.ts";
export { AttemptOperations } from "./child/attempt-operations.ts";
export { makeContext, type ContextParts } from "./child/context.ts";
export { EmitAnswers, Emitter } from "./child/emit.ts";
export { firingReader } from "./child/firing-members.ts";
export { LogGate } from "./child/log-gate.ts";
export { validatedParams } from "./child/validated-params.ts";
export { produceValue, type Produced, type ValueBounds, type Values } from "./child/value.ts";
export {
  type FromChild,
  type LocalRecord,
  type LocalValue,
  type ProducedStep,
  type ProducedWait,
  type RunAttempt,
} from "./pool/child-message.ts";
