/**
 * The event types that are declared, for the doors of the event log: of all active deployments, or of a testbed.
 *
 * Y1: an event is judged once, where it comes in, by the declarations of that moment: the entry says for ever whether it fit.
 * Y2: the judgement changes nothing of the event: no default is put in, and a repeat is a repeat whatever was declared meanwhile.
 */
import {
  canonicalJson,
  formatPath,
  type EventDraft,
  type EventTypeDefinition,
  type Json,
} from "@millrace/core";
import { compileSchema, schemaIssuesOf, type ValidateFunction } from "./params-check.ts";

/** What is wrong with an event's data is told of this many places. */
const eventFaultsMax = 5;
/** Of data with more characters of JSON the first fault alone is told. */
const faultsTellMax = 16_384;
/** Why an event fires nothing, in the log. */
export const invalidCharactersMax = 1_000;

interface DeclaredType {
  readonly schema: EventTypeDefinition["schema"];
  /** The same schema has this text. */
  readonly text: string;
  /** Stops at the first fault. */
  fits?: ValidateFunction;
  /** Tells all of them. */
  tells?: ValidateFunction;
}

type Judged = Pick<EventDraft, "type" | "data" | "isBinary" | "invalid">;

export class EventTypeBook {
  #types: ReadonlyMap<string, DeclaredType> = new Map();

  /** What is declared from now on. */
  set(definitions: readonly EventTypeDefinition[]): void {
    const types = new Map<string, DeclaredType>();
    for (const { type, schema } of definitions) {
      const text = canonicalJson(schema);
      const known = this.#types.get(type);
      types.set(type, known?.text === text ? known : { schema, text });
    }
    this.#types = types;
  }

  /** Why the event fires nothing: what its door found, and where its data does not fit the declaration of its type. */
  invalidOf({ type, data, isBinary, invalid }: Judged): string | undefined {
    const declared = this.#types.get(type);
    if (!declared || data.blob !== undefined) return invalid;
    const fault = isBinary
      ? "data is bytes, and the type's schema is of JSON"
      : faultOf(declared, data.value);
    if (fault === undefined) return invalid;
    return (invalid === undefined ? fault : `${invalid}; ${fault}`)
      .slice(0, invalidCharactersMax)
      .toWellFormed();
  }
}

function faultOf(declared: DeclaredType, value: Json): string | undefined {
  try {
    declared.fits ??= compileSchema(declared.schema, { useDefaults: false, allErrors: false });
    if (declared.fits(value)) return undefined;
    let { errors } = declared.fits;
    if (JSON.stringify(value).length <= faultsTellMax) {
      declared.tells ??= compileSchema(declared.schema, { useDefaults: false, allErrors: true });
      declared.tells(value);
      errors = declared.tells.errors ?? errors;
    }
    const issues = schemaIssuesOf(errors ?? [], "is not declared").slice(0, eventFaultsMax);
    return issues.map(({ path, message }) => `data${formatPath(path).slice(1)} ${message}`).join("; ");
  } catch (error) {
    // A schema that refers to itself, and data that nests as deep as it may.
    return `data can't be held against the type's schema: ${error instanceof Error ? error.message : String(error)}`;
  }
}
