/** Task options: how authors write them, and what they become. Each layer (defaults, task, call) is checked once. */
import {
  assetUsesMax,
  MillraceError,
  noRetry,
  parseDuration,
  type CacheUse,
  type Duration,
  type Path,
  type PoolUse,
  type RetryPolicy,
} from "@millrace/core";
import { assetNameOf, type Asset } from "./asset/handle.ts";
import { recordKeyPath } from "./key-path.ts";
import { didYouMean } from "./nearest.ts";
import { formatSource, locate, type SourceMark } from "./source.ts";

/** An error class, or the name of one. */
// oxlint-disable-next-line typescript/no-explicit-any -- constructors differ in their arguments
export type ErrorSelector = string | (abstract new (...args: any[]) => Error);

/** When a failed attempt is tried again. */
export interface RetryOptions {
  /** Attempts after the first. */
  readonly max: number;
  /** First delay; 1 s unless given. */
  readonly delay?: Duration;
  /** `exponential` unless given. */
  readonly backoff?: "fixed" | "exponential";
  /** Growth per attempt of `exponential`; 2 unless given. */
  readonly factor?: number;
  /** 1 h unless given. */
  readonly maxDelay?: Duration;
  /** Draws each delay evenly from 0 to the computed one, so that retries spread. True for `exponential`, false for `fixed`. */
  readonly jitter?: boolean;
  /** Only these errors are retried; subclasses count. */
  readonly on?: readonly ErrorSelector[];
  /** These errors are never retried; wins over `on`. */
  readonly except?: readonly ErrorSelector[];
}

/** Options of a task. A call's options win over the task's, these over the pipeline's `defaults`. */
export interface TaskOptions {
  /** A number retries with exponential backoff from 1 s to 1 h, with full jitter. No retry unless given. */
  readonly retries?: number | RetryOptions;
  /** Running time of one attempt. Unbounded unless given. */
  readonly timeout?: Duration;
  /** A shared limit, and how many of its slots one attempt takes. */
  readonly pool?: string | { readonly name: string; readonly slots?: number };
  /** −1000…1000; higher goes first, and what waits long catches up. */
  readonly priority?: number;
  /** Workers say which queues they serve. `default` unless given. */
  readonly queue?: string;
  /**
   * At most `limit` attempts with the same key at once, over all runs. `key` is a constant, or a callback that reads
   * one path of the input: `(input) => input.customer.id`.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the task's function, which types the input, comes later
  readonly concurrency?: { readonly key: string | ((input: any) => unknown); readonly limit: number };
  /** Reuses a recorded output of the same input. Change `version` to forget what was recorded. */
  readonly cache?: boolean | { readonly expiry?: Duration; readonly version?: string | number };
  /** Environment variables that attempts may see. */
  readonly env?: readonly string[];
  /** Connections that attempts may use. */
  readonly connections?: readonly string[];
  /** Assets that its success updates, for the run's partition, unless the task tells otherwise (`ctx.asset`). */
  readonly writes?: Asset | string | readonly (Asset | string)[];
  /** Assets that it is made of: shown as lineage. */
  readonly reads?: Asset | string | readonly (Asset | string)[];
  /** Shown to people. */
  readonly description?: string;
}

/** One layer of options, checked; what the layer does not set is absent. */
export interface ParsedOptions {
  readonly retry?: RetryPolicy;
  readonly timeoutMs?: number;
  readonly pool?: PoolUse;
  readonly priority?: number;
  readonly queue?: string;
  readonly concurrency?: { readonly key: string | Path; readonly limit: number };
  readonly cache?: CacheUse | undefined;
  readonly env?: readonly string[];
  readonly connections?: readonly string[];
  readonly writes?: readonly (Asset | string)[];
  readonly reads?: readonly (Asset | string)[];
  readonly description?: string;
}

/** Whose options are read: for messages. */
export interface OptionOwner {
  /** `task "clean"`. */
  readonly what: string;
  readonly mark: SourceMark | undefined;
  readonly root: string | undefined;
}

const defaultDelayMs = 1_000;

type Parser = (value: unknown, name: string, owner: OptionOwner) => unknown;

const parsers: {
  readonly [option in keyof Required<TaskOptions>]: readonly [as: keyof ParsedOptions, parse: Parser];
} = {
  retries: ["retry", parseRetries],
  timeout: ["timeoutMs", parsePositiveDuration],
  pool: ["pool", parsePool],
  priority: ["priority", (value, name, owner) => integerOption(value, name, owner, [-1_000, 1_000])],
  queue: ["queue", textOption],
  concurrency: ["concurrency", parseConcurrency],
  cache: ["cache", parseCache],
  env: ["env", textListOption],
  connections: ["connections", textListOption],
  writes: ["writes", assetListOption],
  reads: ["reads", assetListOption],
  description: ["description", textOption],
};

