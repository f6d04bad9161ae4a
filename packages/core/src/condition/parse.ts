/** Checks a condition's JSON. What comes from code, a request or a row passes through here once. */
import { unreachable } from "../assert.ts";
import { MillraceError } from "../error/millrace-error.ts";
import { formatPath, type Json, type Path } from "../json.ts";
import { conditionDepthMax, conditionSizeMax } from "../limits.ts";
import { nearestName } from "../nearest-name.ts";
import { probeChangedType, probeFault, type AtomProbe } from "../probe/probe.ts";
import { parseSchedule } from "../schedule/parse.ts";
import { parseEventKey, type EventKey } from "./where/event-key.ts";
import { parseWhere } from "./where/parse.ts";
import {
  operandsOf,
  type Condition,
  type ConditionKind,
  type EventAtom,
  type KeyDefinition,
} from "./condition.ts";
import { compileCondition } from "./compile.ts";
import { readReached, readUpdated } from "./parse-asset.ts";

type Fields = { readonly [name: string]: Json | undefined };

interface Reading {
  size: number;
}

const spanMsMax = 10 * 366 * 86_400_000;
const operandsMax = 50;
const membersMax = 10_000;

/** Throws MILLRACE_CONDITION_INVALID with the path of what is wrong. */
export function parseCondition(json: Json, path: Path = []): Condition {
  const condition = read(json, path, { size: 0 }, 0);
  refuseKeyedTicks(condition, false, path);
  // Names and keys that do not fit each other show there.
  compileCondition(condition);
  return condition;
}

const fieldsOf: { readonly [kind in ConditionKind]: readonly string[] } = {
  event: ["type", "where", "probe"],
  schedule: ["schedule"],
  updated: ["assets", "where", "only", "target", "when", "late"],
  reached: ["assets", "target", "from", "delayMs", "late", "orAfterMs"],
  all: ["of", "withinMs"],
  any: ["of"],
  at_least: ["n", "of", "withinMs"],
  sequence: ["of", "withinMs"],
  unless: ["of", "until", "withinMs"],
  absent: ["of", "withinMs", "after"],
  count: ["of", "n", "withinMs"],
  batch: ["of", "max", "maxWaitMs"],
  session: ["of", "gapMs", "maxMs"],
  debounce: ["of", "quietMs", "maxWaitMs"],
  throttle: ["of", "limit", "perMs"],
  window: ["of", "every", "time", "latenessMs", "idleMs", "late"],
};
const common = ["kind", "name", "by"];

function read(json: Json, path: Path, reading: Reading, depth: number): Condition {
  if (depth > conditionDepthMax) throw invalid(path, `conditions nest at most ${conditionDepthMax} deep`);
  reading.size += 1;
  if (reading.size > conditionSizeMax)
    throw invalid(path, `a condition has at most ${conditionSizeMax} operators`);
  if (json === null || typeof json !== "object" || Array.isArray(json))
    throw invalid(path, `expected a condition, found ${JSON.stringify(json)}`);
  const fields = json as Fields;
  const kind = readKind(fields["kind"], path);
  for (const field of Object.keys(fields)) {
    if (common.includes(field) || fieldsOf[kind].includes(field)) continue;
    const near = nearestName(field, fieldsOf[kind]);
    throw invalid(
      [...path, field],
      `"${kind}" has no such field${near === undefined ? "" : `; did you mean "${near}"?`}`,
    );
  }
  const inner = (field: string): Condition => {
    const value = fields[field];
    if (value === undefined) throw invalid([...path, field], `"${kind}" needs it`);
    return read(value, [...path, field], reading, depth + 1);
  };
  const innerList = (): Condition[] => {
    const list = fields["of"];
    if (!Array.isArray(list) || list.length === 0 || list.length > operandsMax)
      throw invalid([...path, "of"], `expected 1 to ${operandsMax} conditions`);
    return list.map((item: Json, at) => read(item, [...path, "of", at], reading, depth + 1));
  };
  const span = (field: string): number => readNumber(fields[field], [...path, field], 0, spanMsMax);
  const spanIfAny = <Name extends string>(field: Name): { [name in Name]?: number } =>
    (fields[field] === undefined ? {} : { [field]: span(field) }) as { [name in Name]?: number };
  const count = (field: string): number => readNumber(fields[field], [...path, field], 1, membersMax);
  const named = readCommon(fields, path, depth);

  switch (kind) {
    case "event":
      return { kind, ...named, ...readEvent(fields, path) };
    case "schedule": {
      const { schedule } = fields;
      if (schedule === undefined) throw invalid([...path, "schedule"], `"schedule" needs it`);
      return { kind, ...named, schedule: parseSchedule(schedule, [...path, "schedule"]) };
    }
    case "updated":
      return { kind, ...named, ...readUpdated(fields, path) };
    case "reached":
      return { kind, ...named, ...readReached(fields, path) };
    case "any":
      return { kind, ...named, of: innerList() };
    case "all":
    case "sequence":
      return { kind, ...named, of: innerList(), ...spanIfAny("withinMs") };
    case "at_least": {
      const of = innerList();
      const n = readNumber(fields["n"], [...path, "n"], 1, of.length);
      return { kind, ...named, n, of, ...spanIfAny("withinMs") };
    }
    case "unless":
      return { kind, ...named, of: inner("of"), until: inner("until"), ...spanIfAny("withinMs") };
    case "absent": {
      const after = fields["after"] === undefined ? {} : { after: inner("after") };
      return { kind, ...named, of: inner("of"), withinMs: span("withinMs"), ...after };
    }
    case "count":
      return { kind, ...named, of: inner("of"), n: count("n"), ...spanIfAny("withinMs") };
    case "batch":
      return { kind, ...named, of: inner("of"), max: count("max"), maxWaitMs: span("maxWaitMs") };
    case "session":
      return { kind, ...named, of: inner("of"), gapMs: span("gapMs"), ...spanIfAny("maxMs") };
    case "debounce":
      return { kind, ...named, of: inner("of"), quietMs: span("quietMs"), ...spanIfAny("maxWaitMs") };
    case "throttle":
      return { kind, ...named, of: inner("of"), limit: count("limit"), perMs: span("perMs") };
    case "window":
      return { kind, ...named, ...readWindow(fields, path, inner("of")), ...spanIfAny("idleMs") };
    default:
      return unreachable(kind);
  }
}

