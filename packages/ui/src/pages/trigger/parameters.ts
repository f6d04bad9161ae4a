/** What of a trigger can be changed without another shape: spans, counts, schedules, filters, keys, with where they stand. */
import { parseDuration, type Json, type TriggerDefinition, type Where } from "@millrace/core";
import { celOf } from "../../parts/filter/cel-text.ts";
import { everyText, spanText } from "./condition-code.ts";

type Path = readonly (string | number)[];
type Values = { readonly [name: string]: Json };

export interface Parameter {
  readonly path: Path;
  /** `count · within`. */
  readonly label: string;
  readonly kind: "span" | "number" | "text";
  /** As it is entered. */
  readonly text: string;
  /** Leaving it empty leaves it out. */
  readonly isOptional: boolean;
}

interface Known {
  readonly name: string;
  readonly label: string;
  readonly kind: "span" | "number" | "text";
  readonly isOptional?: true;
}

/** By kind of condition, in the order in which they are shown. */
const known: { readonly [kind: string]: readonly Known[] } = {
  event: [{ name: "type", label: "type", kind: "text" }],
  all: [{ name: "withinMs", label: "within", kind: "span", isOptional: true }],
  sequence: [{ name: "withinMs", label: "within", kind: "span", isOptional: true }],
  at_least: [
    { name: "n", label: "how many", kind: "number" },
    { name: "withinMs", label: "within", kind: "span", isOptional: true },
  ],
  unless: [{ name: "withinMs", label: "within", kind: "span", isOptional: true }],
  absent: [{ name: "withinMs", label: "within", kind: "span" }],
  count: [
    { name: "n", label: "how many", kind: "number" },
    { name: "withinMs", label: "within", kind: "span", isOptional: true },
  ],
  batch: [
    { name: "max", label: "at most", kind: "number" },
    { name: "maxWaitMs", label: "waits at most", kind: "span" },
  ],
  session: [
    { name: "gapMs", label: "gap", kind: "span" },
    { name: "maxMs", label: "at most", kind: "span", isOptional: true },
  ],
  debounce: [
    { name: "quietMs", label: "quiet for", kind: "span" },
    { name: "maxWaitMs", label: "waits at most", kind: "span", isOptional: true },
  ],
  throttle: [
    { name: "limit", label: "at most", kind: "number" },
    { name: "perMs", label: "in each", kind: "span" },
  ],
  window: [
    { name: "latenessMs", label: "lateness", kind: "span" },
    { name: "idleMs", label: "idle for", kind: "span", isOptional: true },
  ],
  reached: [
    { name: "delayMs", label: "delay", kind: "span" },
    { name: "orAfterMs", label: "or after", kind: "span", isOptional: true },
  ],
};

export function parametersOf(trigger: TriggerDefinition): Parameter[] {
  return ofCondition(trigger.condition as unknown as Values, ["condition"]);
}

