/** What a trigger has and waits for, and what became of an event (C10): in the words of `millrace trigger explain`. */
import {
  beginKey,
  describeCondition,
  explainInstance,
  holdsEntry,
  judgeEvent,
  MillraceError,
  nearestName,
  conditionEventOf,
  type EventVerdict,
  type Explanation,
  type JudgedFiring,
  type KeyState,
  type LogEvent,
  type Member,
  type VerdictPort,
} from "@millrace/core";
import type { EventBook } from "./event-book.ts";
import type { FiringRecord } from "./firing-desk.ts";
import type { BedTrigger } from "./trigger-watch.ts";

/** The state of a condition as a tree: for each operand, what it has and what it waits for. */
export interface TestState {
  readonly kind: string;
  readonly name?: string;
  readonly state: "waiting" | "gathering" | "held" | "blocked";
  /** What it waits for, or why it is blocked, as a sentence. */
  readonly text: string;
  /** The newest of those that it has gathered, and how many there are. */
  readonly members?: readonly Member[];
  readonly memberCount?: number;
  readonly since?: Date;
  readonly due?: Date;
  readonly of?: readonly TestState[];
}

/** What became of an event for a trigger. */
export interface TestVerdict {
  readonly position: number;
  readonly verdict: EventVerdict;
  /** As a sentence. */
  readonly text: string;
  /** The keys that it concerns, where the trigger has keys. */
  readonly keys?: readonly string[];
  /** For `filtered`: which part of which operand's filter did not hold. */
  readonly faults?: readonly {
    readonly operand: string;
    readonly part: string;
    readonly expected: string;
    readonly found: string;
  }[];
}

export interface TestExplanation {
  readonly pipeline: string;
  /** The condition in words. */
  readonly condition: string;
  /** The key whose state this is. */
  readonly key?: string;
  readonly state?: TestState;
  /** Keys that hold something, where none was named. */
  readonly keys?: readonly string[];
  readonly event?: TestVerdict;
  /** All of it as lines to read. */
  readonly text: string;
}

export interface Asked {
  readonly trigger: BedTrigger;
  readonly key: string | undefined;
  readonly entry: LogEvent | undefined;
}

const noDeadline = Number.POSITIVE_INFINITY;

export async function explain(
  firings: readonly FiringRecord[],
  log: EventBook,
  asked: Asked,
): Promise<TestExplanation> {
  const { trigger, entry } = asked;
  const event = entry && (await verdictOf(firings, log, trigger, entry));
  const key = asked.key ?? (event?.keys?.length === 1 ? event.keys[0] : undefined);
  const parts = {
    pipeline: trigger.row.pipeline,
    condition: describeCondition(trigger.program.condition),
    ...statePart(trigger, key, asked.key !== undefined),
    ...(event ? { event } : {}),
  };
  return { ...parts, text: linesOf(parts).join("\n") };
}

async function verdictOf(
  firings: readonly FiringRecord[],
  log: EventBook,
  trigger: BedTrigger,
  entry: LogEvent,
): Promise<TestVerdict> {
  const judged = { trigger, entry, toldTo: log.position, isOurs: true };
  const { verdict, text, keys, faults } = await judgeEvent(portOf(firings, log, trigger), judged);
  return {
    position: entry.position,
    verdict,
    text,
    ...(keys ? { keys } : {}),
    ...(faults ? { faults } : {}),
  };
}

