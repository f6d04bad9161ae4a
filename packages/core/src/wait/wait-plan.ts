/** What a wait of a run waits for, from where on, how long, and what its run sees when it ends. */
import { withProbeToken } from "../condition/probe-atoms.ts";
import { fnv1a64 } from "../condition/where/key-hash.ts";
import type { Json } from "../json.ts";
import type { OpenWait, OperationName } from "../run/wait.ts";
import type { Run, TaskRun } from "../run/state.ts";
import { firingValue, type FiredEvent } from "../trigger/firing.ts";
import {
  answerCondition,
  approvalId,
  readAnswer,
  type ApprovalPlace,
  type AskedApproval,
} from "./approval.ts";
import type { ConditionWait } from "./condition-wait.ts";

export interface LookBack {
  /** Entries after this position. */
  readonly after: number;
  /** Entries that were recorded then or later. */
  readonly since: number;
  /** Nobody knows the position: of a run that was made before positions were kept. */
  readonly isByTime?: true;
}

/**
 * How much earlier than its run's beginning, by the clock of the run's server, an entry after it may have been recorded: clocks
 * differ by little, but an entry may wait for a database that is away. It only bounds what is read.
 */
const clocksDifferMs = 86_400_000;

/** Of a wait in code, or of a node, whose resolved `input` is its condition. Absent: only time ends it. */
export function waitConditionOf(
  place: ApprovalPlace,
  wait: OpenWait | undefined,
  { asked, input }: { readonly asked: AskedApproval | undefined; readonly input: Json },
): Json | undefined {
  if (asked) return answerCondition(approvalId(place));
  if (!wait) return withProbeToken(input, fnv1a64(JSON.stringify(place)));
  if (wait.op.kind !== "event") return undefined;
  const { condition } = wait.op;
  // One that comes again waits for what is new (C9): else a loop would find the same for ever.
  return wait.occurrence === 1 ? withProbeToken(condition, fnv1a64(JSON.stringify(place))) : condition;
}

/** Without `wait`: of a wait node. */
export function waitTimeoutAt(taskRun: TaskRun, wait: OpenWait | undefined, now: number): number | undefined {
  if (!wait) {
    const timeoutMs = taskRun.node.definition.wait?.timeoutMs;
    return timeoutMs === undefined ? undefined : now + timeoutMs;
  }
  const { op } = wait;
  if (op.kind === "sleep") return now + op.ms;
  if (op.kind === "sleep_until") return op.at;
  if (op.kind === "call") return undefined;
  return op.timeoutMs === undefined ? undefined : now + op.timeoutMs;
}

/**
 * Where a wait looks back to (C5): to what fired its run; a further wait of one name to the end of the one before. Absent: to the
 * run's beginning, see `lookBackToStart`.
 */
export function lookBackOf(
  { generation, firing }: Run,
  taskRun: TaskRun,
  { name, occurrence }: OperationName,
): LookBack | undefined {
  const seen = occurrence > 1 ? taskRun.code?.seen.get(name) : undefined;
  if (seen !== undefined) return { after: seen, since: 0 };
  const fired = generation === 1 ? firedEvents(firing?.value) : [];
  if (fired.length === 0) return undefined;
  return {
    after: Math.max(...fired.map(({ position }) => position)),
    since: Math.max(...fired.map(({ recordedAt }) => recordedAt)),
  };
}

/** To where the log ended when the run, or its generation, was made; by time where that was not kept. */
export function lookBackToStart(
  { generation, createdAt, startedAt }: Pick<Run, "generation" | "createdAt" | "startedAt">,
  logPosition: number | undefined,
): LookBack {
  const since = generation === 1 ? createdAt : (startedAt ?? createdAt);
  if (logPosition === undefined) return { after: 0, since, isByTime: true };
  return { after: logPosition, since: createdAt - clocksDifferMs };
}

/** What a probe has seen change after this position a wait finds by looking back. What was there before it is told of. */
export function joinedAfter({ after, isByTime }: LookBack): number | undefined {
  return isByTime ? undefined : after;
}

function firedEvents(firing: Json | undefined): { readonly position: number; readonly recordedAt: number }[] {
  const { members } = (firing ?? {}) as { readonly members?: { readonly [operand: string]: Json } };
  return Object.values(members ?? {}).flatMap((list) =>
    (Array.isArray(list) ? list : []).flatMap((member) => {
      const { position, recordedAt } = (member ?? {}) as {
        readonly position?: unknown;
        readonly recordedAt?: unknown;
      };
      if (typeof position !== "number") return [];
      const at = typeof recordedAt === "string" ? Date.parse(recordedAt) : Number.NaN;
      return [{ position, recordedAt: Number.isNaN(at) ? 0 : at }];
    }),
  );
}

/** What a run sees of a wait that ended; `timeout` where it ended in vain. */
export function waitValue(
  wait: ConditionWait,
  kind: { readonly isApproval: boolean; readonly isSleep: boolean; readonly isNode: boolean },
  eventAt: (position: number) => FiredEvent,
): { readonly value: Json } | "timeout" {
  const firing = wait.firing();
  if (!firing || !wait.program) return kind.isSleep ? { value: null } : "timeout";
  if (!kind.isApproval) {
    const fired = firingValue(wait.program, firing, eventAt) as { readonly [name: string]: Json };
    return { value: { ...fired, timedOut: false } };
  }
  const [answer] = firing.members;
  const read = readAnswer(answer?.kind === "event" ? eventAt(answer.position) : undefined);
  return { value: kind.isNode ? { ...read, timedOut: false } : { ...read } };
}
