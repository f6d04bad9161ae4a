/** What became of an event that left no trace in rows: the log around it is told again, to a state of its own. */
import {
  explainInstance,
  holdsEntry,
  ownSource,
  type ConditionEvent,
  type LogEvent,
  isTellable,
  isTypeOf,
} from "@millrace/core";
import { listFirings } from "@millrace/store";
import { type DecidedFiring, loadTrigger } from "../engine/trigger/loaded-trigger.ts";
import { TriggerReplay } from "../engine/trigger/replay.ts";
import { asConditionEvent, pagesBetween } from "../engine/trigger/telling.ts";
import { logResumed } from "../engine/trigger/trigger-event.ts";
import { workspaceId } from "../engine/workspace.ts";
import type { ApiContext } from "./api-context.ts";
import { replayedEntriesMax, replayedMs } from "./limits.ts";
import { isoTime } from "./run-summary.ts";
import { finding, type Case, type Finding } from "./trigger-finding.ts";
import { firingView } from "./trigger-view.ts";

interface Asked extends Case {
  readonly event: ConditionEvent;
  readonly keys: readonly string[];
}

/** What the replay saw of the event. */
interface Seen {
  /** What the condition waited for as the event came. */
  before?: string | undefined;
  wasHeld: boolean;
  firing?: DecidedFiring;
  /** The first entry, or time, after which it was no longer held. */
  gone?: { readonly at: number; readonly position: number | undefined };
}

export async function replayEvent(context: ApiContext, asked: Asked): Promise<Finding> {
  const { trigger, entry, found, keys } = asked;
  const { row } = trigger;
  const from = Math.max(row.activated.position, entry.position - replayedEntriesMax / 2);
  const start = from === row.activated.position ? row.activated.recordedAt : entry.recordedAt;
  const replay = new TriggerReplay(loadTrigger({ ...row, paused: undefined }), {
    position: from,
    recordedAt: Math.min(start, entry.recordedAt),
  });
  const seen: Seen = { wasHeld: false };
  const to = await replayRange(context, { replay, asked, seen, from, until: found.toldTo });
  const isWhole = from === row.activated.position && to >= found.toldTo;
  const rest = { replayed: { from, to, isWhole } };
  if (seen.firing) return { ...(await firedInReplay(context, seen.firing)), ...rest };
  if (seen.gone) {
    const { at, position } = seen.gone;
    const why =
      position === undefined
        ? `as its time was over at ${isoTime(at)}`
        : `as the entry at position ${position} came`;
    return finding("expired", `it was gathered, and given up ${why}`, rest);
  }
  if (seen.wasHeld)
    return finding(
      "unknown",
      `it was gathered; what became of it lies beyond the entries that were told again`,
      rest,
    );
  if (keys.length > 0 && seen.before !== undefined)
    return finding("not_counted", `as it came, the trigger ${seen.before}; it changed nothing`, rest);
  return finding("unknown", "the log that it belongs to is too long to be told again", rest);
}

async function replayRange(
  context: ApiContext,
  range: {
    readonly replay: TriggerReplay;
    readonly asked: Asked;
    readonly seen: Seen;
    readonly from: number;
    readonly until: number;
  },
): Promise<number> {
  const { replay, asked, seen, from, until } = range;
  const { engine } = context.host;
  const deadline = context.clock.monotonic() + replayedMs;
  const last = Math.min(until, from + replayedEntriesMax);
  let to = from;
  const read = (after: number, limit: number) => engine.events.read(after, limit);
  for await (const page of pagesBetween(read, { after: from, until: last })) {
    for (const one of page.events) {
      if (await tellOne(replay, one, asked)) note(replay, asked, seen, one);
      if (seen.firing || seen.gone) return one.position;
    }
    to = page.until;
    if (to >= page.head.position) {
      takeFirings(replay.tellTime(page.head.clock), asked, seen);
      noteHeld(replay, asked, seen, { at: page.head.clock, position: undefined });
    }
    if (context.clock.monotonic() > deadline) break;
  }
  return to;

  async function tellOne(told: TriggerReplay, one: LogEvent, given: Asked): Promise<boolean> {
    if (one.type === logResumed && one.source === ownSource) {
      takeFirings([...told.tellOutage(one)], given, seen);
      return true;
    }
    if (!isTellable(one) || !isTypeOf(told.trigger, one.type)) return false;
    const event = await asConditionEvent(engine.values, one);
    const keys = (told.trigger.program?.keysOf(event) ?? []).filter((key) => given.keys.includes(key));
    if (keys.length === 0) return false;
    if (one.position === given.entry.position) seen.before = waitedFor(told, given);
    for (const key of keys) takeFirings(told.tell(event, key), given, seen);
    return true;
  }
}

function waitedFor(replay: TriggerReplay, { keys }: Asked): string {
  const { program } = replay.trigger;
  const state = keys.map((key) => replay.state(key)).find((one) => one !== undefined);
  if (!program || !state) return "held nothing yet";
  return explainInstance(program, state.instance).text;
}

function takeFirings(firings: readonly DecidedFiring[], { entry }: Asked, seen: Seen): void {
  const own = firings.find(({ firing }) =>
    firing.members.some((member) => member.kind === "event" && member.position === entry.position),
  );
  if (own) seen.firing ??= own;
}

function note(replay: TriggerReplay, asked: Asked, seen: Seen, one: LogEvent): void {
  noteHeld(replay, asked, seen, { at: one.recordedAt, position: one.position });
}

function noteHeld(
  replay: TriggerReplay,
  { keys, entry }: Asked,
  seen: Seen,
  now: { readonly at: number; readonly position: number | undefined },
): void {
  const isHeld = keys.some((key) => {
    const state = replay.state(key);
    return state !== undefined && holdsEntry(state.instance, entry.position);
  });
  if (isHeld) seen.wasHeld = true;
  else if (seen.wasHeld && !seen.firing) seen.gone ??= now;
}

/** Numbers of firings count from where a state began: time and key name the one that was made. */
async function firedInReplay({ database }: ApiContext, { firing }: DecidedFiring): Promise<Finding> {
  const before = {
    at: firing.at + 1,
    version: 0,
    key: "",
    occurrence: 0,
    revision: 0,
  };
  const page = { pipeline: firing.pipeline, key: firing.key, before, limit: 100 };
  const rows = (await listFirings(database, workspaceId, page)).filter(
    ({ at, version }) => at === firing.at && version === firing.version,
  );
  const [row] = rows;
  if (!row)
    return finding(
      "unknown",
      `told again, it would have fired at ${isoTime(firing.at)}; there is no such firing any more`,
    );
  const outcome =
    row.runId === undefined ? `no run could begin: ${row.reason?.message ?? ""}` : `run ${row.runId} began`;
  return finding("member", `it fired at ${isoTime(firing.at)}, and ${outcome}`, {
    firings: rows.map(firingView),
  });
}
