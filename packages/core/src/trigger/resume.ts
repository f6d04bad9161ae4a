/**
 * What a resume of a trigger lets begin (C8). The evaluator asks it for the outcome, the API for the preview: the two differ
 * only in where states come from and whether they are kept.
 */
import type { ConditionEvent } from "../condition/condition-event.ts";
import type { LogEvent } from "../event/event.ts";
import type { CatchUp } from "../schedule/ticks.ts";
import { decideTicks } from "./missed-ticks.ts";
import { isStateless, type DecidedFiring, type HeldTrigger, type KeyState } from "./held-trigger.ts";
import { isTellable, isTypeOf, tellKey, tellKeyDue, type Telling } from "./telling.ts";
import { chooseFirings } from "./trigger.ts";

/** Where the states of the trigger's keys are: `load` puts one into `trigger.keys`, where it has one. */
export interface ResumePort {
  /** The entries after one position, up to and with another. */
  entries(after: number, until: number): AsyncIterable<readonly LogEvent[]>;
  asEvent(entry: LogEvent): Promise<ConditionEvent>;
  load(key: string): Promise<void>;
  /** Loads those that have deadlines before. */
  loadOverdue(before: number): Promise<void>;
  keep(state: KeyState): void;
  touched(state: KeyState): void;
}

export interface Resume {
  /** The entries of the pause and of the resume. */
  readonly from: number;
  readonly to: number;
  /** Log time of the resume, and the last entry that everyone was told by then. */
  readonly at: number;
  readonly position: number;
  readonly how: CatchUp;
}

export async function decideResume<Trigger extends HeldTrigger>(
  trigger: Trigger,
  resume: Resume,
  port: ResumePort,
): Promise<readonly DecidedFiring<Trigger>[]> {
  if (trigger.program?.condition.kind === "schedule") return decideSchedule(trigger, resume, port);
  const firings: DecidedFiring<Trigger>[] = [];
  const take = ({ firings: decided, state, touched }: Telling<Trigger>): void => {
    firings.push(...decided);
    if (touched && !isStateless(trigger)) port.touched(state);
  };
  if (resume.how !== "none") await tellGap(trigger, resume, port, take);
  await port.loadOverdue(resume.at);
  for (const state of trigger.keys.values())
    take(tellKeyDue(trigger, state, { clock: resume.at, position: resume.position }));
  return chooseFirings(firings.toSorted(byTime), resume.how);
}

/** No entry of the log concerns a schedule: its ticks are counted, and not told one by one, however many there were. */
async function decideSchedule<Trigger extends HeldTrigger>(
  trigger: Trigger,
  { at, position, how }: Resume,
  port: ResumePort,
): Promise<readonly DecidedFiring<Trigger>[]> {
  await port.loadOverdue(at);
  const firings: DecidedFiring<Trigger>[] = [];
  for (const state of trigger.keys.values()) {
    const decided = decideTicks(trigger, state, {
      dueMs: Math.ceil(at) - 1,
      how,
      at: (dueMs) => dueMs,
      position,
    });
    if (!decided) continue;
    firings.push(...decided);
    port.touched(state);
  }
  return firings;
}

async function tellGap<Trigger extends HeldTrigger>(
  trigger: Trigger,
  { from, to }: Resume,
  port: ResumePort,
  take: (telling: Telling<Trigger>) => void,
): Promise<void> {
  for await (const entries of port.entries(from, to - 1)) {
    for (const entry of entries) {
      if (!isTellable(entry) || !isTypeOf(trigger, entry.type)) continue;
      const event = await port.asEvent(entry);
      for (const key of trigger.program?.keysOf(event) ?? []) {
        await port.load(key);
        const telling = tellKey(trigger, key, event);
        if (telling.isNew && telling.touched && !isStateless(trigger)) port.keep(telling.state);
        take(telling);
      }
    }
  }
}

/** Which keys were in memory, and in what order, must not decide which firings are the latest (C1). */
function byTime({ firing: a }: DecidedFiring, { firing: b }: DecidedFiring): number {
  return a.at - b.at || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || a.occurrence - b.occurrence;
}
