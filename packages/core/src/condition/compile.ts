/** Makes a condition executable: its operators, and what tells which events concern it. */
import { MillraceError } from "../error/millrace-error.ts";
import { assert, unreachable } from "../assert.ts";
import { keyCharactersMax } from "../limits.ts";
import type {
  Condition,
  EventAtom,
  KeyDefinition,
  ReachedAtom,
  UpdatedAtom,
  WatchedAsset,
} from "./condition.ts";
import { operandsOf } from "./condition.ts";
import type { ConditionEvent } from "./condition-event.ts";
import { absentOperator } from "./operator/absent.ts";
import { eventOperator, scheduleOperator } from "./operator/atom.ts";
import { batchOperator, countOperator, debounceOperator, sessionOperator } from "./operator/collect.ts";
import { anyOperator, joinOperator } from "./operator/join.ts";
import { keyedOperator } from "./operator/keyed.ts";
import type { Operator } from "./operator/operator.ts";
import { reachedOperator } from "./operator/reached.ts";
import { sequenceOperator } from "./operator/sequence.ts";
import { throttleOperator } from "./operator/throttle.ts";
import type { TickSource } from "./operator/tick-source.ts";
import { unlessOperator } from "./operator/unless.ts";
import {
  completeOperator,
  partitionFault,
  updatedOperator,
  type PartitionFault,
} from "./operator/updated.ts";
import { mappingOf, progressType, updateType, type Watched } from "./operator/watched.ts";
import { windowOperator } from "./operator/window.ts";
import { describeSchedule } from "../schedule/describe.ts";
import { dueTime } from "../schedule/jitter.ts";
import { presentSubject, probeId, probePresentType } from "../probe/probe.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { nextTick, previousTick } from "../schedule/ticks.ts";
import { compileEventKey, type EventKey } from "./where/event-key.ts";
import { compileWhere, type CompiledWhere } from "./where/compile.ts";
import type { Where } from "./where/where.ts";
import { compilePartitions, type Partitions } from "../partition/partitions.ts";
import { readInstant } from "./instant.ts";

/** One event atom of a program. */
export interface EventUse {
  readonly operand: string;
  /** The type, or what it begins with where `isPrefix`. */
  readonly type: string;
  readonly isPrefix: boolean;
  readonly where: CompiledWhere | undefined;
  matches(event: ConditionEvent): boolean;
  /** Of an update that matches: why its partition is none of the atom's. */
  partitionFault?(event: ConditionEvent): PartitionFault | undefined;
  /** The value of the root's key for an event of this atom; always the empty string where the root has none. */
  key(event: ConditionEvent): string | undefined;
  /** Of a window by a time of the event's own: why an event has none, and so belongs to no window. */
  timeFault?(event: ConditionEvent): string | undefined;
}

export interface Program {
  readonly condition: Condition;
  readonly root: Operator;
  readonly events: readonly EventUse[];
  /** Names under which members are found. */
  readonly operands: readonly string[];
  /** Whether there is separate state for each value of a key. */
  readonly isKeyed: boolean;
  /** The keys whose state an event concerns: none when no operand matches; `[""]` where there are no keys. */
  keysOf(event: ConditionEvent): readonly string[];
}

const noKeys: readonly string[] = [];
const oneKey: readonly string[] = [""];

/** Makes a condition that `parseCondition` accepted executable. `identity`: whose it is, which spreads the jitter of schedules. */
export function compileCondition(condition: Condition, identity = ""): Program {
  const compiler = new Compiler(condition, identity);
  const root = compiler.build(condition, undefined, true);
  const { events } = compiler;
  const isKeyed = condition.by !== undefined;
  return {
    condition,
    root,
    events,
    operands: [...compiler.operands],
    isKeyed,
    keysOf: (event) => {
      if (!isKeyed) return events.some((use) => use.matches(event)) ? oneKey : noKeys;
      const keys = new Set<string>();
      for (const use of events) {
        if (!use.matches(event)) continue;
        const key = use.key(event);
        if (key !== undefined) keys.add(key);
      }
      return keys.size === 0 ? noKeys : [...keys];
    },
  };
}

class Compiler {
  readonly events: EventUse[] = [];
  readonly operands = new Set<string>();
  readonly #rootKey: KeyDefinition | undefined;
  readonly #taken = new Set<string>();

  readonly #identity: string;

  constructor(root: Condition, identity: string) {
    this.#rootKey = root.by;
    this.#identity = identity;
    for (const name of namesWithin(root)) this.#taken.add(name);
  }

  /** `name`: that of the nearest named condition around this one, under which its events are found. */
  build(condition: Condition, name: string | undefined, isRoot: boolean): Operator {
    const own = condition.name ?? name;
    const operator = this.#operator(condition, own);
    if (isRoot || condition.by === undefined) return operator;
    return keyedOperator(operator, keyText(condition.by as EventKey));
  }

