/** What each answer leads to, as the pipeline says. */
import { useQuery } from "@tanstack/react-query";
import type { NodeDefinition, PipelineDefinition, Template } from "@millrace/core";
import type { ApprovalView } from "@millrace/protocol";
import { one } from "../../api/queries.ts";

const nodesNamed = 3;

export function Consequences({ approval }: { readonly approval: ApprovalView }) {
  const { pipeline, node, timeoutAt } = approval;
  const path = `/pipelines/${encodeURIComponent(pipeline)}` as const;
  const { data } = useQuery({ ...one("definition", path), retry: false });
  if (!data) return null;
  return (
    <ul className="consequences quiet">
      {consequencesOf(data.definition, node, timeoutAt !== undefined).map(([answer, text]) => (
        <li key={answer}>
          <span className="ink">{answer}:</span> {text}
        </li>
      ))}
    </ul>
  );
}

/** Of a node that asks; of task code, which is told the answer and goes on as it likes. */
export function consequencesOf(
  definition: PipelineDefinition,
  id: string,
  hasTimeout: boolean,
): (readonly [answer: string, text: string])[] {
  const node = definition.nodes.find((one) => one.id === id);
  const wait = node?.wait;
  if (!node || !wait?.approval) {
    const text = node
      ? `the task ${id} goes on and is told the answer`
      : "the pipeline that is deployed now does not have its node any more; its run goes on as it was deployed then";
    return [["Whatever is answered", text]];
  }
  const next = nextOf(definition, node);
  const lists: (readonly [string, string])[] = [
    ["Approve", next === "" ? "the run goes on; nothing else waits for it" : `${next} may begin`],
    ["Reject", textOf(wait.approval.onReject, id, next, "no")],
  ];
  if (hasTimeout) lists.push(["No answer in time", textOf(wait.onTimeout, id, next, "no answer")]);
  return lists;
}

function textOf(then: "fail" | "skip" | "continue", id: string, next: string, told: string): string {
  const follows = next === "" ? "" : `, and ${next}`;
  switch (then) {
    case "fail":
      return `${id} fails${next === "" ? "" : `, and ${next} does not begin`}`;
    case "skip":
      return `${id} is skipped${follows === "" ? "" : `${follows} with it, as their rules have it`}`;
    default:
      return `the run goes on${next === "" ? "" : ` with ${next}, which is told: ${told}`}`;
  }
}

/** What hangs directly on it. */
function nextOf({ nodes }: PipelineDefinition, { id }: NodeDefinition): string {
  const names = nodes.filter((one) => isAfter(one, id)).map((one) => one.id);
  const shown = names.slice(0, nodesNamed).join(", ");
  return names.length > nodesNamed ? `${shown} and ${names.length - nodesNamed} more` : shown;
}

/** By an edge, or by what its input is made of. */
function isAfter({ after, input }: NodeDefinition, id: string): boolean {
  if (after.some((edge) => edge.node === id)) return true;
  return readsOutput(input, id);
}

function readsOutput(template: Template, id: string): boolean {
  switch (template.kind) {
    case "output":
      return template.node === id;
    case "object":
      return Object.values(template.entries).some((entry) => readsOutput(entry, id));
    case "array":
      return template.items.some((item) => readsOutput(item, id));
    default:
      return false;
  }
}
