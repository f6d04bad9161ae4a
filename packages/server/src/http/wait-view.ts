/** What runs wait for, as people see it: computed when somebody looks, from the rows. */
import {
  describeAnswer,
  approvalId,
  compileCondition,
  describeCondition,
  explainInstance,
  parseCondition,
  type AskedApproval,
  type Json,
  type OpenWait,
  type Reason,
} from "@millrace/core";
import type { OpenWaitView, TaskRunView, WaitView } from "@millrace/protocol";
import { findCallsOfRun, findWaitsOfRun, type FoundWait } from "@millrace/store";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { explainedWaitsMax, waitsShownMax } from "./limits.ts";
import { nameTroubles } from "./name-trouble.ts";
import { conditionTroubles } from "./probe-trouble.ts";
import { isoTime } from "./run-summary.ts";
import { tickTrouble } from "./tick-trouble.ts";
import { explanationView } from "./trigger-view.ts";

/** By node and item. */
export type WaitsOfRun = ReadonlyMap<string, readonly OpenWaitView[]>;

const none: WaitsOfRun = new Map();

/** Of these task runs of one run; those that do not wait cost nothing. */
export async function waitsOfRun(
  context: ApiContext,
  runId: string,
  rows: readonly { readonly state: string }[],
): Promise<WaitsOfRun> {
  if (!rows.some(({ state }) => state === "waiting")) return none;
  const [waits, calls] = await Promise.all([
    findWaitsOfRun(context.database, workspaceId, runId),
    findCallsOfRun(context.database, workspaceId, runId),
  ]);
  const found = new Map<string, OpenWaitView[]>();
  const add = (node: string, item: string, view: OpenWaitView): void => {
    const known = found.get(nameOf(node, item));
    if (!known) found.set(nameOf(node, item), [view]);
    else if (known.length < waitsShownMax) known.push(view);
  };
  const open = waits.filter(({ end }) => end === undefined);
  const troubles = await troublesOf(context, open);
  let explained = 0;
  for (const wait of open) {
    const isExplained = wait.state !== undefined && explained < explainedWaitsMax;
    if (isExplained) explained += 1;
    const state = isExplained ? { state: await explain(context, wait) } : {};
    add(wait.node, wait.item, { ...openWaitView(wait, troubles), ...state });
  }
  for (const { node, item, open } of calls) for (const call of open) add(node, item, callView(call));
  return found;
}

function nameOf(node: string, item: string): string {
  return `${node}\n${item}`;
}

async function explain(context: ApiContext, wait: FoundWait): Promise<NonNullable<OpenWaitView["state"]>> {
  const condition = parseCondition(JSON.parse(wait.condition!) as Json, ["condition"]);
  const program = compileCondition(condition, `${wait.runId}/${wait.node}/${wait.item}`);
  const instance = { key: undefined, state: JSON.parse(wait.state!) as object };
  return explanationView(context, explainInstance(program, instance));
}

export async function waitViews(context: ApiContext, waits: readonly FoundWait[]): Promise<WaitView[]> {
  const troubles = await troublesOf(context, waits);
  return waits.map((wait) => {
    const { runId: run, pipeline, node, item } = wait;
    return { run, pipeline, node, item, ...openWaitView(wait, troubles) };
  });
}

type Troubles = ReadonlyMap<string, Reason>;

async function troublesOf(context: ApiContext, waits: readonly FoundWait[]): Promise<Troubles> {
  const conditions = waits.flatMap(({ condition }) => condition ?? []);
  const [ofProbes, ofNames] = await Promise.all([
    conditionTroubles(context, conditions),
    nameTroubles(context, conditions),
  ]);
  return new Map([...ofProbes, ...ofNames]);
}

function openWaitView(wait: FoundWait, troubles: Troubles): OpenWaitView {
  const trouble = troubles.get(wait.condition ?? "") ?? tickTrouble(wait);
  const { name, occurrence, approval, condition, beganAt, timeoutAt } = wait;
  return {
    ...(name === "" ? {} : { name, occurrence }),
    kind: approval === undefined ? (condition === undefined ? "time" : "event") : "approval",
    text: textOf(wait),
    since: isoTime(beganAt),
    ...(timeoutAt === undefined ? {} : { timeoutAt: isoTime(timeoutAt) }),
    ...(trouble ? { trouble } : {}),
    ...(approval === undefined ? {} : { approval: approvalId(wait) }),
  };
}

function textOf({ approval, condition }: FoundWait): string {
  if (approval !== undefined) return describeAnswer(approval as unknown as AskedApproval);
  if (condition === undefined) return "its time";
  return describeCondition(parseCondition(JSON.parse(condition) as Json, ["condition"]));
}

function callView({ name, occurrence, op, childRunId }: OpenWait): OpenWaitView {
  const pipeline = op.kind === "call" ? op.pipeline : "";
  return {
    name,
    occurrence,
    kind: "call",
    text: `a run of ${pipeline}`,
    ...(childRunId === undefined ? {} : { childRunId }),
  };
}

/** The view of a task run with what it waits for. One that has a reason of its own keeps it. */
export function withWaits(view: TaskRunView, waits: WaitsOfRun): TaskRunView {
  const own = view.state === "waiting" ? waits.get(nameOf(view.id, view.item)) : undefined;
  if (!own) return view;
  return { ...view, reason: view.reason ?? reasonOf(own), waits: own };
}

function reasonOf(waits: readonly OpenWaitView[]): Reason {
  const [first] = waits;
  const { since, timeoutAt, text } = first!;
  const trouble = waits.find((wait) => wait.trouble)?.trouble;
  const until = timeoutAt === undefined ? "" : `, until ${timeoutAt}`;
  const more = waits.length > 1 ? `, and for ${waits.length - 1} more` : "";
  return {
    code: "waits",
    message: `It waits for ${text}${until}${more}.${trouble ? ` ${trouble.message}` : ""}`,
    fields: {
      ...(since === undefined ? {} : { since }),
      ...(timeoutAt === undefined ? {} : { timeoutAt }),
      ...(trouble ? { trouble: trouble.code } : {}),
    },
  };
}
