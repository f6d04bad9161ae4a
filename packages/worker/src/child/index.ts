/** What runs an attempt's function, apart from the process that it runs in: the child's, and a test's. */
export { describeThrown, nextRequestOf } from "./attempt-error.ts";
export { makeContext, type ContextParts } from "./context.ts";
export { EmitAnswers, Emitter } from "./emit.ts";
export { type FromChild, type RunAttempt } from "../pool/child-message.ts";
export { validatedParams } from "./validated-params.ts";
export { checkOutput, type ValueBounds } from "./value.ts";
export { connectionVariable } from "./connection.ts";
