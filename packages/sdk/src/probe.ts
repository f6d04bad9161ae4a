/** Probes: functions that look at systems which tell nothing by themselves. */
import {
  canonicalJson,
  fnv1a64,
  parseProbe,
  type Duration,
  type Json,
  type ProbeDefinition,
} from "@millrace/core";
import type { TaskFunction } from "./build.ts";
import type { Connection, TaskLog } from "./context.ts";
import { definitionBrand, type DescribeOptions } from "./definition.ts";
import { judged } from "./judged.ts";
import { checkName } from "./name.ts";
import {
  checkOptionNames,
  optionError,
  parsePositiveDuration,
  textListOption,
  textOption,
  type OptionOwner,
} from "./options.ts";
import type { Recorded } from "./recorded.ts";
import { locate, markCaller, type SourceMark } from "./source.ts";

/** What a probe's function gets beside its arguments. */
export interface ProbeContext {
  /** Aborted when the look's time is over. */
  readonly signal: AbortSignal;
  /** Kept with what it prints; `millrace probes logs NAME` shows both. */
  readonly log: TaskLog;
  /** Access data of a connection that the probe lists in `connections`. */
  connection(name: string): Connection;
}

/** What is there: `null`, `undefined` and `false` say that nothing is. */
type Present<Value> = Exclude<NonNullable<Value>, false>;

export interface ProbeOptions<Value = unknown> {
  /** From one look to the next. 50 ms to 7 days. */
  readonly every: Duration;
  /** Up to so much later, drawn anew for each look: not all probes look at once. None unless given. */
  readonly jitter?: Duration;
  /** After failures: `every` times `factor` (2 unless given) for each in a row, up to `max` (1 h unless given). */
  readonly backoff?: { readonly factor?: number; readonly max?: Duration };
  /** Of one look; 30 s unless given. */
  readonly timeout?: Duration;
  /** Workers that serve this queue look: `default` unless given. */
  readonly queue?: string;
  /** Variables of the worker's environment that the function sees. */
  readonly env?: readonly string[];
  readonly connections?: readonly string[];
  /** What makes two values the same; all of the value unless given. */
  readonly fingerprint?: (value: Present<Value>) => Json;
}

declare const argsType: unique symbol;
declare const valueType: unique symbol;

/** A probe. Exported from an included file it is deployed; as long as somebody waits for it, it looks. */
export interface Probe<in Args = never, out Value = unknown> {
  readonly name: string;
  readonly [argsType]?: (args: Args) => void;
  readonly [valueType]?: Value;
}

/** The data of events of a probe. */
export interface ProbeChange<Args = unknown, Value = unknown> {
  readonly probe: string;
  readonly args: Args;
  /** What the function returned. */
  readonly value: Recorded<Present<Value>>;
  readonly fingerprint: string;
}

interface Found {
  readonly value: unknown;
  readonly fingerprint?: string;
}

/** What the loader reads from a probe, under `definitionBrand`. */
export interface ProbeHandle {
  readonly kind: "probe";
  readonly name: string;
  readonly mark: SourceMark;
  readonly run: TaskFunction;
  /** What is told of a value that its function returned. */
  foundOf(value: unknown): Found;
  describe(options: DescribeOptions): ProbeDefinition;
}

const optionNames = ["every", "jitter", "backoff", "timeout", "queue", "env", "connections", "fingerprint"];

/**
 * Declares a function that looks whether something is there, and how it is. It returns what it finds, or null (or nothing) where
 * there is nothing. It runs on workers, once for each thing (the probe with equal arguments) however many wait for it, and only
 * as long as somebody does.
 *
 * @example
 * export const report = probe("report", { every: "1m" }, async (args: { day: string }) => {
 *   const answer = await fetch(`https://partner.example/reports/${args.day}`, { method: "HEAD" });
 *   return answer.ok ? { etag: answer.headers.get("etag") } : null;
 * });
 * const there = wait(on.probe(report, { day: "2026-11-27" }), { timeout: "6h" });
 */
export function probe<Args = void, Value = unknown>(
  name: string,
  options: ProbeOptions<NoInfer<Value>>,
  look: (args: Args, ctx: ProbeContext) => Value | Promise<Value>,
): Probe<Args, Value> {
  const mark = markCaller(probe);
  const what = `Probe ${JSON.stringify(name)}`;
  checkName(name, { what, mark, root: undefined });
  checkOptionNames(options, optionNames, { what, mark, root: undefined });
  const handle: ProbeHandle = {
    kind: "probe",
    name,
    mark,
    run: async (args, ctx) => {
      const given = ctx as ProbeContext;
      return foundOf(
        await look((args ?? undefined) as Args, {
          signal: given.signal,
          log: given.log,
          connection: (name) => given.connection(name),
        }),
      );
    },
    foundOf: (value) => foundOf(value as Value),
    describe: ({ captureSource, root }) => {
      const owner: OptionOwner = { what, mark, root };
      const source = captureSource ? locate(mark, root) : undefined;
      if (typeof look !== "function")
        throw optionError(owner, "its third argument must be the function that looks");
      return judged(
        parseProbe,
        { ...definitionOf(name, options, owner), ...(source ? { source } : {}) },
        owner,
      );
    },
  };
  const made = { name, [definitionBrand]: handle };
  return made;

  function foundOf(value: Value): Found {
    if (value === null || value === undefined || value === false) return { value: null };
    const fingerprint = options.fingerprint?.(value as Present<Value>);
    return fingerprint === undefined ? { value } : { value, fingerprint: textOf(fingerprint) };
  }
}

const fingerprintCharactersMax = 200;

function textOf(fingerprint: Json): string {
  const text = typeof fingerprint === "string" ? fingerprint : canonicalJson(fingerprint);
  return text.length <= fingerprintCharactersMax ? text : fnv1a64(text);
}

function definitionOf<Value>(
  name: string,
  options: ProbeOptions<Value>,
  owner: OptionOwner,
): ProbeDefinition {
  const { every, jitter, backoff = {}, timeout, queue, env, connections, fingerprint } = options;
  checkOptionNames(backoff, ["factor", "max"], owner, "backoff");
  if (fingerprint !== undefined && typeof fingerprint !== "function")
    throw optionError(owner, 'option "fingerprint" must be a function of the value');
  const everyMs = parsePositiveDuration(every, "every", owner);
  return {
    name,
    everyMs,
    jitterMs: jitter === undefined ? 0 : parsePositiveDuration(jitter, "jitter", owner),
    backoff: {
      factor: backoff.factor ?? 2,
      maxMs:
        backoff.max === undefined
          ? Math.max(everyMs, 3_600_000)
          : parsePositiveDuration(backoff.max, "backoff.max", owner),
    },
    timeoutMs: timeout === undefined ? 30_000 : parsePositiveDuration(timeout, "timeout", owner),
    queue: queue === undefined ? "default" : textOption(queue, "queue", owner),
    env: env === undefined ? [] : textListOption(env, "env", owner),
    connections: connections === undefined ? [] : textListOption(connections, "connections", owner),
  };
}
