/** The parts of a filter in CEL that stand between its outermost `&&`, and those among them that are plain equalities. */
import type { CelNode } from "./cel-library.ts";
import type { WhereLeaf, WhereOrderOperator, WherePath, WhereScalar } from "./where.ts";

export interface CelConjunct {
  /** As it stands in the expression, without outer parentheses: where such stand within it, it may be no expression. */
  readonly text: string;
  /** The same as a leaf, where there is one: an index and an explanation can use it. */
  readonly leaf?: WhereLeaf;
  /** A leaf that holds wherever this does: enough to see that parts never hold together, and too little to decide by it. */
  readonly implied?: WhereLeaf;
}

export function conjunctsOf(tree: CelNode): CelConjunct[] {
  if (tree.op === "&&") return [...conjunctsOf(tree.args[0]), ...conjunctsOf(tree.args[1])];
  const text = tree.input.slice(tree.range.start, tree.range.end);
  const leaf = leafOf(tree);
  if (leaf) return [{ text, leaf, implied: leaf }];
  const implied = orderOf(tree) ?? beginningOf(tree);
  return [implied ? { text, implied } : { text }];
}

function leafOf(node: CelNode): WhereLeaf | undefined {
  if (node.op === "==") {
    return equality(node.args[0], node.args[1]) ?? equality(node.args[1], node.args[0]);
  }
  if (node.op !== "in" || node.args[1].op !== "list" || node.args[1].args.length === 0) return undefined;
  const path = pathOf(node.args[0]);
  const values = node.args[1].args.map(scalarOf);
  return path && values.every((value) => value !== undefined) ? { op: "in", path, value: values } : undefined;
}

function equality(left: CelNode, right: CelNode): WhereLeaf | undefined {
  const path = pathOf(left);
  const value = scalarOf(right);
  return path && value !== undefined ? { op: "eq", path, value } : undefined;
}

const orders = { "<": "lt", "<=": "lte", ">": "gt", ">=": "gte" } as const;
const mirrored = { lt: "gt", lte: "gte", gt: "lt", gte: "lte" } as const;

/** CEL compares numbers by size and texts by code point, as filters do; true and false are left out. */
function orderOf(node: CelNode): WhereLeaf | undefined {
  if (!Object.hasOwn(orders, node.op)) return undefined;
  const op = orders[node.op as keyof typeof orders];
  const [left, right] = node.args as readonly [CelNode, CelNode];
  return ordered(op, left, right) ?? ordered(mirrored[op], right, left);
}

function ordered(op: WhereOrderOperator, left: CelNode, right: CelNode): WhereLeaf | undefined {
  const path = pathOf(left);
  const value = scalarOf(right);
  return path && (typeof value === "number" || typeof value === "string") ? { op, path, value } : undefined;
}

const beginnings = { startsWith: "prefix", endsWith: "suffix", contains: "contains" } as const;

function beginningOf(node: CelNode): WhereLeaf | undefined {
  if (node.op !== "rcall" || !Object.hasOwn(beginnings, node.args[0])) return undefined;
  const [name, receiver, [argument]] = node.args;
  const path = pathOf(receiver);
  const value = argument && scalarOf(argument);
  return path && typeof value === "string"
    ? { op: beginnings[name as keyof typeof beginnings], path, value }
    : undefined;
}

const textRoots = new Set(["source", "id", "type", "subject"]);

/** A path of field names. `time` is left out, as CEL has its own type for it; `attributes` alone is no value. */
function pathOf(node: CelNode): WherePath | undefined {
  const path = stepsOf(node);
  if (path?.length === 1) return textRoots.has(path[0] ?? "") || path[0] === "data" ? path : undefined;
  return path?.[0] === "data" || path?.[0] === "attributes" ? path : undefined;
}

function stepsOf(node: CelNode): WherePath | undefined {
  if (node.op === "id") return [node.args];
  if (node.op !== "." && node.op !== "[]") return undefined;
  const step = node.op === "." ? node.args[1] : node.args[1].op === "value" ? node.args[1].args : undefined;
  const before = typeof step === "string" ? stepsOf(node.args[0]) : undefined;
  return before && typeof step === "string" ? [...before, step] : undefined;
}

/**
 * A literal that JSON has, too. Null is left out, as CEL reads an absent subject as null; so are integers that JSON's
 * numbers can't tell apart.
 */
function scalarOf(node: CelNode): WhereScalar | undefined {
  if (node.op === "-_") {
    const value = scalarOf(node.args);
    return typeof value === "number" ? 0 - value : undefined;
  }
  if (node.op !== "value") return undefined;
  const value = node.args;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "bigint") return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : undefined;
}
