/**
 * What became of one event for one trigger. What is asked first is what rows and the event itself tell; only an event that
 * concerned the trigger and left no trace is told again, with the log around it, to a state of its own.
 */
import {
  compileEventKey,
  holdsEntry,
  type ConditionEvent,
  type EventUse,
  type LogEvent,
  isStateless,
  isTypeOf,
} from "@millrace/core";
import type { EventExplanation } from "@millrace/protocol";
import { findFiringsOfEvent, findTriggerKeys, listEvents, listFirings } from "@millrace/store";
import { restoreKey, type LoadedTrigger } from "../engine/trigger/loaded-trigger.ts";
import { asConditionEvent } from "../engine/trigger/telling.ts";
import { readTriggerEvent, triggerPaused, triggerResumed } from "../engine/trigger/trigger-event.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { eventFiringsMax } from "./limits.ts";
import { isoTime } from "./run-summary.ts";
import { finding, type Case, type Finding } from "./trigger-finding.ts";
import { replayEvent } from "./trigger-replay.ts";
import { firingView } from "./trigger-view.ts";

export async function judgeEvent(context: ApiContext, judged: Case): Promise<EventExplanation> {
  const { position, type } = judged.entry;
  return { position, type, ...(await findingOf(context, judged)) };
}

async function findingOf(context: ApiContext, judged: Case): Promise<Finding> {
  const { entry, trigger } = judged;
  const fired = await firedWith(context, judged);
  if (fired) return fired;
  const refused = refusedAtOnce(judged);
  if (refused) return refused;
  const event = await asConditionEvent(context.host.engine.values, entry);
  const unfit = unfitFor(trigger, event);
  if (unfit) return unfit;
  const keys = trigger.program?.keysOf(event) ?? [];
  const shownKeys = trigger.program?.isKeyed ? { keys } : {};
  return {
    ...((await heldOff(context, judged)) ??
      (await gathered(context, judged, keys)) ??
      unreadYet(judged) ??
      (await replayEvent(context, { ...judged, event, keys }))),
    ...shownKeys,
  };
}

async function firedWith({ database }: ApiContext, { entry, trigger }: Case): Promise<Finding | undefined> {
  const { pipeline } = trigger.row;
  const { position } = entry;
  const asked = { position, pipeline, limit: eventFiringsMax };
  const found = await findFiringsOfEvent(database, workspaceId, asked);
  if (found.length > 0) {
    const runs = found.map(({ runId }) => runId).join(", ");
    const text =
      found.length === 1
        ? `it is a member of the firing that started run ${runs}`
        : `it is a member of ${found.length} firings`;
    return finding("member", text, { firings: found.map(firingView) });
  }
  if (!isStateless(trigger)) return undefined;
  // A firing without a run has no members: its name is the event's position.
  const page = { pipeline, key: undefined, before: undefined, limit: 1_000 };
  const refused = (await listFirings(database, workspaceId, page)).filter(
    ({ occurrence, runId }) => occurrence === position && runId === undefined,
  );
  if (refused.length === 0) return undefined;
  const why = refused[0]!.reason?.message ?? "";
  return finding("member", `it fired, and no run could begin: ${why}`, { firings: refused.map(firingView) });
}

/** What the entry says without its data. */
function refusedAtOnce({ entry, trigger }: Case): Finding | undefined {
  const { lane, invalid, type, position } = entry;
  if (lane !== "live") return finding("wrong_lane", `it is of the lane ${lane}; triggers see the lane live`);
  if (invalid !== undefined)
    return finding("invalid", `it does not fit the declaration of its type, and fires nothing: ${invalid}`);
  if (!isTypeOf(trigger, type)) {
    const wanted = [...new Set((trigger.program?.events ?? []).map(typeOfUse))];
    const text =
      wanted.length === 0
        ? "the trigger asks for no events, but for time alone"
        : `its type is ${type}; the trigger asks for ${wanted.join(", ")}`;
    return finding("wrong_type", text);
  }
  const { activated, version } = trigger.row;
  if (position > activated.position) return undefined;
  return finding(
    "stale",
    `it came before version ${version} of the trigger began, at position ${activated.position} (${isoTime(activated.recordedAt)})`,
  );
}