function ofCondition(condition: Values, path: Path): Parameter[] {
  const kind = textOf(condition["kind"]);
  const title = typeof condition["name"] === "string" ? condition["name"] : titleOf(kind, condition);
  const own = (known[kind] ?? []).map(({ name, label, kind: how, isOptional }): Parameter => {
    const value = condition[name];
    const text = value === undefined ? "" : how === "span" ? spanText(Number(value)) : textOf(value);
    return {
      path: [...path, name],
      label: `${title} · ${label}`,
      kind: how,
      text,
      isOptional: isOptional === true,
    };
  });
  const text = (name: string, label: string, value: string): Parameter => ({
    path: [...path, name],
    label: `${title} · ${label}`,
    kind: "text",
    text: value,
    isOptional: name === "where" || name === "by",
  });
  return [
    ...own,
    ...filterOf(condition, text),
    ...scheduleParameters(condition, path, title),
    ...keyParameters(condition["by"], path, title),
    ...below(condition, path),
  ];
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

function titleOf(kind: string, condition: Values): string {
  if (kind === "event") return textOf(condition["type"]);
  return kind.replaceAll("_", " ");
}

function below(condition: Values, path: Path): Parameter[] {
  return ["of", "until", "after"].flatMap((name) => {
    const inner = condition[name];
    if (Array.isArray(inner))
      return (inner as readonly Values[]).flatMap((one, at) => ofCondition(one, [...path, name, at]));
    return inner !== null && typeof inner === "object" ? ofCondition(inner as Values, [...path, name]) : [];
  });
}

function scheduleParameters(condition: Values, path: Path, title: string): Parameter[] {
  const name = condition["kind"] === "window" ? "every" : "schedule";
  const schedule = condition[name] as Values | undefined;
  if (schedule === undefined) return [];
  const at = (member: string, label: string, text: string): Parameter => ({
    path: [...path, name, member],
    label: `${title} · ${label}`,
    kind: "text",
    text,
    isOptional: false,
  });
  const kind = schedule["kind"];
  if (kind === "at") return [];
  return [
    kind === "cron"
      ? at("expression", "cron", textOf(schedule["expression"]))
      : at("every", "every", everyText(schedule as never)),
    at("tz", "zone", textOf(schedule["tz"] ?? "UTC")),
  ];
}

function keyParameters(by: Json | undefined, path: Path, title: string): Parameter[] {
  const key = by as Values | undefined;
  if (key?.["kind"] !== "operands") {
    if (key === undefined && path.length > 1) return [];
    return [
      {
        path: [...path, "by"],
        label: `${path.length === 1 ? "" : `${title} · `}key`,
        kind: "text",
        text: key === undefined ? "" : keyText(key),
        isOptional: true,
      },
    ];
  }
  return Object.entries(key["of"] as Values).map(([operand, one]) => ({
    path: [...path, "by", "of", operand],
    label: `${operand} · key`,
    kind: "text" as const,
    text: keyText(one as Values),
    isOptional: false,
  }));
}

function keyText(key: Values): string {
  return key["kind"] === "cel" ? textOf(key["text"]) : (key["path"] as readonly string[]).join(".");
}

/** Its filter as CEL; none where it says what CEL can't. */
function filterOf(
  { kind, where }: Values,
  text: (name: string, label: string, value: string) => Parameter,
): Parameter[] {
  if (kind !== "event") return [];
  const cel = where === undefined ? "" : celOf(where as unknown as Where);
  return cel === undefined ? [] : [text("where", "where", cel)];
}

export type Entered = { readonly [path: string]: string };

export function nameOf(path: Path): string {
  return path.join("/");
}

/** The trigger with what was entered. Throws where a span or a number is none: with the name of its field. */
export function changedTrigger(
  trigger: TriggerDefinition,
  parameters: readonly Parameter[],
  entered: Entered,
): Json {
  let changed = trigger as unknown as Json;
  for (const parameter of parameters) {
    const text = entered[nameOf(parameter.path)];
    if (text === undefined || text === parameter.text) continue;
    changed = put(changed, parameter.path, valueOf(parameter, text.trim()));
  }
  return changed;
}

export class FieldError extends Error {
  override readonly name = "FieldError";
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

function valueOf({ path, kind, isOptional, label }: Parameter, text: string): Json | undefined {
  const name = nameOf(path);
  if (text === "") {
    if (isOptional) return undefined;
    throw new FieldError(name, `${label} can't be left out`);
  }
  if (kind === "span") {
    const ms = parseDuration(text);
    if (ms === undefined) throw new FieldError(name, "a span is written as 30s, 5m, 1h30m or 2d");
    return ms;
  }
  if (kind === "number") {
    if (!/^\d+$/.test(text)) throw new FieldError(name, "a whole number is needed");
    return Number(text);
  }
  const last = path.at(-1);
  if (last === "where") return { op: "cel", text };
  if (last === "by" || path.includes("by"))
    return /^[\w.-]+$/.test(text) ? { kind: "path", path: text.split(".") } : { kind: "cel", text };
  return text;
}

function put(value: Json, [step, ...rest]: Path, given: Json | undefined): Json {
  if (step === undefined) return given ?? null;
  if (Array.isArray(value))
    return (value as readonly Json[]).map((one, at) => (at === step ? put(one, rest, given) : one));
  const { [String(step)]: old, ...others } = value as Values;
  if (rest.length === 0) return given === undefined ? others : { ...others, [String(step)]: given };
  return { ...others, [String(step)]: put(old ?? {}, rest, given) };
}

/** The field that a refusal of the server names: `$.trigger.condition.of[0].withinMs`. */
export function fieldAt(parameters: readonly Parameter[], refused: string): string | undefined {
  const steps = refused
    .replace(/^\$?\.?/, "")
    .split(/[.[\]]+/)
    .filter((step) => step !== "" && step !== "trigger");
  const found = parameters.find(({ path }) => {
    const own = path.map(String);
    return own.every((step, at) => steps[at] === step);
  });
  return found && nameOf(found.path);
}
