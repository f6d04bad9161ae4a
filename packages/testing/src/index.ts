/** Tests of pipelines on virtual time, by way of `millrace/testing`. */
export { type TestArtifact, type TestLogLine } from "./attempt.ts";
export { type TestExplanation, type TestState, type TestVerdict } from "./explanation.ts";
export { type FiringState } from "./firing-desk.ts";
export { type GivenEvent } from "./given-event.ts";
export { type RerunOptions } from "./next-generation.ts";
export { type MarkOptions, type NodeOptions } from "./run-commands.ts";
export { type Answering, type TaskCall, type TaskControl } from "./task-control.ts";
export { type ProbeControl } from "./probe-desk.ts";
export { type TestAnswer, type TestApproval } from "./test-approval.ts";
export { type TestEvent, type TestFiring } from "./test-firing.ts";
export { type ForeseenFiring } from "./test-resume.ts";
export { type TestNode, type TestRun } from "./test-run.ts";
export { testbed, type Testbed } from "./testbed.ts";
export {
  type ResumeOptions,
  type StartArguments,
  type StartOptions,
  type TestbedOptions,
  type TestClock,
  type TestReceipt,
  type Unfinished,
} from "./testbed-options.ts";
export { type GivenDelivery, type TestDeliveryAnswer } from "./webhook-desk.ts";
