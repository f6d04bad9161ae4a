/** Inputs: JSON with references at any depth, and how they become templates. */
import {
  findJsonFault,
  formatPath,
  jsonDepthMax,
  tooDeep,
  unreachable,
  valueAt,
  type Json,
  type Path,
  type Template,
} from "@millrace/core";
import { encloses, graphError, type Build } from "./build.ts";
import {
  describeTarget,
  referenceState,
  type Ref,
  type ReferenceBase,
  type ReferenceState,
} from "./reference.ts";
import type { SourceMark } from "./source.ts";

/** A `T` in which every part may also be a reference to such a part. */
export type Input<T> = Ref<T> | InputParts<T>;

type InputParts<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends object
    ? { readonly [K in keyof T]: Input<T[K]> }
    : T;

/** What an input is when its references have been filled in. */
export type Filled<T> =
  T extends ReferenceBase<infer V>
    ? V
    : T extends string | number | boolean | null | undefined
      ? T
      : T extends object
        ? { -readonly [K in keyof T]: Filled<T[K]> }
        : T;

/** Who uses a value, and from where. */
export interface InputPlace {
  readonly build: Build;
  /** The innermost region of the user. */
  readonly region: string | undefined;
  /** `the input of "clean"`. */
  readonly what: string;
  readonly mark: SourceMark | undefined;
}

/** Turns an input into a template. Parts without references become one value each. */
export function toTemplate(input: unknown, place: InputPlace): Template {
  return new TemplateWriter(place).write(input === undefined ? null : input);
}

class TemplateWriter {
  readonly #place: InputPlace;
  readonly #path: (string | number)[] = [];
  /** The objects that are being written, to notice one that contains itself. */
  readonly #open = new Set<object>();

  constructor(place: InputPlace) {
    this.#place = place;
  }

  write(value: unknown): Template {
    const reference = referenceState(value);
    if (reference) return referenceTemplate(reference, this.#place);
    if (value === null || typeof value !== "object") return this.#writePlain(value);
    if (this.#open.has(value)) throw this.#fault("a value that contains itself");
    if (this.#path.length >= jsonDepthMax) throw this.#fault(tooDeep);
    this.#open.add(value);
    const template = Array.isArray(value) ? this.#writeArray(value) : this.#writeObject(value);
    this.#open.delete(value);
    return template;
  }

  #writePlain(value: unknown): Template {
    const fault = findJsonFault(value);
    if (fault) throw this.#fault(fault.found);
    return { kind: "value", value: value as Json };
  }

  #writeArray(values: readonly unknown[]): Template {
    const items: Template[] = [];
    for (let index = 0; index < values.length; index += 1)
      items.push(this.#writeMember(index, values[index]));
    if (!items.every(isValue)) return { kind: "array", items };
    return { kind: "value", value: items.map((item) => item.value) };
  }

  #writeObject(value: object): Template {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== null && prototype !== Object.prototype) return this.#writePlain(value);
    const entries: [string, Template][] = [];
    for (const [key, member] of Object.entries(value)) {
      if (member !== undefined) entries.push([key, this.#writeMember(key, member)]);
    }
    if (!entries.every(([, member]) => isValue(member)))
      return { kind: "object", entries: Object.fromEntries(entries) };
    return {
      kind: "value",
      value: Object.fromEntries(entries.map(([key, member]) => [key, (member as ValueTemplate).value])),
    };
  }

  #writeMember(step: string | number, member: unknown): Template {
    this.#path.push(step);
    const template = this.write(member);
    this.#path.pop();
    return template;
  }

  #fault(found: string): Error {
    const { build, what, mark } = this.#place;
    return graphError(build, "MILLRACE_VALUE_NOT_JSON", {
      message: `${what} holds ${found} at ${formatPath(this.#path.slice(0, pathShownMax))}, which JSON can't carry.`,
      advice: adviceFor[found] ?? "Pass plain objects, arrays, strings, finite numbers, booleans or null.",
      mark,
    });
  }
}

const pathShownMax = 20;

const adviceFor: { readonly [found: string]: string } = {
  "an instance of Date": "Pass `date.toISOString()`.",
  "a bigint": "Pass `String(value)`, or `Number(value)` if it is small enough.",
  "a function":
    "Pass what a task's call returns, `load(…)`, not the task itself; other functions can't travel.",
};

type ValueTemplate = Extract<Template, { readonly kind: "value" }>;

function isValue(template: Template): template is ValueTemplate {
  return template.kind === "value";
}

function referenceTemplate(state: ReferenceState, place: InputPlace): Template {
  const { build, region, what, mark } = place;
  const { target } = state;
  if (state.owner !== build) {
    throw graphError(build, "MILLRACE_GRAPH_FOREIGN_REFERENCE", {
      message: `${what} uses the ${describeTarget(target)}, which belongs to pipeline "${state.owner.name}".`,
      advice: "Return the value from that pipeline and call it: `other.call(params)`.",
      mark,
    });
  }
  if ((target.kind === "item" || target.kind === "index") && !encloses(build, target.region, region)) {
    throw graphError(build, "MILLRACE_GRAPH_FOREIGN_REFERENCE", {
      message: `${what} uses the ${describeTarget(target)} outside that fan-out.`,
      advice: "Use it only in the function given to `map`; to run several tasks per item, use `group.map`.",
      mark,
    });
  }
  if (target.kind === "output" && target.path.length > 0 && !encloses(build, state.view, region)) {
    throw graphError(build, "MILLRACE_GRAPH_FOREIGN_REFERENCE", {
      message: `${what} reads one item's ${describeTarget(target)} outside its fan-out, where that output is a list.`,
      advice: "Use the list that `group.map` returns.",
      mark,
    });
  }
  return target;
}

/** The part of a template at `path`, or `undefined` when there is no such part. */
export function templateAt(template: Template, path: Path): Template | undefined {
  const [step, ...rest] = path;
  if (step === undefined) return template;
  switch (template.kind) {
    case "value": {
      const value = valueAt(template.value, path);
      return value === undefined ? undefined : { kind: "value", value };
    }
    case "object":
      return Object.hasOwn(template.entries, step) ? templateAt(template.entries[step]!, rest) : undefined;
    case "array": {
      const item = typeof step === "number" ? template.items[step] : undefined;
      return item && templateAt(item, rest);
    }
    case "output":
    case "item":
    case "params":
    case "firing":
      return { ...template, path: [...template.path, ...path] };
    case "index":
      return undefined;
    default:
      return unreachable(template);
  }
}
