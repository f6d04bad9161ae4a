/** `GET /triggers/:pipeline/explain`: what a trigger has and waits for (C10), read from its rows. */
import {
  explainInstance,
  forgottenAt,
  keyIdleMs,
  MillraceError,
  nearestName,
  beginKey,
  type KeyState,
} from "@millrace/core";
import type { Operations, TriggerExplanation } from "@millrace/protocol";
import { findTriggerKeys, listFirings, listTriggerKeys } from "@millrace/store";
import { loadTrigger, restoreKey, type LoadedTrigger } from "../engine/trigger/loaded-trigger.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { requireEntry } from "./event-find.ts";
import { keysShownMax } from "./limits.ts";
import type { ApiRequest } from "./route.ts";
import { isoTime } from "./run-summary.ts";
import { requireTrigger, summaryOf, type FoundTrigger } from "./trigger-find.ts";
import { judgeEvent } from "./trigger-verdict.ts";
import { explanationView, firingView, gateView, keyView } from "./trigger-view.ts";

export async function explainTrigger(
  context: ApiContext,
  request: ApiRequest<Operations["explainTrigger"]>,
): Promise<TriggerExplanation> {
  const found = await requireTrigger(context, request.path.pipeline);
  const named = request.query.event;
  const trigger = loadTrigger(found.row);
  const summary = await summaryOf(context, found.row.pipeline);
  const entry = named === undefined ? undefined : await requireEntry(context, named, request.query.source);
  const event = entry && (await judgeEvent(context, { found, trigger, entry }));
  const given = request.query.key ?? (event?.keys?.length === 1 ? event.keys[0] : undefined);
  const isAsked = request.query.key !== undefined;
  const state = await statePart(context, { found, trigger, key: given, isAsked });
  const gate = await gateView(context, found.row, found.definition);
  return {
    trigger: summary,
    ...(gate ? { gate } : {}),
    ...(await lastFiring(context, found.row.pipeline, state.key)),
    ...state,
    ...(event ? { event } : {}),
  };
}

async function lastFiring(
  { database }: ApiContext,
  pipeline: string,
  key: string | undefined,
): Promise<Pick<TriggerExplanation, "lastFiring">> {
  const page = { pipeline, key, before: undefined, limit: 1 };
  const [newest] = (await listFirings(database, workspaceId, page)).map(firingView);
  return newest ? { lastFiring: newest } : {};
}

async function statePart(
  context: ApiContext,
  asked: {
    readonly found: FoundTrigger;
    readonly trigger: LoadedTrigger;
    readonly key: string | undefined;
    /** By the reader: then it is wrong where there is no such key. */
    readonly isAsked: boolean;
  },
): Promise<Pick<TriggerExplanation, "key" | "state" | "forgottenAt" | "keys">> {
  const { trigger, key, isAsked } = asked;
  const { pipeline } = trigger.row;
  const isKeyed = trigger.program?.isKeyed === true;
  if (!isKeyed && isAsked)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `The trigger of "${pipeline}" has no keys: its state is one.`,
      fields: { query: "key" },
    });
  if (!isKeyed || key !== undefined) {
    const state = await findState(context, trigger, key ?? "");
    if (state) return shown(context, trigger, isKeyed ? state : { ...state, key: "" });
    // It holds nothing of a key that fired: it begins anew with the next event.
    if (isAsked && (await hasFired(context, pipeline, key ?? "")))
      return { key: key ?? "", ...(await shown(context, trigger, beginning(asked.found, trigger))) };
    if (isAsked) return refuseKey(context, asked.found, key ?? "");
  }
  const page = { pipeline, afterKey: undefined, limit: keysShownMax };
  const rows = isKeyed ? await listTriggerKeys(context.database, workspaceId, page) : [];
  const [only] = rows;
  if (only && rows.length === 1 && key === undefined) return shown(context, trigger, restoreKey(only));
  // Nothing is gathered of any key: this is how each of them begins.
  if (rows.length === 0) return shown(context, trigger, beginning(asked.found, trigger));
  return { keys: rows.map(keyView) };
}

async function hasFired({ database }: ApiContext, pipeline: string, key: string): Promise<boolean> {
  const page = { pipeline, key, before: undefined, limit: 1 };
  return (await listFirings(database, workspaceId, page)).length > 0;
}

async function shown(
  context: ApiContext,
  trigger: LoadedTrigger,
  state: KeyState,
): Promise<Pick<TriggerExplanation, "key" | "state" | "forgottenAt">> {
  const { program } = trigger;
  if (!program) return {};
  const explanation = await explanationView(context, explainInstance(program, state.instance));
  if (state.key === "") return { state: explanation };
  const forgotten = forgottenAt(trigger, state);
  return {
    key: state.key,
    state: explanation,
    ...(forgotten === undefined ? {} : { forgottenAt: isoTime(forgotten) }),
  };
}

async function findState(
  { database }: ApiContext,
  { row, program }: LoadedTrigger,
  key: string,
): Promise<KeyState | undefined> {
  const { pipeline, activated } = row;
  const [found] = await findTriggerKeys(database, workspaceId, [{ pipeline, key }]);
  if (found) return restoreKey(found);
  // An event alone has no state.
  if (!program || program.isKeyed) return undefined;
  return beginKey(program, "", activated.recordedAt, activated.position);
}

function beginning({ row }: FoundTrigger, { program }: LoadedTrigger): KeyState {
  if (!program) throw new Error("invariant broken: a trigger that was found has a condition");
  return beginKey(program, "", row.activated.recordedAt, row.activated.position);
}

async function refuseKey({ database }: ApiContext, found: FoundTrigger, key: string): Promise<never> {
  const { pipeline } = found.row;
  const rows = await listTriggerKeys(database, workspaceId, { pipeline, afterKey: undefined, limit: 1_000 });
  const names = rows.map((row) => row.key);
  const near = nearestName(key, names);
  const some = names.slice(0, 5).join(", ");
  throw new MillraceError("MILLRACE_TRIGGER_KEY_UNKNOWN", {
    message: `The trigger of "${pipeline}" holds nothing for the key "${key.slice(0, 100)}"; one that nothing touched for ${keyIdleMs / 86_400_000} days is forgotten.${whyNotYet(found)}${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    ...(near === undefined
      ? { advice: names.length === 0 ? "It holds nothing for any key." : `Some of its keys: ${some}.` }
      : {}),
    fields: { pipeline, key: key.slice(0, 100) },
  });
}

/** What its states may not hold yet. */
function whyNotYet({ row, toldTo, head }: FoundTrigger): string {
  if (row.paused) return ` It is paused, and takes what came since when it is resumed.`;
  if (toldTo >= head) return "";
  return ` Its rows say that it was told the log up to position ${toldTo} of ${head}.`;
}