/** Ticks and windows belong to no key. */
function refuseKeyedTicks(condition: Condition, isKeyed: boolean, path: Path): void {
  const isWithinKey = isKeyed || condition.by !== undefined;
  if (isWithinKey && condition.kind === "schedule")
    throw invalid(path, "a tick of time has no key, so it can't stand where there is state for each key");
  if (isWithinKey && condition.kind === "reached")
    throw invalid(path, "a window of time has no key, so it can't stand where there is state for each key");
  for (const operand of operandsOf(condition)) refuseKeyedTicks(operand, isWithinKey, path);
}

function readKind(kind: Json | undefined, path: Path): ConditionKind {
  if (typeof kind === "string" && Object.hasOwn(fieldsOf, kind)) return kind as ConditionKind;
  const near = typeof kind === "string" ? nearestName(kind, Object.keys(fieldsOf)) : undefined;
  throw invalid(
    [...path, "kind"],
    `expected one of ${Object.keys(fieldsOf).join(", ")}; found ${JSON.stringify(kind)}${near === undefined ? "" : `; did you mean "${near}"?`}`,
  );
}

function readCommon(
  fields: Fields,
  path: Path,
  depth: number,
): { readonly name?: string; readonly by?: KeyDefinition } {
  const { name, by } = fields;
  if (name !== undefined && (typeof name !== "string" || name === "" || name.length > 200))
    throw invalid([...path, "name"], "expected a name of 1 to 200 characters");
  // Members are read as properties of an object.
  if ((name ?? fields["type"]) === "__proto__")
    throw invalid(
      [...path, "name"],
      'expected another name than "__proto__", which JavaScript takes for itself',
    );
  return {
    ...(name === undefined ? {} : { name }),
    ...(by === undefined ? {} : { by: readKey(by, [...path, "by"], depth) }),
  };
}

function readKey(by: Json, path: Path, depth: number): KeyDefinition {
  const { kind, of } = (by !== null && typeof by === "object" ? by : {}) as Fields;
  if (kind !== "operands") return parseEventKey(by, path);
  if (depth > 0) throw invalid(path, "below the root a key is one for all operands");
  if (of === null || typeof of !== "object" || Array.isArray(of))
    throw invalid([...path, "of"], "expected a key for each operand's name");
  const parts = Object.entries(of).map(([operand, key]): [string, EventKey] => [
    operand,
    parseEventKey(key, [...path, "of", operand]),
  ]);
  return { kind, of: Object.fromEntries(parts) };
}

function readEvent(fields: Fields, path: Path): Pick<EventAtom, "type" | "where" | "probe"> {
  const { type, where, probe } = fields;
  if (typeof type !== "string" || type === "" || type.length > 300 || /\*./.test(type))
    throw invalid(
      [...path, "type"],
      `expected an event type such as order.placed, or order.* for all that begin so; found ${JSON.stringify(type)}`,
    );
  return {
    type,
    ...(where === undefined ? {} : { where: parseWhere(where, [...path, "where"]) }),
    ...(probe === undefined ? {} : { probe: readProbe(probe, type, path) }),
  };
}

function readProbe(probe: Json, type: string, path: Path): AtomProbe {
  if (type !== probeChangedType)
    throw invalid([...path, "probe"], `only an event ${probeChangedType} is one of a probe`);
  const fault = probeFault(probe);
  if (fault) throw invalid([...path, "probe", ...fault.path], fault.what);
  return probe as unknown as AtomProbe;
}

function readWindow(fields: Fields, path: Path, of: Condition) {
  const { every, time, late } = fields;
  if (of.kind !== "event") throw invalid([...path, "of"], "a window gathers events: expected an event");
  if (every === undefined) throw invalid([...path, "every"], `"window" needs it`);
  if (late !== undefined && late !== "ignore" && late !== "revise")
    throw invalid([...path, "late"], `expected ignore or revise; found ${JSON.stringify(late)}`);
  return {
    of,
    every: parseSchedule(every, [...path, "every"]),
    ...(time === undefined ? {} : { time: parseEventKey(time, [...path, "time"]) }),
    latenessMs: readNumber(fields["latenessMs"] ?? 0, [...path, "latenessMs"], 0, spanMsMax),
    late: late === "revise" ? ("revise" as const) : ("ignore" as const),
  };
}

function readNumber(value: Json | undefined, path: Path, min: number, max: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalid(path, `expected a whole number from ${min} to ${max}; found ${JSON.stringify(value)}`);
}

function invalid(path: Path, what: string): MillraceError {
  return new MillraceError("MILLRACE_CONDITION_INVALID", {
    message: `The condition is wrong at ${formatPath(path)}: ${what}.`,
    fields: { path: formatPath(path) },
  });
}
