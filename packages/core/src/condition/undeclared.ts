/** Fields that a condition reads and that no event of the type can have, by the type's declaration. */
import { MillraceError } from "../error/millrace-error.ts";
import type { JsonSchema } from "../graph/definition.ts";
import { operandsOf, type Condition, type EventAtom, type KeyDefinition } from "./condition.ts";
import { compileWhere } from "./where/compile.ts";
import { compileEventKey, type EventKey } from "./where/event-key.ts";
import { findSchemaLack } from "./where/schema-path.ts";
import { canBeScalar } from "./where/schema-value.ts";
import type { WherePath } from "./where/where.ts";
import { formatWherePath } from "./where/words.ts";

/** The schema of a declared type; nothing of one that is not declared. */
export type SchemaOf = (type: string) => JsonSchema | undefined;

/**
 * Holds filters, keys and times of windows against the schemas of the types that they read. Throws MILLRACE_WHERE_INVALID with
 * the path that its type's schema lacks, and the nearest one, and of a key or time that is a list or an object. `order.*` stands for types of any shape, and is not judged.
 */
export function requireDeclaredFields(condition: Condition, schemaOf: SchemaOf): void {
  visit(condition, { name: undefined, keys: [] }, schemaOf);
}

interface Around {
  /** Of the nearest named condition. */
  readonly name: string | undefined;
  readonly keys: readonly KeyDefinition[];
}

function visit(condition: Condition, around: Around, schemaOf: SchemaOf): void {
  const within = {
    name: condition.name ?? around.name,
    keys: condition.by === undefined ? around.keys : [...around.keys, condition.by],
  };
  if (condition.kind === "event") return judge(condition, within, schemaOf);
  if (condition.kind === "window" && condition.time !== undefined)
    judgeKey(condition.of.type, "The time of a window", condition.time, schemaOf);
  for (const operand of operandsOf(condition)) visit(operand, within, schemaOf);
}

function judge({ type, where }: EventAtom, { name, keys }: Around, schemaOf: SchemaOf): void {
  if (where !== undefined) judgePaths(type, "The filter", compileWhere(where).paths, schemaOf);
  for (const key of keys) {
    const own = key.kind === "operands" ? partOf(key.of, name ?? type) : key;
    if (own) judgeKey(type, "The key", own, schemaOf);
  }
}

function partOf(of: { readonly [operand: string]: EventKey }, operand: string): EventKey | undefined {
  return Object.hasOwn(of, operand) ? of[operand] : undefined;
}

/** Also refuses a path to what is never one value: no event would have a key, or a time, by it. */
function judgeKey(type: string, what: "The key" | "The time of a window", key: EventKey, schemaOf: SchemaOf) {
  judgePaths(type, what, compileEventKey(key).paths, schemaOf);
  const schema = schemaOf(type);
  if (schema === undefined || key.kind !== "path" || key.path[0] !== "data") return;
  const isKey = what === "The key";
  if (canBeScalar(schema, key.path.slice(1), isKey)) return;
  const path = formatWherePath(key.path);
  throw new MillraceError("MILLRACE_WHERE_INVALID", {
    message: `${what} of "${type}" is ${path}, which by the type's schema is never ${isKey ? "a text, a number, true or false" : "a text or a number"}.`,
    advice: `Name a field that is, or compute one in CEL: { cel: "…" }.`,
    fields: { type, path },
  });
}

function judgePaths(type: string, what: string, paths: readonly WherePath[], schemaOf: SchemaOf): void {
  const schema = schemaOf(type);
  if (schema === undefined) return;
  for (const [root, ...steps] of paths) {
    if (root !== "data") continue;
    const lack = findSchemaLack(schema, steps);
    if (!lack) continue;
    const path = formatWherePath(["data", ...lack.path]);
    const meant =
      lack.nearest === undefined
        ? ""
        : ` Did you mean ${formatWherePath(["data", ...lack.path.slice(0, -1), lack.nearest])}?`;
    throw new MillraceError("MILLRACE_WHERE_INVALID", {
      message: `${what} of "${type}" reads ${path}, which the type's schema does not have.${meant}`,
      advice: "Name a field that the schema has, or add it to the schema.",
      fields: { type, path },
    });
  }
}
