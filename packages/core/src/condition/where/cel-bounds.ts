/**
 * What an expression may do: call pure functions that give the same everywhere (none that reads a local time zone), and
 * cost a bounded number of steps. An expression that walks the event once is linear in it, and free. Each walk within a
 * walk multiplies: a comprehension over a list of the event inside another one, or the whole of a list looked at for
 * each element of another. `degree` counts them, and evaluation refuses what would cost too much for an event's size.
 *
 * B1: a comprehension walks a path, maybe filtered or with a default, or a list that is written out: never a list that
 *     was computed, so no walk is longer than the event.
 * B2: a walk over a part of an element, within the walk that gives this element, is a part of that walk and not one
 *     more. A second walk over the same element within the first is one more.
 * B3: nothing binds a computed value to a name, so that values can't double with each line.
 */
import { nearestName } from "../../nearest-name.ts";
import { renameMatches, renameVariable, type CelNode } from "./cel-library.ts";
import { compilePattern, type Pattern } from "./pattern.ts";

export interface CelBounds {
  /** 0 and 1: linear in the event. */
  readonly degree: number;
  /** Nodes of the tree. */
  readonly size: number;
  /** Whether it looks for a member that may be absent. */
  readonly optional: boolean;
}

export type BoundsResult = CelBounds | { readonly fault: string; readonly at: number };

const comprehensions = new Set(["all", "exists", "exists_one", "filter", "map"]);

const functions = new Set([
  "bool",
  "double",
  "duration",
  "dyn",
  "has",
  "int",
  "size",
  "string",
  "timestamp",
  "type",
]);

/** Method → the largest number of arguments: with one more, the methods of times read the machine's time zone data. */
const methods: ReadonlyMap<string, number> = new Map([
  ["contains", 1],
  ["endsWith", 1],
  ["startsWith", 1],
  ["matches", 1],
  ["lowerAscii", 0],
  ["upperAscii", 0],
  ["trim", 0],
  ["indexOf", 2],
  ["lastIndexOf", 2],
  ["substring", 2],
  ["split", 2],
  ["join", 1],
  ["size", 0],
  ["hasValue", 0],
  ["value", 0],
  ["or", 1],
  ["orValue", 1],
  ["of", 1],
  ["none", 0],
  ["getFullYear", 0],
  ["getMonth", 0],
  ["getDate", 0],
  ["getDayOfMonth", 0],
  ["getDayOfWeek", 0],
  ["getHours", 0],
  ["getMinutes", 0],
  ["getSeconds", 0],
  ["getMilliseconds", 0],
]);

/** Names that are no variables: `type(data.x) == string`, `optional.none()`. */
const constants = new Set(["bool", "double", "int", "list", "map", "null_type", "optional", "string"]);

/**
 * Finds what `tree` costs, gathers its patterns into `patterns`, and makes the tree one that can be evaluated: each
 * `matches` in it is RE2's afterwards, and each name one of `variables`.
 */
export function boundCel(
  tree: CelNode,
  variables: readonly string[],
  patterns: Map<string, Pattern>,
): BoundsResult {
  const walk = new BoundsWalk(variables, patterns);
  try {
    const degree = walk.visit(tree, []);
    return { degree, size: walk.size, optional: walk.optional };
  } catch (error) {
    if (error instanceof Refusal) return { fault: error.message, at: error.at };
    throw error;
  }
}

class Refusal extends Error {
  readonly at: number;

  constructor(message: string, node: CelNode) {
    super(message);
    this.at = node.range.start;
  }
}

/** The comprehensions around a node; the innermost is the last. */
type Scope = readonly Element[];

interface Element {
  readonly name: string;
  /** What its walk begins with: a variable, an outer element, or nothing when the list is written out. */
  readonly walks: Element | undefined;
}

class BoundsWalk {
  size = 0;
  optional = false;
  readonly #variables: readonly string[];
  readonly #patterns: Map<string, Pattern>;

  constructor(variables: readonly string[], patterns: Map<string, Pattern>) {
    this.#variables = variables;
    this.#patterns = patterns;
  }

  visit(node: CelNode, scope: Scope): number {
    this.size += 1;
    switch (node.op) {
      case "value":
        return 0;
      case "id": {
        const degree = wholeDegree(node, scope);
        this.#visitName(node, scope);
        return degree;
      }
      case ".":
      case ".?":
      case "[]":
      case "[?]":
        return Math.max(wholeDegree(node, scope), this.#visitPath(node, scope));
      case "call":
        return this.#visitCall(node, scope);
      case "rcall":
        return this.#visitMethod(node, scope);
      case "==":
      case "!=":
      case "<":
      case "<=":
      case ">":
      case ">=":
        return this.#visitComparison(node.args, scope);
      case "!_":
      case "-_":
        return this.visit(node.args, scope);
      case "map":
        return this.#visitAll(node.args.flat(), scope);
      default:
        return this.#visitAll(node.args, scope);
    }
  }

  #visitAll(nodes: readonly CelNode[], scope: Scope): number {
    return Math.max(0, ...nodes.map((node) => this.visit(node, scope)));
  }

