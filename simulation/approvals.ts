/** Approvals of simulated pipelines: some nodes that wait ask people, and some functions do. */
import type {
  ApprovalOptions,
  JsonSchema,
  NodeDefinition,
  PipelineDefinition,
  WaitOperation,
} from "@millrace/core";
import { seededRandom, type SeededRandom } from "@millrace/testkit";
import { hashOf } from "./hash.ts";

type Asked = Pick<ApprovalOptions, "title" | "by" | "form">;

/** A form that is large is left out of the event that asks. */
const largeForm: JsonSchema = { type: "object", description: "x".repeat(20_000) };

function makeAsked(random: SeededRandom): Asked {
  return {
    ...(random.chance(0.7) ? { title: random.pick(["Ship it?", "Pay?"]) } : {}),
    ...(random.chance(0.5) ? { by: random.pick([["ann"], ["ann", "bob"]]) } : {}),
    ...(random.chance(0.1) ? { form: largeForm } : {}),
  };
}

/** Of a function. Where there is no timeout a person answers in the end. */
export function makeApproval(random: SeededRandom): WaitOperation {
  const timeoutMs = random.pick([500, 8_000, 60_000, undefined]);
  return { kind: "approval", ...makeAsked(random), ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

/** Each third node that waits asks a person instead; equal for equal nodes. */
export function withApprovals(pipeline: PipelineDefinition): PipelineDefinition {
  return { ...pipeline, nodes: pipeline.nodes.map((node) => withApproval(node, pipeline.name)) };
}

function withApproval(node: NodeDefinition, pipeline: string): NodeDefinition {
  if (node.kind !== "wait" || !node.wait || node.wait.approval) return node;
  const random = seededRandom(hashOf(`${pipeline}/${node.id}/${JSON.stringify(node.wait)}`));
  if (!random.chance(0.35)) return node;
  const { timeoutMs: _timeoutMs, ...wait } = node.wait;
  const onReject = random.pick(["fail", "skip", "continue"] as const);
  const approval = { ...makeAsked(random), onReject };
  return {
    ...node,
    // What the person is shown.
    input: { kind: "object", entries: { params: { kind: "params", path: [] } } },
    wait: random.chance(0.3) ? { ...wait, approval } : { ...node.wait, approval },
  };
}
