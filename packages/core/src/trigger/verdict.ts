/**
 * What became of one event for one trigger. What is asked first is what rows and the event itself tell; only an event that
 * concerned the trigger and left no trace is told again, with the log around it, to a state of its own.
 */
import type { EventUse } from "../condition/compile.ts";
import type { ConditionEvent } from "../condition/condition-event.ts";
import { compileEventKey } from "../condition/where/event-key.ts";
import { liveLane, type LogEvent } from "../event/event.ts";
import { finding, type EventFinding } from "./finding.ts";
import { isStateless, type HeldTrigger, type LogPlace } from "./held-trigger.ts";
import { isTypeOf } from "./telling.ts";
import { readTriggerEvent, triggerPaused, triggerResumed } from "./trigger-event.ts";
import { replayEvent, verdictOfFirings } from "./verdict-replay.ts";

export interface JudgedTrigger extends HeldTrigger {
  readonly row: HeldTrigger["row"] & { readonly activated: LogPlace; readonly paused: LogPlace | undefined };
}

/** A firing, as far as a verdict says something of it. */
export interface JudgedFiring {
  readonly at: number;
  readonly version: number;
  readonly runId: string | undefined;
  readonly reason: { readonly code?: string; readonly message: string } | undefined;
  /** Where it stands at its trigger's gate, and the run of the firing that it was merged into. */
  readonly gate?: "waiting" | "started" | undefined;
  readonly intoRun?: string | undefined;
}

export interface JudgedCase<Trigger extends JudgedTrigger = JudgedTrigger> {
  readonly trigger: Trigger;
  readonly entry: LogEvent;
  /** Everything up to here was told to the trigger, by whoever holds it. */
  readonly toldTo: number;
  /** Whether it is held here and is no further; else it may be. */
  readonly isOurs: boolean;
}

/** Where rows and entries are read. */
export interface VerdictPort<Firing extends JudgedFiring> {
  /** Those of which the entry is a member. */
  firingsOfEvent(position: number): Promise<readonly Firing[]>;
  /** Of a trigger of single events: those of this position that started no run. */
  refusedFirings(position: number): Promise<readonly Firing[]>;
  /** Those of a key that were decided at this instant. */
  firingsAt(key: string, at: number): Promise<readonly Firing[]>;
  asEvent(entry: LogEvent): Promise<ConditionEvent>;
  /** Entries of this type that speak of the trigger, the newest first. */
  changes(
    type: string,
    bounds: { readonly after: number; readonly before?: number },
  ): Promise<readonly LogEvent[]>;
  /** Those of the keys whose state holds the entry. */
  holding(keys: readonly string[], position: number): Promise<readonly string[]>;
  /** The entries after one position, up to and with another, with the log's end. */
  pages(
    after: number,
    until: number,
  ): AsyncIterable<{
    readonly events: readonly LogEvent[];
    readonly until: number;
    readonly head: { readonly position: number; readonly clock: number };
  }>;
  /** A trigger like it that has no states. */
  fresh(): HeldTrigger;
  /** Entries that are told again at most. */
  readonly replayedEntriesMax: number;
  /** Whether telling again has taken long enough. */
  isLate(): boolean;
}

/** What became of the entry for the trigger (C10). */
export async function judgeEvent<Firing extends JudgedFiring>(
  port: VerdictPort<Firing>,
  judged: JudgedCase,
): Promise<EventFinding<Firing>> {
  const { entry, trigger } = judged;
  const fired = await firedWith(port, judged);
  if (fired) return fired;
  const refused = refusedAtOnce(judged);
  if (refused) return refused;
  const event = await port.asEvent(entry);
  const unfit = unfitFor(trigger, event);
  if (unfit) return unfit;
  const keys = trigger.program?.keysOf(event) ?? [];
  const shownKeys = trigger.program?.isKeyed ? { keys } : {};
  return {
    ...((await heldOff(port, judged)) ??
      (await gathered(port, judged, keys)) ??
      unreadYet(judged) ??
      (await replayEvent(port, { ...judged, keys }))),
    ...shownKeys,
  };
}

async function firedWith<Firing extends JudgedFiring>(
  port: VerdictPort<Firing>,
  { entry, trigger }: JudgedCase,
): Promise<EventFinding<Firing> | undefined> {
  const found = await port.firingsOfEvent(entry.position);
  if (found.length > 0) {
    const [only] = found;
    const text = only && found.length === 1 ? memberText(only) : `it is a member of ${found.length} firings`;
    return finding(verdictOfFirings(found), text, { firings: found });
  }
  if (!isStateless(trigger)) return undefined;
  // A firing without a run has no members: its name is the event's position.
  const refused = await port.refusedFirings(entry.position);
  if (refused.length === 0) return undefined;
  const why = refused[0]!.reason?.message ?? "";
  return finding("refused", `it fired, and no run could begin: ${why}`, { firings: refused });
}