  #operator(condition: Condition, name: string | undefined): Operator {
    const build = (operand: Condition): Operator => this.build(operand, name, false);
    switch (condition.kind) {
      case "event":
        return this.#event(condition, name);
      case "schedule":
        return scheduleOperator(
          condition,
          this.#noteOperand(name ?? this.#free("schedule")),
          this.#ticksOf(condition.schedule),
        );
      case "updated":
        return this.#updated(condition, name);
      case "reached":
        return this.#reached(condition, name);
      case "all":
      case "at_least":
        return joinOperator(condition, condition.of.map(build));
      case "any":
        return anyOperator(condition, condition.of.map(build));
      case "sequence":
        return sequenceOperator(condition, condition.of.map(build));
      case "unless":
        return unlessOperator(condition, build(condition.of), build(condition.until));
      case "absent":
        return absentOperator(condition, build(condition.of), {
          after: condition.after && build(condition.after),
          operand: this.#noteOperand(condition.name ?? this.#free("absent")),
        });
      case "count":
        return countOperator(condition, build(condition.of));
      case "batch":
        return batchOperator(condition, build(condition.of));
      case "session":
        return sessionOperator(condition, build(condition.of));
      case "debounce":
        return debounceOperator(condition, build(condition.of));
      case "throttle":
        return throttleOperator(condition, build(condition.of));
      case "window": {
        const time = condition.time === undefined ? undefined : keyText(condition.time);
        const of = build(condition.of);
        if (condition.time) this.#noteTime(condition.time);
        return windowOperator(
          condition,
          of,
          this.#ticksOf(condition.every),
          time ? (event) => readInstant(time(event)) : (event) => event.time,
        );
      }
      default:
        return unreachable(condition);
    }
  }

  #event(condition: EventAtom, name: string | undefined): Operator {
    const operand = this.#noteOperand(name ?? this.#free(condition.type));
    const { probe } = condition;
    const subject = probe && subjectIs(probeId(probe));
    const text = probe
      ? `waits for a change of what the probe ${probeId(probe)} looks at`
      : `waits for an event ${condition.type}${condition.where ? " that fits its filter" : ""}`;
    // First what finds it by its key.
    const filter = subject && condition.where ? both(subject, condition.where) : (subject ?? condition.where);
    const where = filter === undefined ? undefined : compileWhere(filter);
    const isPrefix = condition.type.endsWith("*");
    const type = isPrefix ? condition.type.slice(0, -1) : condition.type;
    const matches = (event: ConditionEvent): boolean =>
      (isPrefix ? event.type.startsWith(type) : event.type === type) && (where?.matches(event) ?? true);
    const key = this.#keyOf(operand);
    this.events.push({ operand, type, isPrefix, where, matches, key: key ?? (() => "") });
    const isPresent = probe?.token === undefined ? undefined : this.#present(condition, operand, probe.token);
    const isOwn = this.#rootKey?.kind === "operands";
    return eventOperator(condition, {
      operand,
      matches: isPresent ? (event) => matches(event) || isPresent(event) : matches,
      key: isOwn ? key : undefined,
      text,
    });
  }

  /** The event atom that was built last is the window's. */
  #noteTime(time: EventKey): void {
    const compiled = compileEventKey(time);
    const use = this.events.pop();
    assert(use, "a window gathers events");
    this.events.push({
      ...use,
      timeFault: (event) => {
        const outcome = compiled.keyOf(event);
        if ("fault" in outcome) return outcome.fault;
        const text = String(outcome.key);
        return readInstant(text) === undefined
          ? `${JSON.stringify(text.slice(0, 100))} is no time`
          : undefined;
      },
    });
  }

  /** What a wait is told of a thing that was there when it began. */
  #present(
    { probe, where }: EventAtom,
    operand: string,
    token: string,
  ): ((event: ConditionEvent) => boolean) | undefined {
    if (!probe) return undefined;
    const subject = subjectIs(presentSubject(probe, token));
    const compiled = compileWhere(where === undefined ? subject : both(subject, where));
    const matches = (event: ConditionEvent): boolean =>
      event.type === probePresentType && compiled.matches(event);
    const key = this.#keyOf(operand) ?? (() => "");
    this.events.push({ operand, type: probePresentType, isPrefix: false, where: compiled, matches, key });
    return matches;
  }

  #updated(condition: UpdatedAtom, name: string | undefined): Operator {
    const target = condition.target && compilePartitions(condition.target);
    const isTargeted = condition.target !== undefined || condition.when === "complete";
    const watched = condition.assets.map((asset) =>
      this.#watched(
        asset,
        name,
        { target, isTargeted, isWindowed: false, where: condition.where },
        condition,
      ),
    );
    const names = condition.assets.map(({ asset }) => `"${asset}"`).join(", ");
    if (condition.when === "complete") {
      const text = `waits until all partitions of ${names} that a partition is made of were updated`;
      return completeOperator(condition, { watched, target, text });
    }
    return updatedOperator(condition, { watched, target, text: `waits for an update of ${names}` });
  }

  #reached(condition: ReachedAtom, name: string | undefined): Operator {
    const target = compilePartitions(condition.target);
    assert(target.windows, "its target is windows of time");
    const watched = condition.assets.map((asset) =>
      this.#watched(asset, name, { target, isTargeted: true, isWindowed: true, where: undefined }),
    );
    return reachedOperator(condition, { watched, target, windows: target.windows });
  }

  #watched(
    watched: WatchedAsset,
    name: string | undefined,
    {
      target,
      isTargeted,
      isWindowed,
      where,
    }: {
      readonly target: Partitions | undefined;
      readonly isTargeted: boolean;
      /** It asks for progress, too. */
      readonly isWindowed: boolean;
      readonly where: Where | undefined;
    },
    updated?: UpdatedAtom,
  ): Watched {
    const { asset } = watched;
    const operand = this.#noteOperand(name ?? this.#free(asset));
    const ofAsset: Where = { op: "eq", path: ["subject"], value: asset };
    const partitionFaultOf = updated && {
      partitionFault: (event: ConditionEvent) => partitionFault(updated, made, event),
    };
    const use = (type: string, test: Where): ((event: ConditionEvent) => boolean) => {
      const compiled = compileWhere(test);
      const matches = (event: ConditionEvent): boolean => event.type === type && compiled.matches(event);
      const key = this.#keyOf(operand) ?? (() => "");
      this.events.push({
        operand,
        type,
        isPrefix: false,
        where: compiled,
        matches,
        key,
        ...partitionFaultOf,
      });
      return matches;
    };
    const made: Watched = {
      asset,
      operand,
      partitions: watched.partitions && compilePartitions(watched.partitions),
      mapping: isTargeted && isMapped(watched, isWindowed) ? mappingOf(watched, target, []) : undefined,
      isUpdate: use(updateType, where === undefined ? ofAsset : { op: "and", of: [ofAsset, where] }),
      isProgress: isWindowed ? use(progressType, ofAsset) : () => false,
    };
    return made;
  }

  #keyOf(operand: string): ((event: ConditionEvent) => string | undefined) | undefined {
    if (this.#rootKey === undefined) return undefined;
    if (this.#rootKey.kind !== "operands") return keyText(this.#rootKey);
    const { of } = this.#rootKey;
    const own = Object.hasOwn(of, operand) ? of[operand] : undefined;
    if (own !== undefined) return keyText(own);
    throw new MillraceError("MILLRACE_CONDITION_INVALID", {
      message: `The key of a condition has no part for its operand "${operand}"; it names ${Object.keys(of).join(", ")}.`,
    });
  }

  #ticksOf(schedule: Schedule): TickSource {
    return {
      next: (after) => nextTick(schedule, after),
      previous: (before) => previousTick(schedule, before),
      dueAt: (tick) => dueTime(schedule, this.#identity, tick),
      text: describeSchedule(schedule),
    };
  }

  #noteOperand(operand: string): string {
    this.operands.add(operand);
    return operand;
  }

  /** A name for what has none. */
  #free(name: string): string {
    let free = name;
    for (let count = 2; this.#taken.has(free); count += 1) free = `${name} ${count}`;
    this.#taken.add(free);
    return free;
  }
}

/** Assets without windows of their own tell `reached` their progress alone, unless it is said what their partitions are part of. */
export function isMapped({ partitions, mapping }: WatchedAsset, isWindowed: boolean): boolean {
  if (!isWindowed || mapping !== undefined) return true;
  return partitions?.kind === "time";
}

function keyText(key: EventKey): (event: ConditionEvent) => string | undefined {
  const compiled = compileEventKey(key);
  return (event) => {
    const outcome = compiled.keyOf(event);
    if (!("key" in outcome)) return undefined;
    const text = String(outcome.key);
    // What a row can't name has no state.
    return text.length <= keyCharactersMax && text.isWellFormed() && !text.includes("\0") ? text : undefined;
  };
}

function subjectIs(subject: string): Where {
  return { op: "eq", path: ["subject"], value: subject };
}

function both(first: Where, second: Where): Where {
  return { op: "and", of: [first, second] };
}

function namesWithin(condition: Condition): string[] {
  return [
    ...(condition.name === undefined ? [] : [condition.name]),
    ...operandsOf(condition).flatMap(namesWithin),
  ];
}
