/** Which triggers an event concerns, and what each decided on it, or would decide. */
import {
  beginKey,
  explainInstance,
  givenEntry,
  isStateless,
  judgeEvent as judge,
  operandsOf,
  parseCloudEvent,
  tellKey,
  type Condition,
  type LogEvent,
  type VerdictPort,
} from "@millrace/core";
import type {
  EventPreview,
  EventPreviewRequest,
  TriggerDecision,
  TriggerDecisions,
} from "@millrace/protocol";
import { pageSizeMax } from "@millrace/protocol/operations";
import { findEventPositions, findTriggerKeys, listTriggerRows, type TriggerRow } from "@millrace/store";
import { loadTrigger, restoreKey, type LoadedTrigger } from "../engine/trigger/loaded-trigger.ts";
import { asConditionEvent } from "../engine/trigger/telling.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { requireEntry } from "./event-find.ts";
import { judgedTriggersMax, replayedMs, triggersLookedMax } from "./limits.ts";
import { requireTrigger } from "./trigger-find.ts";
import { judgeEvent } from "./trigger-verdict.ts";

export async function decisionsOf(context: ApiContext, position: string): Promise<TriggerDecisions> {
  const entry = await requireEntry(context, position, undefined);
  return decideAll(context, entry.type, async ({ pipeline }) => {
    const found = await requireTrigger(context, pipeline);
    const trigger = loadTrigger(found.row);
    const {
      position: _position,
      type: _type,
      replayed: _replayed,
      ...finding
    } = await judgeEvent(context, {
      found,
      trigger,
      entry,
    });
    return { pipeline, ...finding };
  });
}

/** Says what an event would do now. Nothing is recorded. */
export async function previewEvent(
  context: ApiContext,
  { event }: EventPreviewRequest,
): Promise<EventPreview> {
  const { engine } = context.host;
  const find = (name: string): ReturnType<typeof engine.assets.find> => engine.assets.find(name);
  const draft = givenEntry(parseCloudEvent(event), { find, now: engine.now() });
  const invalid = engine.eventTypes.invalidOf(draft);
  const [position] = await findEventPositions(context.database, workspaceId, draft);
  const { head } = await engine.events.read(0, 1);
  const entry: LogEvent = {
    ...draft,
    invalid,
    workspace: workspaceId,
    position: head.position + 1,
    recordedAt: engine.now(),
    time: draft.time ?? engine.now(),
  };
  const told = await decideAll(context, entry.type, (row) => wouldDecide(context, row, entry));
  return {
    ...told,
    ...(invalid === undefined ? {} : { invalid }),
    ...(position === undefined ? {} : { position }),
  };
}

/** Asks triggers that listen to the type, in the order of their names, as long as there is time. */
async function decideAll(
  context: ApiContext,
  type: string,
  decide: (row: TriggerRow) => Promise<TriggerDecision>,
): Promise<TriggerDecisions> {
  const deadline = context.clock.monotonic() + replayedMs;
  const { rows, others, isCut } = await listenersTo(context, type);
  const decisions: TriggerDecision[] = [];
  const unasked: string[] = [];
  for (const row of rows) {
    if (decisions.length >= judgedTriggersMax || context.clock.monotonic() > deadline)
      unasked.push(row.pipeline);
    else decisions.push(await decide(row));
  }
  return { decisions, unasked, others, ...(isCut ? { othersAreMore: true } : {}) };
}

async function listenersTo(
  { database }: ApiContext,
  type: string,
): Promise<{ readonly rows: readonly TriggerRow[]; readonly others: number; readonly isCut: boolean }> {
  const rows: TriggerRow[] = [];
  let looked = 0;
  for (let afterName = ""; looked < triggersLookedMax;) {
    const page = await listTriggerRows(database, workspaceId, { afterName, limit: pageSizeMax });
    looked += page.length;
    rows.push(...page.filter(({ definition }) => definition && asksFor(definition.condition, type)));
    const last = page.at(-1);
    if (!last || page.length < pageSizeMax) return { rows, others: looked - rows.length, isCut: false };
    afterName = last.pipeline;
  }
  return { rows, others: looked - rows.length, isCut: true };
}

/** Whether an atom of the condition is about the type: without compiling thousands of them. */
function asksFor(condition: Condition, type: string): boolean {
  switch (condition.kind) {
    case "event":
      return condition.type.endsWith("*")
        ? type.startsWith(condition.type.slice(0, -1))
        : condition.type === type;
    case "updated":
      return type === "millrace.asset.updated";
    case "reached":
      return type === "millrace.asset.updated" || type === "millrace.asset.progress";
    default:
      return operandsOf(condition).some((operand) => asksFor(operand, type));
  }
}

async function wouldDecide(context: ApiContext, row: TriggerRow, entry: LogEvent): Promise<TriggerDecision> {
  const { pipeline } = row;
  const trigger = loadTrigger(row);
  const port = portOf(context, trigger);
  const finding = await judge(port, { trigger, entry, toldTo: entry.position - 1, isOurs: true });
  const { verdict, text, faults, keys = [] } = finding;
  const shownKeys = keys.length === 0 ? {} : { keys };
  // What it would be told.
  if (verdict !== "unread") return { pipeline, verdict, text, ...shownKeys, ...(faults ? { faults } : {}) };
  return { pipeline, ...(await tell(context, trigger, entry)), ...shownKeys };
}

/** Tells copies of its states. */
async function tell(
  { database, host }: ApiContext,
  trigger: LoadedTrigger,
  entry: LogEvent,
): Promise<Pick<TriggerDecision, "verdict" | "text">> {
  const { program, row } = trigger;
  const event = await asConditionEvent(host.engine.values, entry);
  const names = program?.keysOf(event) ?? [];
  const { pipeline, activated } = row;
  for (const state of await findTriggerKeys(
    database,
    workspaceId,
    names.map((key) => ({ pipeline, key })),
  ))
    trigger.keys.set(state.key, restoreKey(state));
  if (program && !program.isKeyed && !isStateless(trigger) && !trigger.keys.has(""))
    trigger.keys.set("", beginKey(program, "", activated.recordedAt, activated.position));
  const told = names.map((key) => tellKey(trigger, key, event));
  const own = told
    .flatMap(({ firings }) => firings)
    .filter(({ firing }) =>
      firing.members.some((member) => member.kind === "event" && member.position === entry.position),
    );
  const [first] = own;
  if (first) {
    const count = first.firing.members.length;
    const together = count === 1 ? "" : `, with ${count - 1} that came before`;
    return {
      verdict: "fires",
      text: own.length === 1 ? `it would start a run${together}` : `it would start ${own.length} runs`,
    };
  }
  const [touched] = told.filter((one) => one.touched);
  if (!touched || !program)
    return { verdict: "changes_nothing", text: "it would change nothing, as the condition stands" };
  const { text } = explainInstance(program, touched.state.instance);
  return { verdict: "gathers", text: `it would count, and then the condition ${text}` };
}

/** An event that is not there yet has left nothing in rows. */
function portOf({ host }: ApiContext, trigger: LoadedTrigger): VerdictPort<never> {
  const none = (): Promise<readonly never[]> => Promise.resolve([]);
  return {
    firingsOfEvent: none,
    refusedFirings: none,
    firingsAt: none,
    changes: none,
    holding: none,
    asEvent: (entry) => asConditionEvent(host.engine.values, entry),
    pages: async function* () {},
    fresh: () => loadTrigger(trigger.row),
    replayedEntriesMax: 0,
    isLate: () => true,
  };
}
