/** What became of an event that left no trace in rows: the log around it is told again, to a state of its own. */
import type { ConditionEvent } from "../condition/condition-event.ts";
import type { Explanation } from "../condition/explanation.ts";
import { explainInstance, holdsEntry } from "../condition/instance.ts";
import type { LogEvent } from "../event/event.ts";
import { ownSource } from "../event/own.ts";
import { finding, type EventFinding } from "./finding.ts";
import { forgottenAt, type DecidedFiring } from "./held-trigger.ts";
import { TriggerReplay } from "./replay.ts";
import { isTellable, isTypeOf } from "./telling.ts";
import { logResumed } from "./trigger-event.ts";
import type { JudgedCase, JudgedFiring, VerdictPort } from "./verdict.ts";

interface Asked extends JudgedCase {
  readonly keys: readonly string[];
}

/** What the replay saw of the event. */
interface Seen {
  /** What the condition waited for as the event came. */
  before?: string | undefined;
  wasHeld: boolean;
  /** A window left it out. */
  isLate: boolean;
  /** The log's, where it was told to its end. */
  clock?: number;
  firing?: DecidedFiring;
  /** The first entry, or time, after which it was no longer held. */
  gone?: { readonly at: number; readonly position: number | undefined };
}

export async function replayEvent<Firing extends JudgedFiring>(
  port: VerdictPort<Firing>,
  asked: Asked,
): Promise<EventFinding<Firing>> {
  const { trigger, entry, toldTo, keys } = asked;
  const { row } = trigger;
  const from = Math.max(row.activated.position, entry.position - port.replayedEntriesMax / 2);
  const start = from === row.activated.position ? row.activated.recordedAt : entry.recordedAt;
  const replay = new TriggerReplay(port.fresh(), {
    position: from,
    recordedAt: Math.min(start, entry.recordedAt),
  });
  const seen: Seen = { wasHeld: false, isLate: false };
  const to = await replayRange(port, { replay, asked, seen, from, until: toldTo });
  const isWhole =
    from === row.activated.position && (to >= toldTo || seen.firing !== undefined || seen.gone !== undefined);
  const rest = { replayed: { from, to, isWhole } };
  if (seen.firing) return { ...(await firedInReplay(port, seen.firing)), ...rest };
  if (seen.gone) {
    const { at, position } = seen.gone;
    const why =
      position === undefined
        ? `as its time was over at ${isoTime(at)}`
        : `as the entry at position ${position} came`;
    return finding("expired", `it was gathered, and given up ${why}`, rest);
  }
  const forgotten = forgottenIn(replay, asked);
  if (seen.wasHeld && isWhole && forgotten !== undefined && (seen.clock ?? 0) > forgotten)
    return finding(
      "expired",
      `it was gathered, and its key was forgotten at ${isoTime(forgotten)}, as nothing had touched it for long`,
      rest,
    );
  if (seen.wasHeld)
    return finding(
      "unknown",
      `it was gathered; what became of it lies beyond the entries that were told again`,
      rest,
    );
  if (seen.isLate)
    return finding("late", "it came too late: its window had fired, and takes no revision by it", rest);
  if (keys.length > 0 && seen.before !== undefined)
    return finding("not_counted", `it changed nothing, as the condition stood: ${seen.before}`, rest);
  return finding("unknown", "the log that it belongs to is too long to be told again", rest);
}

function forgottenIn(replay: TriggerReplay, { keys }: Asked): number | undefined {
  const state = keys.map((key) => replay.state(key)).find((of) => of !== undefined);
  return state && forgottenAt(replay.trigger, state);
}

async function replayRange<Firing extends JudgedFiring>(
  port: VerdictPort<Firing>,
  range: {
    readonly replay: TriggerReplay;
    readonly asked: Asked;
    readonly seen: Seen;
    readonly from: number;
    readonly until: number;
  },
): Promise<number> {
  const { replay, asked, seen, from, until } = range;
  const last = Math.min(until, from + port.replayedEntriesMax);
  let to = from;
  for await (const page of port.pages(from, last)) {
    for (const one of page.events) {
      if (await tellOne(port, range, one)) note(replay, asked, seen, one);
      if (seen.firing || seen.gone) return one.position;
    }
    to = page.until;
    if (to >= page.head.position) {
      seen.clock = page.head.clock;
      takeFirings(replay.tellTime(page.head.clock), asked, seen);
      noteHeld(replay, asked, seen, { at: page.head.clock, position: undefined });
    }
    if (port.isLate()) break;
  }
  return to;
}

async function tellOne<Firing extends JudgedFiring>(
  port: VerdictPort<Firing>,
  { replay, asked, seen }: { readonly replay: TriggerReplay; readonly asked: Asked; readonly seen: Seen },
  one: LogEvent,
): Promise<boolean> {
  if (one.type === logResumed && one.source === ownSource) {
    takeFirings(replay.tellOutage(one), asked, seen);
    return true;
  }
  if (!isTellable(one) || !isTypeOf(replay.trigger, one.type)) return false;
  const event: ConditionEvent = await port.asEvent(one);
  const keys = (replay.trigger.program?.keysOf(event) ?? []).filter((key) => asked.keys.includes(key));
  if (keys.length === 0) return false;
  const isAsked = one.position === asked.entry.position;
  if (isAsked) seen.before = waitedFor(replay, asked);
  const before = isAsked ? leftOutOf(replay, asked) : 0;
  for (const key of keys) takeFirings(replay.tell(event, key), asked, seen);
  if (isAsked) seen.isLate = leftOutOf(replay, asked) > before;
  return true;
}

/** How many came too late, of all keys and operators. */
function leftOutOf(replay: TriggerReplay, { keys }: Asked): number {
  const { program } = replay.trigger;
  const sumOf = ({ leftOut = 0, of = [] }: Explanation): number =>
    of.reduce((sum, inner) => sum + sumOf(inner), leftOut);
  return keys.reduce((sum, key) => {
    const state = replay.state(key);
    return program && state ? sum + sumOf(explainInstance(program, state.instance)) : sum;
  }, 0);
}

function waitedFor(replay: TriggerReplay, { keys }: Asked): string {
  const { program } = replay.trigger;
  const state = keys.map((key) => replay.state(key)).find((one) => one !== undefined);
  if (!program || !state) return "it held nothing yet";
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
async function firedInReplay<Firing extends JudgedFiring>(
  port: VerdictPort<Firing>,
  { firing }: DecidedFiring,
): Promise<EventFinding<Firing>> {
  const rows = (await port.firingsAt(firing.key, firing.at)).filter(
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
  return finding(verdictOfFirings(rows), `it fired at ${isoTime(firing.at)}, and ${outcome}`, {
    firings: rows,
  });
}

/** What the firings of one event are together: one that has a run, or will have one, or shares one, is what counts. */
export function verdictOfFirings(firings: readonly JudgedFiring[]): "member" | "superseded" | "refused" {
  const ended = firings.filter(
    ({ reason, gate, intoRun }) => reason && gate !== "waiting" && intoRun === undefined,
  );
  if (ended.length < firings.length || firings.length === 0) return "member";
  return ended.every(({ reason }) => reason?.code === "superseded") ? "superseded" : "refused";
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