export const taskOptionNames = Object.keys(parsers);

const parsedLayers = new WeakMap<object, ParsedOptions>();

/** Checks one layer of task options; names in `others` belong to somebody else and are passed over. */
export function parseTaskOptions(
  layer: object | undefined,
  owner: OptionOwner,
  others: readonly string[] = [],
): ParsedOptions {
  if (layer === undefined) return {};
  const known = parsedLayers.get(layer);
  if (known) return known;
  checkOptionNames(layer, [...taskOptionNames, ...others], owner);
  const parsed: Record<string, unknown> = {};
  for (const [name, [as, parse]] of Object.entries(parsers)) {
    const value = (layer as Record<string, unknown>)[name];
    if (value !== undefined) parsed[as] = parse(value, name, owner);
  }
  parsedLayers.set(layer, parsed);
  return parsed;
}

/** Returns the options, and refuses what is not an object or has options that nobody knows. `within` names the option that holds this object. */
export function checkOptionNames(
  layer: unknown,
  known: readonly string[],
  owner: OptionOwner,
  within?: string,
): { readonly [name: string]: unknown } {
  if (layer === null || typeof layer !== "object" || Array.isArray(layer)) {
    const what = within === undefined ? "options" : `option "${within}"`;
    throw optionError(owner, `${what} must be an object, found ${describe(layer)}`);
  }
  for (const name of Object.keys(layer)) {
    if (known.includes(name)) continue;
    const what =
      within === undefined ? `there is no option "${name}"` : `option "${within}" has no "${name}"`;
    throw optionError(owner, `${what}.${didYouMean(name, known)} Known are ${known.join(", ")}`);
  }
  return layer as { readonly [name: string]: unknown };
}

/** The error for a wrong option: `Task "clean" (clean.ts:3): …`. */
export function optionError(owner: OptionOwner, fault: string): MillraceError {
  const source = locate(owner.mark, owner.root);
  const place = source ? ` (${formatSource(source)})` : "";
  return new MillraceError("MILLRACE_OPTION_INVALID", {
    message: `${owner.what}${place}: ${fault}${/[.?]$/.test(fault) ? "" : "."}`,
    ...(source ? { source } : {}),
  });
}

export function textOption(value: unknown, name: string, owner: OptionOwner): string {
  if (typeof value === "string" && value !== "") return value;
  throw optionError(owner, `option "${name}" must be a text, found ${describe(value)}`);
}

export function textListOption(value: unknown, name: string, owner: OptionOwner): readonly string[] {
  if (!Array.isArray(value))
    throw optionError(owner, `option "${name}" must be a list of texts, found ${describe(value)}`);
  return value.map((element, index) => textOption(element, `${name}[${index}]`, owner));
}

function assetListOption(value: unknown, name: string, owner: OptionOwner): readonly (Asset | string)[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > assetUsesMax)
    throw optionError(owner, `option "${name}" holds ${list.length} assets; ${assetUsesMax} are allowed`);
  const names = new Set<string>();
  return list.map((one, at) => {
    const found = assetNameOf(one);
    const option = Array.isArray(value) ? `${name}[${at}]` : name;
    if (found === undefined)
      throw optionError(
        owner,
        `option "${option}" must be an asset or the name of one, found ${describe(one)}`,
      );
    if (names.has(found)) throw optionError(owner, `option "${name}" names the asset "${found}" twice`);
    names.add(found);
    return one as Asset | string;
  });
}

export function booleanOption(value: unknown, name: string, owner: OptionOwner): boolean {
  if (typeof value === "boolean") return value;
  throw optionError(owner, `option "${name}" must be true or false, found ${describe(value)}`);
}

export function integerOption(
  value: unknown,
  name: string,
  owner: OptionOwner,
  [min, max]: readonly [number, number] = [1, Number.MAX_SAFE_INTEGER],
): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)
    return value as number;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw optionError(owner, `option "${name}" must be a whole number ${range}, found ${describe(value)}`);
}

export function parsePositiveDuration(value: unknown, name: string, owner: OptionOwner): number {
  const ms = durationOption(value, name, owner);
  if (ms > 0) return ms;
  throw optionError(owner, `option "${name}" must be longer than nothing, found ${describe(value)}`);
}