/** Its filters and keys. */
function unfitFor(trigger: LoadedTrigger, event: ConditionEvent): Finding | undefined {
  const uses = (trigger.program?.events ?? []).filter((use) => isTypeOfUse(use, event.type));
  const fitting = uses.filter((use) => use.matches(event));
  if (fitting.length === 0) {
    const faults = uses.flatMap(({ operand, where }) =>
      (where?.explain(event) ?? []).map(({ part, expected, found }) => ({ operand, part, expected, found })),
    );
    const text = faults.map(({ part, expected, found }) => `${part}: expected ${expected}, found ${found}`);
    return finding("filtered", `it does not fit the filter: ${text.join("; ")}`, { faults });
  }
  if (fitting.some((use) => use.key(event) !== undefined)) return undefined;
  return finding("no_key", `it has no key: ${[...new Set(keyFaults(trigger, fitting, event))].join("; ")}`);
}

function keyFaults(trigger: LoadedTrigger, uses: readonly EventUse[], event: ConditionEvent): string[] {
  const by = trigger.program?.condition.by;
  if (!by) return [];
  const keys = by.kind === "operands" ? uses.flatMap(({ operand }) => by.of[operand] ?? []) : [by];
  return keys.map((key) => {
    const outcome = compileEventKey(key).keyOf(event);
    return "fault" in outcome ? outcome.fault : "the key is too long, or no whole text";
  });
}

/** A pause that holds, or one whose end left it out. */
async function heldOff({ database }: ApiContext, { entry, trigger }: Case): Promise<Finding | undefined> {
  const { paused, definition, pipeline } = trigger.row;
  const { position } = entry;
  if (paused && position > paused.position)
    return finding(
      "paused",
      `it came while the trigger is paused, since ${isoTime(paused.recordedAt)}, and is kept`,
    );
  const changes = async (type: string, bounds: { after?: number; before?: number }): Promise<LogEvent[]> =>
    listEvents(database, workspaceId, {
      type,
      subject: pipeline,
      source: undefined,
      since: undefined,
      until: undefined,
      after: bounds.after ?? 0,
      before: bounds.before,
      limit: 1_000,
    });
  const [pause] = await changes(triggerPaused, { before: position, after: trigger.row.activated.position });
  if (!pause) return undefined;
  // The newest come first: the last one is the first after the pause.
  const resume = (await changes(triggerResumed, { after: pause.position })).at(-1);
  if (!resume || resume.position < position) return undefined;
  const change = readTriggerEvent(resume);
  const how = (change?.kind === "resumed" ? change.onResume : undefined) ?? definition?.onResume ?? "all";
  if (how === "all") return undefined;
  const policy = typeof how === "string" ? how : `limit ${how.limit}`;
  return finding(
    "left_out",
    `it came during a pause, and the resume at position ${resume.position} (onResume: ${policy}) left it out`,
  );
}

async function gathered(
  { database }: ApiContext,
  { entry, trigger }: Case,
  keys: readonly string[],
): Promise<Finding | undefined> {
  const { pipeline } = trigger.row;
  const names = keys.map((key) => ({ pipeline, key }));
  const rows = await findTriggerKeys(database, workspaceId, names);
  const holding = rows.filter((row) => holdsEntry(restoreKey(row).instance, entry.position));
  if (holding.length === 0) return undefined;
  const of = trigger.program?.isKeyed
    ? ` in the state of the key ${holding.map(({ key }) => key).join(", ")}`
    : "";
  return finding("gathered", `it counts, and waits${of} for the others`);
}

function unreadYet({ entry, found }: Case): Finding | undefined {
  if (entry.position <= found.toldTo) return undefined;
  const text = found.isOurs
    ? `the trigger was told the log up to position ${found.toldTo} so far`
    : `the rows of the trigger say that it was told the log up to position ${found.toldTo}; another server has it, which may be further`;
  return finding("unread", text);
}

function isTypeOfUse(use: EventUse, type: string): boolean {
  return use.isPrefix ? type.startsWith(use.type) : type === use.type;
}

function typeOfUse({ type, isPrefix }: EventUse): string {
  return isPrefix ? `${type}*` : type;
}
