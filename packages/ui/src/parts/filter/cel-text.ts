/** Filters as CEL texts: the form in which a person adds to them by clicks, and edits them. */
import type { Json, Where, WhereLeaf } from "@millrace/core";

/** What says the same in CEL; nothing where CEL has no word for it. */
export function celOf(where: Where): string | undefined {
  switch (where.op) {
    case "cel":
      return where.text;
    case "and":
    case "or": {
      const parts = where.of.map((part) => within(part, where.op));
      if (parts.includes(undefined)) return undefined;
      if (parts.length === 0) return "true";
      return parts.join(where.op === "and" ? " && " : " || ");
    }
    case "not": {
      const of = celOf(where.of);
      return of === undefined ? undefined : `!(${of})`;
    }
    default:
      return leafText(where);
  }
}

function within(part: Where, op: "and" | "or"): string | undefined {
  const text = celOf(part);
  const isOther = part.op === "cel" || ("of" in part && part.op !== "not" && part.op !== op);
  return text !== undefined && isOther && /&&|\|\||\?/.test(text) ? `(${text})` : text;
}

const signs = { eq: "==", ne: "!=", lt: "<", lte: "<=", gt: ">", gte: ">=" } as const;
const calls = { prefix: "startsWith", suffix: "endsWith", contains: "contains", matches: "matches" } as const;

function leafText(leaf: WhereLeaf): string | undefined {
  const path = celPath(leaf.path);
  switch (leaf.op) {
    case "glob":
      return undefined;
    case "exists":
      return leaf.path.length < 2 ? undefined : `${leaf.value ? "" : "!"}has(${path})`;
    case "has":
      return `${celValue(leaf.value)} in ${path}`;
    case "in":
      return `${path} in [${leaf.value.map(celValue).join(", ")}]`;
    case "prefix":
    case "suffix":
    case "contains":
    case "matches":
      return `${path}.${calls[leaf.op]}(${celValue(leaf.value)})`;
    default:
      if (leaf.value !== null && typeof leaf.value === "object") return undefined;
      return `${path} ${signs[leaf.op]} ${celValue(leaf.value)}`;
  }
}

/** `data.customer.id`, `data["a b"][0]`. */
export function celPath(path: readonly (string | number)[]): string {
  return path
    .map((step, at) => {
      if (at === 0) return String(step);
      if (typeof step === "number" || /^\d+$/.test(step)) return `[${step}]`;
      return /^[A-Za-z_]\w*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
    })
    .join("");
}

function celValue(value: Json): string {
  return JSON.stringify(value);
}

/** That the event has this value there. */
export function celEquals(
  path: readonly (string | number)[],
  value: string | number | boolean | null,
): string {
  return `${celPath(path)} == ${celValue(value)}`;
}

/** Both; nothing is added twice. */
export function celAnd(filter: string | undefined, part: string): string {
  const old = filter?.trim() ?? "";
  if (old === "") return part;
  const parts = old.split(" && ");
  if (parts.includes(part)) return old;
  return old.includes("||") || old.includes("?") ? `(${old}) && ${part}` : `${old} && ${part}`;
}
