/** What a node is told to do, as its code says it: nothing is left to look up. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { NodeDefinition, PipelineDefinition } from "@millrace/core";
import { Facts } from "../../parts/facts.tsx";
import { SourceLink } from "../../parts/source-link.tsx";
import { durationText } from "../../parts/time-text.ts";

interface NodeOptionsProps {
  readonly node: NodeDefinition;
  readonly definition: PipelineDefinition;
}

export function NodeOptions({ node, definition }: NodeOptionsProps) {
  const { kind, name, calls, wait, options, rule, teardownOf, region, source, description, choices } = node;
  const { retry, timeoutMs, pool, priority, queue, concurrency, cache, env, connections } = options;
  const of = definition.regions.find(({ id }) => id === region);
  const facts: readonly (readonly [string, ReactNode])[] = [
    ["kind", kindText(node)],
    ["task", kind === "task" && name !== node.id ? name : undefined],
    [
      "calls",
      calls === undefined ? undefined : (
        <Link to="/pipelines/$pipeline" params={{ pipeline: calls }}>
          {calls}
        </Link>
      ),
    ],
    ["runs when", rule.replaceAll("_", " ")],
    ["choices", choices?.join(", ")],
    ["tears down", teardownOf?.join(", ")],
    [
      "once per item of",
      of === undefined
        ? undefined
        : `${of.id}${of.concurrency === undefined ? "" : `, ${of.concurrency} at once`}`,
    ],
    [
      "retries",
      retry.retries === 0
        ? undefined
        : `${retry.retries}, ${retry.backoff}, first after ${durationText(retry.delayMs)}`,
    ],
    ["timeout", timeoutMs === undefined ? undefined : durationText(timeoutMs)],
    [
      "waits at most",
      wait?.timeoutMs === undefined
        ? undefined
        : `${durationText(wait.timeoutMs)}, then it ${{ fail: "fails", skip: "is skipped", continue: "goes on" }[wait.onTimeout]}`,
    ],
    ["approval", wait?.approval === undefined ? undefined : (wait.approval.title ?? "a person answers")],
    [
      "pool",
      pool === undefined ? undefined : `${pool.name}, ${pool.slots === 1 ? "1 slot" : `${pool.slots} slots`}`,
    ],
    ["concurrency", concurrency === undefined ? undefined : `${concurrency.limit} for each key`],
    [
      "cache",
      cache === undefined
        ? undefined
        : `version ${cache.version}${cache.expiryMs === undefined ? "" : `, for ${durationText(cache.expiryMs)}`}`,
    ],
    ["priority", priority === 0 ? undefined : priority],
    ["queue", queue === "default" ? undefined : queue],
    ["environment", env.length === 0 ? undefined : env.join(", ")],
    ["connections", connections.length === 0 ? undefined : connections.join(", ")],
    ["writes", <Assets key="writes" names={node.writes} />],
    ["reads", <Assets key="reads" names={node.reads} />],
    [
      "declared in",
      source === undefined ? undefined : (
        <SourceLink key="source" pipeline={definition.name} source={source} />
      ),
    ],
  ];
  return (
    <>
      {description !== undefined && <p className="sentence">{description}</p>}
      <Facts
        facts={facts.filter(
          ([name]) => (name !== "writes" || node.writes?.length) && (name !== "reads" || node.reads?.length),
        )}
      />
    </>
  );
}

function kindText({ kind, wait }: NodeDefinition): string {
  switch (kind) {
    case "wait":
      return wait?.approval ? "waits for a person" : "waits for a condition";
    case "call":
      return "runs another pipeline";
    case "short_circuit":
      return "short circuit: goes on only if it says so";
    case "branch":
      return "branch: chooses what comes after it";
    default:
      return "task";
  }
}

function Assets({ names = [] }: { readonly names?: readonly string[] | undefined }) {
  return (
    <>
      {names.map((name, at) => (
        <span key={name}>
          {at > 0 && ", "}
          <Link to="/assets/$asset" params={{ asset: name }}>
            {name}
          </Link>
        </span>
      ))}
    </>
  );
}
