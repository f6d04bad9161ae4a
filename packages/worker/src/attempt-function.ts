/** What runs an attempt's function, apart from the process that it runs in: the child's, and a test's. */
export { describeThrown, nextRequestOf } from "./child/attempt-error.ts";
export { makeContext, type ContextParts } from "./child/context.ts";
export { EmitAnswers, Emitter } from "./child/emit.ts";
export { type FromChild, type RunAttempt } from "./pool/child-message.ts";
export { validatedParams } from "./child/validated-params.ts";
export { checkOutput, type ValueBounds } from "./child/value.ts";
