/**
 * Probes: code of a project that looks at a system which tells nothing by itself. A definition is data; what looks is a function
 * of the bundle, which workers call.
 *
 * A thing that is looked at is a probe with arguments. Names belong to one project each, so name and arguments name it.
 */
import { canonicalJson } from "../canonical-json.ts";
import { fnv1a64 } from "../condition/where/key-hash.ts";
import { MillraceError } from "../error/millrace-error.ts";
import type { SourceLocation } from "../graph/definition.ts";
import type { Json, Path } from "../json.ts";
import {
  probeArgsCharactersMax,
  probeFactorMax,
  probeMsMax,
  probeEveryMsMin,
  probeNamesMax,
} from "../limits.ts";

export interface ProbeDefinition {
  readonly name: string;
  /** From the end of a look to the next one, in ms. */
  readonly everyMs: number;
  /** Up to so much later, drawn anew for each look. */
  readonly jitterMs: number;
  /** After failures it is looked less often: `everyMs` times `factor` for each of them in a row, up to `maxMs`. */
  readonly backoff: { readonly factor: number; readonly maxMs: number };
  /** Of one look, in ms. */
  readonly timeoutMs: number;
  /** Workers that serve this queue look. */
  readonly queue: string;
  /** Variables of the worker's environment that its function sees. */
  readonly env: readonly string[];
  readonly connections: readonly string[];
  readonly source?: SourceLocation;
}

/** A thing that is looked at. */
export interface ProbeRef {
  readonly name: string;
  /** `null` where there are none. */
  readonly args: Json;
}

/** What an event atom tells of the probe that it listens to. */
export interface AtomProbe extends ProbeRef {
  /** Of a wait that began when there may have been something already: it is told that by a name of its own. */
  readonly token?: string;
}

/** Something else is there than at the last look. Its subject is the thing's id. */
export const probeChangedType = "millrace.probe.changed";
/** To one wait: what it waits for was there when it began. Its subject is `presentSubject`. */
export const probePresentType = "millrace.probe.present";
export const probeFailedType = "millrace.probe.failed";
export const probeRecoveredType = "millrace.probe.recovered";

/** Of dispatches: looks belong to no pipeline, and no pipeline can have this name. */
export const probePipeline = "millrace:probes";

/** Equal for equal names and arguments, whatever the order of the arguments' members. */
export function probeId({ name, args }: ProbeRef): string {
  return args === null ? name : `${name}/${fnv1a64(canonicalJson(args))}`;
}

/** The `runId` of dispatches that look at a thing, and the name under which their logs are kept: no run has such a one. */
export function lookRunId(id: string): string {
  return `${lookPrefix}${id}`;
}

/** The thing that a dispatch looks at; `undefined`: it is of a run. */
export function thingOfLook(runId: string): string | undefined {
  return runId.startsWith(lookPrefix) ? runId.slice(lookPrefix.length) : undefined;
}

const lookPrefix = "probe:";

export function presentSubject(ref: ProbeRef, token: string): string {
  return `${probeId(ref)}@${token}`;
}

const namePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;

/** What is wrong with the `probe` of an event atom, and where; `undefined`: nothing. */
export function probeFault(json: Json): { readonly path: Path; readonly what: string } | undefined {
  if (json === null || typeof json !== "object" || Array.isArray(json))
    return { path: [], what: "expected a probe's name and arguments" };
  const { name, args, token, ...others } = json as { readonly [name: string]: Json };
  const [other] = Object.keys(others);
  if (other !== undefined) return { path: [other], what: "expected name, args and token alone" };
  if (typeof name !== "string" || !namePattern.test(name))
    return { path: ["name"], what: "expected a probe's name" };
  if (args === undefined) return { path: ["args"], what: "expected its arguments, or null" };
  if (JSON.stringify(args).length > probeArgsCharactersMax)
    return { path: ["args"], what: `expected at most ${probeArgsCharactersMax} characters of JSON` };
  if (token !== undefined && (typeof token !== "string" || !/^[0-9a-f]{1,32}$/.test(token)))
    return { path: ["token"], what: "expected the name of a wait" };
  return undefined;
}

/** Reads a definition; throws MILLRACE_PROBE_INVALID. */
export function parseProbe(value: Json): ProbeDefinition {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw invalid("", "an object");
  const given = value as { readonly [name: string]: Json };
  const other = Object.keys(given).find((name) => !memberNames.includes(name));
  if (other !== undefined) throw invalid(other.slice(0, 100), `only ${memberNames.join(", ")} here`);
  const number = (found: Json | undefined, at: string, min: number, max: number): number => {
    if (typeof found === "number" && Number.isInteger(found) && found >= min && found <= max) return found;
    throw invalid(at, `a whole number of ms from ${min} to ${max}`);
  };
  const { name, queue } = given;
  if (typeof name !== "string" || !namePattern.test(name)) throw invalid("name", "a name");
  if (typeof queue !== "string" || queue === "") throw invalid("queue", "a queue's name");
  const everyMs = number(given["everyMs"], "everyMs", probeEveryMsMin, probeMsMax);
  const backoff = (given["backoff"] ?? {}) as { readonly [name: string]: Json };
  const factor = backoff["factor"];
  if (typeof factor !== "number" || !(factor >= 1 && factor <= probeFactorMax))
    throw invalid("backoff.factor", `a number from 1 to ${probeFactorMax}`);
  return {
    name,
    everyMs,
    jitterMs: number(given["jitterMs"], "jitterMs", 0, everyMs),
    backoff: { factor, maxMs: number(backoff["maxMs"], "backoff.maxMs", everyMs, probeMsMax) },
    timeoutMs: number(given["timeoutMs"], "timeoutMs", 1, probeMsMax),
    queue,
    env: names(given["env"], "env"),
    connections: names(given["connections"], "connections"),
    ...(given["source"] === undefined ? {} : { source: given["source"] as unknown as SourceLocation }),
  };
}

const memberNames = [
  "name",
  "everyMs",
  "jitterMs",
  "backoff",
  "timeoutMs",
  "queue",
  "env",
  "connections",
  "source",
];

function names(value: Json | undefined, at: string): readonly string[] {
  if (
    Array.isArray(value) &&
    value.length <= probeNamesMax &&
    value.every((name) => typeof name === "string")
  )
    return value;
  throw invalid(at, `a list of at most ${probeNamesMax} names`);
}

function invalid(at: string, expected: string): MillraceError {
  return new MillraceError("MILLRACE_PROBE_INVALID", {
    message: `A probe is not valid${at === "" ? "" : ` at \`${at}\``}: expected ${expected}.`,
    fields: { path: at, expected },
  });
}
