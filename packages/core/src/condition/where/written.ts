/** Filters as people write them: an object that looks like the event, or CEL as a text (docs/reference/filters.md). */
import { MillraceError } from "../../error/millrace-error.ts";
import type { Path } from "../../json.ts";
import { nearestName } from "../../nearest-name.ts";
import { parseWhere } from "./parse.ts";
import { whereRoots, type Where, type WherePath } from "./where.ts";

export interface WrittenWhereOptions {
  /** `The filter of "paid-orders"`. */
  readonly what: string;
  /** For what stands in place of a value and is none yet: what is kept of it. */
  readonly holeFor?: (value: unknown) => { readonly hole: unknown } | undefined;
}

const combinatorNames = ["allOf", "anyOf", "not"];
const operatorNames = new Set<string>(
  "eq ne in exists has lt lte gt gte prefix suffix contains glob matches".split(" "),
);

/** Throws MILLRACE_WHERE_INVALID with the place in what was written, MILLRACE_EXPRESSION_INVALID for CEL. */
export function readWrittenWhere(input: unknown, options: WrittenWhereOptions): Where {
  const where = new WhereReader(options).read(input, []);
  return parseWhere(where);
}

class WhereReader {
  readonly #options: WrittenWhereOptions;
  readonly #open = new Set<object>();

  constructor(options: WrittenWhereOptions) {
    this.#options = options;
  }

  read(input: unknown, at: Path): Where {
    if (typeof input === "string") return parseWhere({ op: "cel", text: input }, at);
    if (!isRecord(input)) throw this.#wrong(at, "expected an object of tests, or CEL as a text");
    return this.#within(input, at, () => {
      const parts: Where[] = [];
      for (const [name, member] of Object.entries(input)) {
        if (member !== undefined) parts.push(...this.#readMember(name, member, [...at, name]));
      }
      return all(parts);
    });
  }

  #readMember(name: string, member: unknown, at: Path): readonly Where[] {
    switch (name) {
      case "allOf":
        return this.#readList(member, at);
      case "anyOf": {
        const of = this.#readList(member, at);
        if (of.length === 0) throw this.#wrong(at, "no alternative is given, so no event would match");
        return [{ op: "or", of }];
      }
      case "not":
        return [{ op: "not", of: this.read(member, at) }];
      case "data":
      case "attributes":
        return this.#readFields(member, [name], at);
      default:
        if (!(whereRoots as readonly string[]).includes(name)) {
          const known = [...whereRoots, ...combinatorNames];
          throw this.#wrong(
            at,
            `an event has no "${name}"; known are ${known.join(", ")}.${didYouMean(name, known)}`,
          );
        }
        return this.#readTests(member, [name], at);
    }
  }

  #readList(member: unknown, at: Path): Where[] {
    if (!Array.isArray(member)) throw this.#wrong(at, "expected a list of filters");
    return member.map((one: unknown, index) => this.read(one, [...at, index]));
  }

  /** Directly below `data`, fields may have any names, also those of operators. */
  #readFields(fields: unknown, path: WherePath, at: Path): readonly Where[] {
    if (!isRecord(fields)) throw this.#wrong(at, "expected an object of tests");
    return this.#within(fields, at, () =>
      Object.entries(fields).flatMap(([name, test]) =>
        test === undefined ? [] : this.#readTests(test, [...path, name], [...at, name]),
      ),
    );
  }

  /** A scalar, an object of operators, or an object of fields. */
  #readTests(test: unknown, path: WherePath, at: Path): readonly Where[] {
    const kept = this.#options.holeFor?.(test);
    if (kept) return [parseWhere({ op: "eq", path, value: kept.hole }, at)];
    if (!isRecord(test)) return [parseWhere({ op: "eq", path, value: test }, at)];
    const names = Object.keys(test).filter((name) => test[name] !== undefined);
    const operators = names.filter((name) => operatorNames.has(name));
    if (operators.length === 0) {
      if (path[0] === "data" && names.length > 0) return this.#readFields(test, path, at);
      const hint = names.map((name) => didYouMean(name, operatorNames)).find((text) => text !== "") ?? "";
      throw this.#wrong(at, `expected a value or an operator: ${[...operatorNames].join(", ")}.${hint}`);
    }
    const other = names.find((name) => !operatorNames.has(name));
    if (other !== undefined)
      throw this.#wrong(
        [...at, other],
        `stands beside the operator "${operators[0]}", so it is no field.${didYouMean(other, operatorNames)} If "${operators[0]}" is a field, write the filter in CEL`,
      );
    return operators.map((op) => parseWhere({ op, path, value: this.#withHoles(test[op]) }, [...at, op]));
  }

  #withHoles(value: unknown): unknown {
    const kept = this.#options.holeFor?.(value);
    if (kept) return kept.hole;
    return Array.isArray(value) ? value.map((one) => this.#withHoles(one)) : value;
  }

  #within<T>(object: object, at: Path, read: () => T): T {
    if (this.#open.has(object)) throw this.#wrong(at, "contains itself");
    this.#open.add(object);
    const made = read();
    this.#open.delete(object);
    return made;
  }

  #wrong(at: Path, what: string): MillraceError {
    const place = at.length === 0 ? "" : ` at ${at.join(".")}`;
    return new MillraceError("MILLRACE_WHERE_INVALID", {
      message: `${this.#options.what} is wrong${place}: ${what}${/[.?]$/.test(what) ? "" : "."}`,
    });
  }
}

/** One part stands for itself. */
function all(parts: readonly Where[]): Where {
  const [only] = parts;
  return parts.length === 1 && only ? only : { op: "and", of: parts };
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function didYouMean(name: string, names: Iterable<string>): string {
  const near = nearestName(name, [...names]);
  return near === undefined ? "" : ` Did you mean "${near}"?`;
}