function portOf(
  firings: readonly FiringRecord[],
  log: EventBook,
  trigger: BedTrigger,
): VerdictPort<JudgedFiring> {
  const own = firings.filter((record) => record.trigger === trigger);
  const isMember = ({ firing }: FiringRecord, position: number): boolean =>
    firing.members.some((member) => member.kind === "event" && member.position === position);
  const judged = ({ firing, runId, reason, state, into }: FiringRecord): JudgedFiring => ({
    at: firing.at,
    version: firing.version,
    runId: into ? undefined : runId,
    reason,
    ...(state === "waiting" ? { gate: state } : {}),
    ...(into ? { intoRun: into.runId } : {}),
  });
  const answer = <Answer>(value: Answer): Promise<Answer> => Promise.resolve(value);
  return {
    firingsOfEvent: (position) =>
      answer(own.filter((record) => record.runId !== undefined && isMember(record, position)).map(judged)),
    refusedFirings: (position) =>
      answer(
        own.filter(({ firing, runId }) => runId === undefined && firing.occurrence === position).map(judged),
      ),
    firingsAt: (key, at) =>
      answer(own.filter(({ firing }) => firing.key === key && firing.at === at).map(judged)),
    asEvent: (entry) => answer(conditionEventOf(entry, entry.data.value ?? null)),
    changes: (type, { after, before = noDeadline }) =>
      answer(
        log.entries
          .filter(
            (entry) =>
              entry.type === type &&
              entry.subject === trigger.row.pipeline &&
              entry.position > after &&
              entry.position < before,
          )
          .toReversed(),
      ),
    holding: (keys, position) =>
      answer(
        keys.filter((key) => {
          const state = trigger.keys.get(key);
          return state !== undefined && holdsEntry(state.instance, position);
        }),
      ),
    pages: (after, until) => log.pages(after, until),
    fresh: () => ({ ...trigger, keys: new Map() }),
    replayedEntriesMax: noDeadline,
    isLate: () => false,
  };
}

function statePart(
  trigger: BedTrigger,
  key: string | undefined,
  isAsked: boolean,
): Pick<TestExplanation, "key" | "state" | "keys"> {
  const { program, row } = trigger;
  if (!program.isKeyed && isAsked)
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `The trigger of "${row.pipeline}" has no keys: its state is one.`,
      fields: { query: "key" },
    });
  if (!program.isKeyed) return { state: stateOf(trigger, trigger.keys.get("")) };
  const known = key === undefined ? undefined : trigger.keys.get(key);
  if (known) return { key: known.key, state: stateOf(trigger, known) };
  const holding = [...trigger.keys.keys()];
  if (isAsked) throw keyUnknown(row.pipeline, key ?? "", holding);
  const [only] = holding;
  if (only !== undefined && holding.length === 1 && key === undefined)
    return { key: only, state: stateOf(trigger, trigger.keys.get(only)) };
  if (holding.length === 0) return { state: stateOf(trigger, undefined) };
  return { keys: holding };
}

/** Without a state: how each key begins. */
function stateOf({ program, row }: BedTrigger, state: KeyState | undefined): TestState {
  const { recordedAt, position } = row.activated;
  const { instance } = state ?? beginKey(program, "", recordedAt, position);
  return viewOf(explainInstance(program, instance));
}

function viewOf({ since, due, of, ...rest }: Explanation): TestState {
  return {
    ...rest,
    ...(since === undefined ? {} : { since: new Date(since) }),
    ...(due === undefined ? {} : { due: new Date(due) }),
    ...(of ? { of: of.map(viewOf) } : {}),
  };
}

function keyUnknown(pipeline: string, key: string, known: readonly string[]): MillraceError {
  const near = nearestName(key, known);
  return new MillraceError("MILLRACE_TRIGGER_KEY_UNKNOWN", {
    message: `The trigger of "${pipeline}" holds nothing for the key "${key.slice(0, 100)}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    advice:
      known.length === 0
        ? "It holds nothing for any key."
        : `Some of its keys: ${known.slice(0, 5).join(", ")}.`,
    fields: { pipeline, key: key.slice(0, 100) },
  });
}

const marks = { waiting: "○", gathering: "◐", held: "●", blocked: "×" } as const;

function linesOf({ pipeline, condition, key, state, keys, event }: Omit<TestExplanation, "text">): string[] {
  return [
    `${pipeline}: ${condition}`,
    ...(event ? [`event ${event.position}: ${event.verdict.replaceAll("_", " ")}: ${event.text}`] : []),
    ...(key === undefined ? [] : [`key ${key}`]),
    ...(state ? stateLines(state, 0) : []),
    ...(keys ? [`it holds something for the keys ${keys.slice(0, 20).join(", ")}`] : []),
  ];
}

function stateLines({ state, name, kind, text, due, of = [] }: TestState, depth: number): string[] {
  const when = due === undefined ? "" : ` (due ${due.toISOString()})`;
  return [
    `${"  ".repeat(depth)}${marks[state]} ${name ?? kind} ${text}${when}`,
    ...of.flatMap((inner) => stateLines(inner, depth + 1)),
  ];
}
