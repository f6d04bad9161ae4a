/**
 * What a resume of a trigger lets begin (C8). The evaluator asks it for the outcome, the API for the preview: the two differ
 * only in where states come from and whether they are kept.
 */
import {
  chooseFirings,
  type CatchUp,
  type ConditionEvent,
  type LogEvent,
  isStateless,
  type KeyState,
  isTellable,
  isTypeOf,
  tellKey,
  tellKeyDue,
  type Telling,
} from "@millrace/core";
import type { LogPage } from "@millrace/store";
import type { DecidedFiring, LoadedTrigger } from "./loaded-trigger.ts";
import { pagesBetween } from "./telling.ts";

/** Where the states of the trigger's keys are: `load` puts one into `trigger.keys`, where it has one. */
export interface ResumePort {
  read(after: number, limit: number): Promise<LogPage>;
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

export async function decideResume(
  trigger: LoadedTrigger,
  resume: Resume,
  port: ResumePort,
): Promise<readonly DecidedFiring[]> {
  const firings: DecidedFiring[] = [];
  const take = ({ firings: decided, state, touched }: Telling<LoadedTrigger>): void => {
    firings.push(...decided);
    if (touched && !isStateless(trigger)) port.touched(state);
  };
  if (resume.how !== "none") await tellGap(trigger, resume, port, take);
  await port.loadOverdue(resume.at);
  for (const state of trigger.keys.values())
    take(tellKeyDue(trigger, state, { clock: resume.at, position: resume.position }));
  return chooseFirings(firings.toSorted(byTime), resume.how);
}

async function tellGap(
  trigger: LoadedTrigger,
  { from, to }: Resume,
  port: ResumePort,
  take: (telling: Telling<LoadedTrigger>) => void,
): Promise<void> {
  const read = (after: number, limit: number): Promise<LogPage> => port.read(after, limit);
  for await (const page of pagesBetween(read, { after: from, until: to - 1 })) {
    for (const entry of page.events) {
      if (!isTellable(entry) || !isTypeOf(trigger, entry.type)) continue;
      const event = await port.asEvent(entry);
      for (const key of trigger.program?.keysOf(event) ?? []) {
        await port.load(key);
        const isNew = !trigger.keys.has(key);
        const telling = tellKey(trigger, key, event);
        if (isNew && telling.touched && !isStateless(trigger)) port.keep(telling.state);
        take(telling);
      }
    }
  }
}

/** Which keys were in memory, and in what order, must not decide which firings are the latest (C1). */
function byTime({ firing: a }: DecidedFiring, { firing: b }: DecidedFiring): number {
  return a.at - b.at || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0) || a.occurrence - b.occurrence;
}