export function choiceOption<T extends string>(
  value: unknown,
  name: string,
  owner: OptionOwner,
  choices: readonly T[],
): T {
  const chosen = choices.find((choice) => choice === value);
  if (chosen !== undefined) return chosen;
  const hint = typeof value === "string" ? didYouMean(value, choices) : "";
  throw optionError(
    owner,
    `option "${name}" must be one of ${choices.join(", ")}, found ${describe(value)}.${hint}`,
  );
}

/** How a wrong value is shown. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === "function") return "a function or a reference";
  if (typeof value === "bigint") return `${value}n`;
  if (value !== null && typeof value === "object") return Array.isArray(value) ? "a list" : "an object";
  return String(value);
}

function durationOption(value: unknown, name: string, owner: OptionOwner): number {
  const ms = parseDuration(value);
  if (ms !== undefined) return ms;
  throw optionError(
    owner,
    `option "${name}" must be a duration (ms, or text such as "500ms", "30s", "5m", "2h", "1d", "1h30m"), found ${describe(value)}`,
  );
}

function parseRetries(value: unknown, name: string, owner: OptionOwner): RetryPolicy {
  if (typeof value === "number") return retryPolicy({ max: value }, name, owner);
  const known = ["max", "delay", "backoff", "factor", "maxDelay", "jitter", "on", "except"];
  return retryPolicy(checkOptionNames(value, known, owner, name) as unknown as RetryOptions, name, owner);
}

function retryPolicy(options: RetryOptions, name: string, owner: OptionOwner): RetryPolicy {
  const retries = integerOption(
    options.max,
    typeof options.max === "number" ? name : `${name}.max`,
    owner,
    [0, 1_000],
  );
  if (retries === 0) return noRetry;
  const backoff = choiceOption(options.backoff ?? "exponential", `${name}.backoff`, owner, [
    "fixed",
    "exponential",
  ]);
  const factor = options.factor ?? noRetry.factor;
  if (typeof factor !== "number" || !(factor >= 1 && factor <= 100)) {
    throw optionError(
      owner,
      `option "${name}.factor" must be a number from 1 to 100, found ${describe(factor)}`,
    );
  }
  const jitter = booleanOption(options.jitter ?? backoff === "exponential", `${name}.jitter`, owner);
  return {
    retries,
    backoff,
    factor,
    delayMs:
      options.delay === undefined ? defaultDelayMs : durationOption(options.delay, `${name}.delay`, owner),
    maxDelayMs:
      options.maxDelay === undefined
        ? noRetry.maxDelayMs
        : durationOption(options.maxDelay, `${name}.maxDelay`, owner),
    jitter: jitter ? "full" : "none",
    ...(options.on ? { on: errorNames(options.on, `${name}.on`, owner) } : {}),
    ...(options.except ? { except: errorNames(options.except, `${name}.except`, owner) } : {}),
  };
}

function errorNames(selectors: unknown, name: string, owner: OptionOwner): readonly string[] {
  if (!Array.isArray(selectors)) {
    throw optionError(
      owner,
      `option "${name}" must be a list of error classes or names, found ${describe(selectors)}`,
    );
  }
  return selectors.map((selector: unknown, index) =>
    textOption(typeof selector === "function" ? selector.name : selector, `${name}[${index}]`, owner),
  );
}

function parsePool(value: unknown, name: string, owner: OptionOwner): PoolUse {
  if (typeof value === "string") return { name: textOption(value, name, owner), slots: 1 };
  const pool = checkOptionNames(value, ["name", "slots"], owner, name);
  return {
    name: textOption(pool.name, `${name}.name`, owner),
    slots: pool.slots === undefined ? 1 : integerOption(pool.slots, `${name}.slots`, owner),
  };
}

function parseConcurrency(value: unknown, name: string, owner: OptionOwner): ParsedOptions["concurrency"] {
  const { key, limit } = checkOptionNames(value, ["key", "limit"], owner, name);
  return {
    key:
      typeof key === "function"
        ? recordKeyPath(key as (input: unknown) => unknown, owner)
        : textOption(key, `${name}.key`, owner),
    limit: integerOption(limit, `${name}.limit`, owner),
  };
}

function parseCache(value: unknown, name: string, owner: OptionOwner): CacheUse | undefined {
  if (value === false) return undefined;
  if (value === true) return { version: "1" };
  const { expiry, version } = checkOptionNames(value, ["expiry", "version"], owner, name);
  return {
    version:
      version === undefined
        ? "1"
        : textOption(typeof version === "number" ? String(version) : version, `${name}.version`, owner),
    ...(expiry === undefined ? {} : { expiryMs: parsePositiveDuration(expiry, `${name}.expiry`, owner) }),
  };
}
