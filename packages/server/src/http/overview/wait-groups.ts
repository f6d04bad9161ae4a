/**
 * What is waited for, grouped by what is awaited: two waits that differ in values alone (`data.orderId = "7"`) are one group.
 * Of very many waits those are looked at that began first and last.
 */
import {
  describeAnswer,
  describeCondition,
  parseCondition,
  type AskedApproval,
  type Json,
} from "@millrace/core";
import type { Reason, WaitGroupView } from "@millrace/protocol";
import { sampleWaits, type SampledWait } from "@millrace/store";
import { workspaceId } from "../../engine/workspace.ts";
import type { ApiContext } from "../api-context.ts";
import { waitGroupsMax, waitsSampledEach } from "../limits.ts";
import { nameTroubles } from "../name-trouble.ts";
import { conditionTroubles } from "../probe-trouble.ts";
import { isoTime } from "../run-summary.ts";

const pipelinesShown = 3;

interface WaitGroup {
  readonly view: WaitGroupView;
  readonly first: SampledWait;
  /** Why they may wait in vain: that of the oldest one. */
  readonly trouble: Reason | undefined;
}

export interface WaitGroups {
  readonly groups: readonly WaitGroup[];
  readonly looked: number;
}

export async function waitGroups(context: ApiContext): Promise<WaitGroups> {
  const waits = await sampleWaits(context.database, workspaceId, waitsSampledEach);
  const texts = new Map<string, string>();
  const groups = new Map<string, SampledWait[]>();
  for (const wait of waits) {
    const text = `${kindOf(wait)}\n${textOf(wait, texts)}`;
    const known = groups.get(text);
    if (known) known.push(wait);
    else groups.set(text, [wait]);
  }
  const largest = [...groups].sort(([, a], [, b]) => b.length - a.length).slice(0, waitGroupsMax);
  const conditions = largest.flatMap(([, [first]]) => first?.condition ?? []);
  const [ofProbes, ofNames] = await Promise.all([
    conditionTroubles(context, conditions),
    nameTroubles(context, conditions),
  ]);
  return {
    looked: waits.length,
    groups: largest.map(([key, members]) => {
      const first = members[0]!;
      const condition = first.condition ?? "";
      const isOne = members.every((wait) => wait.condition === first.condition);
      const text = key.slice(key.indexOf("\n") + 1);
      return {
        view: groupView(kindOf(first) === "event" && isOne ? wholeText(first) : text, members),
        first,
        trouble: ofProbes.get(condition) ?? ofNames.get(condition),
      };
    }),
  };
}

function groupView(text: string, waits: readonly SampledWait[]): WaitGroupView {
  const [oldest] = [...waits].sort((a, b) => a.beganAt - b.beganAt);
  const ofPipelines = new Map<string, number>();
  for (const { pipeline } of waits) ofPipelines.set(pipeline, (ofPipelines.get(pipeline) ?? 0) + 1);
  const timeouts = waits.flatMap(({ timeoutAt }) => timeoutAt ?? []);
  const { runId: run, node, item, beganAt } = oldest!;
  return {
    kind: kindOf(oldest!),
    text,
    waits: waits.length,
    pipelines: [...ofPipelines]
      .sort(([, a], [, b]) => b - a)
      .slice(0, pipelinesShown)
      .map(([pipeline, count]) => ({ pipeline, waits: count })),
    oldest: { run, node, item, since: isoTime(beganAt) },
    ...(timeouts.length === 0 ? {} : { nextTimeoutAt: isoTime(Math.min(...timeouts)) }),
  };
}

function kindOf({ approval, condition }: SampledWait): WaitGroupView["kind"] {
  if (approval !== undefined) return "approval";
  return condition === undefined ? "time" : "event";
}

/** `known`: texts by the JSON of conditions without their values, each made once. */
function textOf({ approval, condition }: SampledWait, known: Map<string, string>): string {
  if (approval !== undefined) return describeAnswer(approval as unknown as AskedApproval);
  if (condition === undefined) return "their time";
  const bare = JSON.parse(condition, (name, value: Json) =>
    name === "where" || name === "only" || name === "by" ? undefined : value,
  ) as Json;
  const key = JSON.stringify(bare);
  let text = known.get(key);
  if (text === undefined) known.set(key, (text = describeCondition(parseCondition(bare, ["condition"]))));
  return text;
}

function wholeText({ condition }: SampledWait): string {
  return describeCondition(parseCondition(JSON.parse(condition!) as Json, ["condition"]));
}
