/** `.by(key)`: what makes events belong together. A path or a CEL expression that gives one scalar. */
import { canonicalJson } from "../../canonical-json.ts";
import { MillraceError } from "../../error/millrace-error.ts";
import { formatPath, type Path } from "../../json.ts";
import { whereTextCharactersMax } from "../../limits.ts";
import { celVariablesOf, compileCel, eventVariables, type CelShape } from "./cel.ts";
import { parseWherePath } from "./parse.ts";
import { compilePath } from "./read.ts";
import type { WhereEvent, WherePath } from "./where.ts";
import { describeValue, formatWherePath } from "./words.ts";

export type EventKey =
  | { readonly kind: "path"; readonly path: WherePath }
  | { readonly kind: "cel"; readonly text: string };

/** A key is never null: an event without one belongs to no key, and is told as such. */
export type EventKeyValue = string | number | boolean;

export type EventKeyOutcome = { readonly key: EventKeyValue } | { readonly fault: string };

export interface CompiledEventKey {
  /** Every path that it reads, to be held against a schema. */
  readonly paths: readonly WherePath[];
  keyOf(event: WhereEvent): EventKeyOutcome;
}

const shape: CelShape = { what: "key", result: "scalar", variables: eventVariables };

/** Validates a key that came as JSON and stands at `path` in what the caller was given. */
export function parseEventKey(json: unknown, path: Path = []): EventKey {
  const members = (json !== null && typeof json === "object" ? json : {}) as {
    readonly [key: string]: unknown;
  };
  const { kind } = members;
  if (kind === "path" && hasOnly(members, ["kind", "path"])) {
    const steps = parseWherePath(members["path"], [...path, "path"]);
    return { kind, path: steps };
  }
  if (kind === "cel" && hasOnly(members, ["kind", "text"]) && typeof members["text"] === "string") {
    compileCel(members["text"], shape, [...path, "text"]);
    return { kind, text: members["text"] };
  }
  throw new MillraceError("MILLRACE_WHERE_INVALID", {
    message: `The key is wrong at ${formatPath(path)}: expected { kind: "path", path } or { kind: "cel", text }.`,
    fields: { path },
  });
}

export function canonicalEventKey(key: EventKey): string {
  return canonicalJson(key);
}

/** Compiles a key that `parseEventKey` gave. */
export function compileEventKey(key: EventKey): CompiledEventKey {
  if (key.kind === "path") {
    const read = compilePath(key.path);
    return {
      paths: [key.path],
      keyOf: (event) => {
        const found = read(event);
        return scalarKey(found) ?? noKey(`${formatWherePath(key.path)} is ${describeValue(found)}`);
      },
    };
  }
  const compiled = compileCel(key.text, shape);
  return {
    paths: compiled.paths,
    keyOf: (event) => {
      const outcome = compiled.evaluate(celVariablesOf(event));
      if ("fault" in outcome) return noKey(outcome.fault);
      const value = outcome.value;
      const scalar = typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
      return scalarKey(scalar) ?? noKey("the expression gives no text, number, true or false");
    },
  };
}

function scalarKey(value: unknown): EventKeyOutcome | undefined {
  switch (typeof value) {
    case "string":
      return value.length <= whereTextCharactersMax
        ? { key: value }
        : noKey(`the key has ${value.length} characters, and ${whereTextCharactersMax} are allowed`);
    case "number":
      return Number.isFinite(value) ? { key: value === 0 ? 0 : value } : undefined;
    case "boolean":
      return { key: value };
    default:
      return undefined;
  }
}

function noKey(fault: string): EventKeyOutcome {
  return { fault };
}

function hasOnly(members: object, keys: readonly string[]): boolean {
  return Object.keys(members).every((key) => keys.includes(key));
}