function memberText({ runId, reason, gate, intoRun }: JudgedFiring): string {
  if (intoRun !== undefined) return `its firing was merged into the one that starts run ${intoRun}`;
  if (gate === "waiting")
    return `it is a member of a firing that waits for a slot of its pipeline, and will start run ${runId}`;
  if (reason) return `it fired, and no run began: ${reason.message}`;
  return `it is a member of the firing that started run ${runId}`;
}

/** What the entry says without its data. */
function refusedAtOnce({ entry, trigger }: JudgedCase): EventFinding<never> | undefined {
  const { lane, invalid, type, position } = entry;
  if (lane !== liveLane)
    return finding("wrong_lane", `it is of the lane ${lane}; triggers see the lane live`);
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
function unfitFor(trigger: HeldTrigger, event: ConditionEvent): EventFinding<never> | undefined {
  const uses = (trigger.program?.events ?? []).filter((use) => isTypeOfUse(use, event.type));
  const fitting = uses.filter((use) => use.matches(event));
  if (fitting.length === 0) {
    const faults = uses.flatMap(({ operand, where }) =>
      (where?.explain(event) ?? []).map(({ part, expected, found }) => ({ operand, part, expected, found })),
    );
    return filtered(faults);
  }
  const partitionFaults = fitting.flatMap((use) => {
    const fault = use.partitionFault?.(event);
    return fault ? [{ operand: use.operand, ...fault }] : [];
  });
  if (partitionFaults.length === fitting.length) return filtered(partitionFaults);
  const keyed = fitting.filter((use) => use.key(event) !== undefined);
  if (keyed.length > 0) {
    const faults = keyed.flatMap((use) => use.timeFault?.(event) ?? []);
    if (faults.length < keyed.length) return undefined;
    return finding("no_time", `the time of its window can't be read: ${[...new Set(faults)].join("; ")}`);
  }
  return finding("no_key", `it has no key: ${[...new Set(keyFaults(trigger, fitting, event))].join("; ")}`);
}

function filtered(faults: NonNullable<EventFinding<never>["faults"]>): EventFinding<never> {
  const text = faults.map(({ part, expected, found }) => `${part}: expected ${expected}, found ${found}`);
  return finding("filtered", `it does not fit the filter: ${text.join("; ")}`, { faults });
}

function keyFaults(trigger: HeldTrigger, uses: readonly EventUse[], event: ConditionEvent): string[] {
  const by = trigger.program?.condition.by;
  if (!by) return [];
  const keys = by.kind === "operands" ? uses.flatMap(({ operand }) => by.of[operand] ?? []) : [by];
  return keys.map((key) => {
    const outcome = compileEventKey(key).keyOf(event);
    return "fault" in outcome ? outcome.fault : "the key is too long, or no whole text";
  });
}

/** A pause that holds, or one whose end left it out. */
async function heldOff<Firing extends JudgedFiring>(
  port: VerdictPort<Firing>,
  { entry, trigger }: JudgedCase,
): Promise<EventFinding<never> | undefined> {
  const { paused, definition } = trigger.row;
  const { position } = entry;
  if (paused && position > paused.position)
    return finding(
      "paused",
      `it came while the trigger is paused, since ${isoTime(paused.recordedAt)}, and is kept`,
    );
  const bounds = { before: position, after: trigger.row.activated.position };
  const [pause] = await port.changes(triggerPaused, bounds);
  if (!pause) return undefined;
  // The newest come first: the last one is the first after the pause.
  const resume = (await port.changes(triggerResumed, { after: pause.position })).at(-1);
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

async function gathered<Firing extends JudgedFiring>(
  port: VerdictPort<Firing>,
  { entry, trigger }: JudgedCase,
  keys: readonly string[],
): Promise<EventFinding<never> | undefined> {
  const holding = await port.holding(keys, entry.position);
  if (holding.length === 0) return undefined;
  const of = trigger.program?.isKeyed ? ` in the state of the key ${holding.join(", ")}` : "";
  return finding("gathered", `it counts, and waits${of} for the others`);
}

function unreadYet({ entry, toldTo, isOurs }: JudgedCase): EventFinding<never> | undefined {
  if (entry.position <= toldTo) return undefined;
  const text = isOurs
    ? `the trigger was told the log up to position ${toldTo} so far`
    : `its rows say that the trigger was told the log up to position ${toldTo}; the server that has it may be further`;
  return finding("unread", text);
}

function isTypeOfUse(use: EventUse, type: string): boolean {
  return use.isPrefix ? type.startsWith(use.type) : type === use.type;
}

function typeOfUse({ type, isPrefix }: EventUse): string {
  return isPrefix ? `${type}*` : type;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