  #visitName(node: CelNode & { readonly op: "id" }, scope: Scope): void {
    const name = node.args;
    if (elementOf(name, scope)) return;
    if (this.#variables.includes(name)) {
      renameVariable(node);
    } else if (!constants.has(name)) {
      const near = nearestName(name, this.#variables);
      const hint = near === undefined ? `known are ${this.#variables.join(", ")}` : `did you mean "${near}"?`;
      throw new Refusal(`there is no "${name}" here; ${hint}`, node);
    }
  }

  /** A path without its whole: what its indexes cost. */
  #visitPath(node: CelNode, scope: Scope): number {
    switch (node.op) {
      case "id":
        this.#visitName(node, scope);
        return 0;
      case ".":
      case ".?":
        this.size += 1;
        this.optional ||= node.op.includes("?");
        return this.#visitPath(node.args[0], scope);
      case "[]":
      case "[?]":
        this.size += 1;
        this.optional ||= node.op.includes("?");
        return Math.max(this.#visitPath(node.args[0], scope), this.visit(node.args[1], scope));
      default:
        return this.visit(node, scope);
    }
  }

  /** Comparing costs what the smaller side does, so a literal or a part of the element makes it cheap. */
  #visitComparison(sides: readonly [CelNode, CelNode], scope: Scope): number {
    const isCheap = sides.some((side) => isLiteral(side) || (isPath(side) && wholeDegree(side, scope) === 0));
    const degrees = sides.map((side) =>
      isCheap && isPath(side) ? this.#visitPath(side, scope) : this.visit(side, scope),
    );
    return Math.max(...degrees);
  }

  #visitCall(node: CelNode & { readonly op: "call" }, scope: Scope): number {
    const [name, args] = node.args;
    if (!functions.has(name)) throw new Refusal(`there is no function "${name}" here`, node);
    if (name === "has") return Math.max(0, ...args.map((path) => this.#visitPath(path, scope)));
    return this.#visitAll(args, scope);
  }

  #visitMethod(node: CelNode & { readonly op: "rcall" }, scope: Scope): number {
    const [name, receiver, args] = node.args;
    if (comprehensions.has(name)) return this.#visitComprehension(node, scope);
    const argumentsMax = methods.get(name);
    if (argumentsMax === undefined) throw new Refusal(`there is no method "${name}" here`, node);
    if (args.length > argumentsMax)
      throw new Refusal(`the method "${name}" takes at most ${argumentsMax} arguments here`, node);
    if (name === "matches") this.#compileMatches(node);
    return this.#visitAll([receiver, ...args], scope);
  }

  #compileMatches(node: CelNode & { readonly op: "rcall" }): void {
    const pattern = node.args[2][0];
    if (pattern?.op !== "value" || typeof pattern.args !== "string")
      throw new Refusal("`matches` takes a pattern that is written out as a text", node);
    const compiled = compilePattern(pattern.args);
    if ("fault" in compiled) throw new Refusal(`the pattern ${compiled.fault}`, pattern);
    this.#patterns.set(pattern.args, compiled.pattern);
    renameMatches(node);
  }

  #visitComprehension(node: CelNode & { readonly op: "rcall" }, scope: Scope): number {
    const [name, range, [variable, ...steps]] = node.args;
    if (variable?.op !== "id") throw new Refusal(`\`${name}\` begins with the name of its element`, node);
    if (!isRange(range))
      throw new Refusal(
        `\`${name}\` walks a list of the event, filtered or not, or one that is written out; not a computed one`,
        range,
      );
    const base = rangeBase(range);
    const walks = elementOf(pathRoot(base), scope);
    const own = walks && !isWalked(walks, scope) ? 0 : 1;
    const walked = isPath(range) ? this.#visitPath(range, scope) : this.visit(range, scope);
    return Math.max(walked, own + this.#visitAll(steps, [...scope, { name: variable.args, walks }]));
  }
}

/** 1 for what may be as large as the event and is looked at once for each element; 0 for what B2 counts already. */
function wholeDegree(path: CelNode, scope: Scope): number {
  const root = pathRoot(path);
  if (scope.length === 0 || root === undefined) return 0;
  const element = elementOf(root, scope);
  return element && !isWalked(element, scope) ? 0 : 1;
}

/** The innermost element of that name. */
function elementOf(name: string | undefined, scope: Scope): Element | undefined {
  return scope.findLast((element) => element.name === name);
}

function isWalked(element: Element, scope: Scope): boolean {
  return scope.some(({ walks }) => walks === element);
}

function isPath(node: CelNode): boolean {
  return pathRoot(node) !== undefined;
}

function pathRoot(node: CelNode): string | undefined {
  switch (node.op) {
    case "id":
      return node.args;
    case ".":
    case ".?":
    case "[]":
    case "[?]":
      return pathRoot(node.args[0]);
    default:
      return undefined;
  }
}

function isLiteral(node: CelNode): boolean {
  if (node.op === "list") return node.args.every(isLiteral);
  return node.op === "value" || (node.op === "-_" && isLiteral(node.args));
}

function isRange(node: CelNode): boolean {
  if (node.op === "rcall") {
    const [name, receiver, args] = node.args;
    return isRange(receiver) && (name === "filter" || (name === "orValue" && args.every(isLiteral)));
  }
  return isPath(node) || (node.op === "list" && isLiteral(node));
}

function rangeBase(node: CelNode): CelNode {
  return node.op === "rcall" ? rangeBase(node.args[1]) : node;
}
