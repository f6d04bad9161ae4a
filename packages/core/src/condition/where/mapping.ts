/** Mappings: a CEL expression over named JSON values that gives JSON, such as a webhook's body to an event's type. */
import type { Json, Path } from "../../json.ts";
import { mappingValuesMax } from "../../limits.ts";
import { compileCel, type CelShape } from "./cel.ts";

export type MappingOutcome = { readonly value: Json } | { readonly fault: string };

export interface CompiledMapping {
  valueOf(variables: { readonly [name: string]: Json }): MappingOutcome;
}

/**
 * Compiles `text` over variables of these names, each of any JSON type. Faults in the text throw, told with `path`. What
 * CEL has and JSON has not becomes: an integer a number, a timestamp its RFC 3339 text, an optional its value or null.
 */
export function compileMapping(text: string, names: readonly string[], path: Path = []): CompiledMapping {
  const variables = Object.fromEntries(names.map((name) => [name, "dyn" as const]));
  const shape: CelShape = { what: "mapping", result: "json", variables };
  const compiled = compileCel(text, shape, path);
  return {
    valueOf: (values) => {
      const outcome = compiled.evaluate(values);
      if ("fault" in outcome) return outcome;
      const writer = new JsonWriter();
      const value = writer.write(outcome.value);
      return writer.fault === undefined ? { value } : { fault: writer.fault };
    },
  };
}

class JsonWriter {
  fault: string | undefined;
  #count = 0;

  /** After a fault, what is written does not matter any more. */
  write(value: unknown): Json {
    this.#count += 1;
    if (this.#count > mappingValuesMax)
      return this.#fail(`the mapping gives more than ${mappingValuesMax} values`);
    switch (typeof value) {
      case "string":
      case "boolean":
        return value;
      case "number":
        return Number.isFinite(value) ? value : this.#fail(`the mapping gives ${value}`);
      case "bigint":
        return Number.isSafeInteger(Number(value))
          ? Number(value)
          : this.#fail("the mapping gives an integer that JSON's numbers can't hold: make it a `string(…)`");
      case "object":
        return this.#writeObject(value);
      default:
        return this.#fail("the mapping gives a value that JSON does not have");
    }
  }

  #writeObject(value: object | null): Json {
    if (value === null) return null;
    if (Array.isArray(value)) return this.#writeList(value);
    if (value instanceof Date)
      return Number.isFinite(value.getTime())
        ? value.toISOString()
        : this.#fail("the mapping gives a time that is out of range");
    if (isOptional(value)) return value.hasValue() ? this.write(value.value()) : null;
    const members = membersOf(value);
    if (!members) return this.#fail("the mapping gives a value that JSON does not have");
    const entries: [string, Json][] = [];
    for (const [key, member] of members) {
      if (this.fault !== undefined) return null;
      entries.push([key, this.write(member)]);
    }
    return Object.fromEntries(entries);
  }

  #writeList(values: readonly unknown[]): Json {
    const list: Json[] = [];
    for (const value of values) {
      if (this.fault !== undefined) return null;
      list.push(this.write(value));
    }
    return list;
  }

  #fail(fault: string): null {
    this.fault ??= fault;
    return null;
  }
}

function membersOf(value: object): Iterable<readonly [string, unknown]> | undefined {
  if (value instanceof Map) return value as Map<string, unknown>;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ? Object.entries(value) : undefined;
}

interface CelOptional {
  hasValue(): boolean;
  value(): unknown;
}

/** An own class of the library; an object of JSON has no methods. */
function isOptional(value: object): value is CelOptional {
  return Object.prototype.toString.call(value) === "[object optional]" && "hasValue" in value;
}
