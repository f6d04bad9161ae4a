/** Feeds a log to a condition as an engine does, in pieces of any size. */
import type { Json } from "../../src/json.ts";
import { compileCondition, type Program } from "../../src/condition/compile.ts";
import type { Condition } from "../../src/condition/condition.ts";
import type { ConditionEvent } from "../../src/condition/condition-event.ts";
import {
  beginInstance,
  tellEvent,
  tellTime,
  type ConditionInstance,
  type Decided,
} from "../../src/condition/instance.ts";

/** `[log time, type, data?, event time?, subject?]`. */
export type Entry = readonly [
  at: number,
  type: string,
  data?: Json | undefined,
  time?: number | undefined,
  subject?: string | undefined,
];

export function eventsOf(entries: readonly Entry[]): ConditionEvent[] {
  return entries.map(([recordedAt, type, data, time, subject], index) => ({
    position: index + 1,
    recordedAt,
    type,
    source: "test",
    id: String(index + 1),
    time: time ?? recordedAt,
    data: data ?? null,
    ...(subject === undefined ? {} : { subject }),
  }));
}

export interface FeedOptions {
  /** The time is told up to here at the end, this included. */
  readonly until: number;
  /** Where a key's instance begins. */
  readonly from?: number;
  /** Instants at which the engine tells the time although nothing came, and saves and loads its state. */
  readonly cuts?: readonly number[];
}

/** Firings as text: `12 key a=1,2 b=3`. */
export function feed(condition: Condition, entries: readonly Entry[], options: FeedOptions): string[] {
  const program = compileCondition(condition);
  const instances = new Map<string, ConditionInstance>();
  const from = options.from ?? 0;
  if (!program.isKeyed) instances.set("", beginInstance(program, undefined, from));
  const fired: { readonly key: string; readonly decided: Decided }[] = [];
  const cuts = [...(options.cuts ?? []), options.until + 1].toSorted((a, b) => a - b);
  const cutTo = (before: number): void => {
    for (let cut = cuts[0]; cut !== undefined && cut <= before; cut = cuts[0]) {
      cuts.shift();
      for (const [key, instance] of instances) {
        for (let more = true; more;) {
          const { decided, hasMore } = tellTime(program, instance, cut);
          for (const one of decided) fired.push({ key, decided: one });
          more = hasMore;
        }
        instances.set(key, { ...instance, state: JSON.parse(JSON.stringify(instance.state)) as object });
      }
    }
  };
  for (const event of eventsOf(entries)) {
    cutTo(event.recordedAt);
    for (const key of program.keysOf(event)) {
      const instance = instances.get(key) ?? beginInstance(program, key, event.recordedAt);
      instances.set(key, instance);
      for (const one of tellEvent(program, instance, event).decided) fired.push({ key, decided: one });
    }
  }
  cutTo(Number.MAX_SAFE_INTEGER);
  return fired
    .toSorted((a, b) => a.decided.at - b.decided.at || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ key, decided }) => textOf(key, decided));
}

export function textOf(key: string, { at, match }: Decided): string {
  const operands = new Map<string, string[]>();
  for (const member of match.members) {
    const texts = operands.get(member.operand) ?? [];
    operands.set(member.operand, texts);
    if (member.kind === "event") texts.push(String(member.position));
    else if (member.kind === "tick") texts.push(`${member.from}-${member.at}`);
    else texts.push(`silent ${member.from}-${member.at}`);
  }
  const { window } = match;
  const frame = window
    ? ` [${window.start},${window.end})${window.revision > 1 ? ` r${window.revision}` : ""}`
    : "";
  const parts = [...operands].map(([operand, texts]) => `${operand}=${texts.join(",")}`);
  const about = match.partition ? ` <${match.partition.key}>` : "";
  const flag = match.isIncomplete ? " incomplete" : "";
  return `${at}${key === "" ? "" : ` ${key}`}${about}${frame}${flag} ${parts.join(" ")}`;
}

export { compileCondition, type Program };
