/**
 * CEL, by `@marcbachmann/cel-js`, which no other file imports. Its own `matches` runs JavaScript's regular expressions,
 * which can take for ever: here each literal pattern is compiled by RE2 before, and the method is renamed in the tree.
 */
import { Environment, type ASTNode } from "@marcbachmann/cel-js";
import { expressionDepthMax, expressionListMax, expressionNodesMax } from "../../limits.ts";
import type { Pattern } from "./pattern.ts";

export type CelNode = ASTNode;

/** `dyn` is a value of any type that JSON has. */
export type CelType = "string" | "dyn" | "timestamp" | "map";

export interface CelFailure {
  readonly message: string;
  /** Where in the text, in characters from its beginning. */
  readonly at?: number;
}

export interface ParsedCel {
  readonly tree: CelNode;
  /** The type of what it gives, or why the types don't fit. Once it was called, the tree is fixed. */
  check(): { readonly type: string } | { readonly failure: CelFailure };
  /** Throws whatever the library throws. */
  evaluate(variables: { readonly [name: string]: unknown }): unknown;
}

const typeNames: { readonly [Type in CelType]: string } = {
  string: "string",
  dyn: "dyn",
  timestamp: "google.protobuf.Timestamp",
  map: "map<string, dyn>",
};

/** The method that stands for `matches` in a checked tree. No expression can name it: it is not among the allowed ones. */
const safeMatches = "matchesRe2";

export function parseCel(
  text: string,
  variables: { readonly [name: string]: CelType },
  patterns: ReadonlyMap<string, Pattern>,
): ParsedCel | { readonly failure: CelFailure } {
  const environment = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: {
      maxAstNodes: expressionNodesMax,
      maxDepth: expressionDepthMax,
      maxListElements: expressionListMax,
      maxMapEntries: expressionListMax,
    },
  });
  for (const [name, type] of Object.entries(variables))
    environment.registerVariable(ownName(name), typeNames[type]);
  environment.registerFunction(`string.${safeMatches}(string): bool`, (value: string, pattern: string) => {
    const compiled = patterns.get(pattern);
    if (!compiled) throw new Error("invariant broken: a pattern that was not compiled");
    return compiled.isIn(value);
  });
  const renamed = Object.keys(variables).filter((name) => takenNames.has(name));
  try {
    const parsed = environment.parse(text);
    return {
      tree: parsed.ast,
      check: () => {
        const { valid, type, error } = parsed.check();
        return valid ? { type: type ?? "dyn" } : { failure: failureOf(error) };
      },
      evaluate: (values) => parsed(withOwnNames(values, renamed)) as unknown,
    };
  } catch (error) {
    return { failure: failureOf(error) };
  }
}

/** Makes a call of `matches` one of RE2. */
export function renameMatches(call: CelNode): void {
  if (call.op !== "rcall") throw new Error("invariant broken: `matches` is a method");
  (call.args as unknown as [string])[0] = safeMatches;
}

/** Names that mean a type or a namespace to the library; an event has a `type`, too. */
const takenNames = new Set(
  "bool bytes cel double google int list map null_type optional string type uint".split(" "),
);

function ownName(name: string): string {
  return takenNames.has(name) ? `${name}_of_event` : name;
}

function withOwnNames(
  values: { readonly [name: string]: unknown },
  renamed: readonly string[],
): { readonly [name: string]: unknown } {
  if (renamed.length === 0) return values;
  return { ...values, ...Object.fromEntries(renamed.map((name) => [ownName(name), values[name]])) };
}

/** Makes a name in the tree one of a variable. */
export function renameVariable(node: CelNode): void {
  if (node.op !== "id") throw new Error("invariant broken: a variable is a name");
  (node as { args: string }).args = ownName(node.args);
}

/** What the library threw, in one line. A stack that is too deep is told as such. */
export function failureOf(error: unknown): CelFailure {
  if (error instanceof RangeError) return { message: "it is nested too deeply, or makes too large a value" };
  if (!(error instanceof Error)) return { message: String(error) };
  const { summary, range } = error as Error & {
    readonly summary?: unknown;
    readonly range?: { readonly start: number };
  };
  const message = (typeof summary === "string" ? summary : error.message).replaceAll(safeMatches, "matches");
  return range ? { message, at: range.start } : { message };
}
