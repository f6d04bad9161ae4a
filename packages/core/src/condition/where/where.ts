/** `where`: a filter on one event, as data. It is parsed by `parse.ts` and made to run by `compile.ts`. */
import type { Json } from "../../json.ts";

export type WhereScalar = string | number | boolean | null;

/** A point in time, in RFC 3339: what it is compared with is read as a time, too. */
export interface WhereTime {
  readonly time: string;
}

/** Steps from the event to a value: `["data", "customer", "id"]`. A whole number in decimal steps into a list. */
export type WherePath = readonly string[];

/** What a path may begin with. Extension attributes stand below `attributes`, so that a misspelt name is noticed. */
export const whereRoots = ["source", "id", "type", "subject", "time", "data", "attributes"] as const;
export type WhereRoot = (typeof whereRoots)[number];

/** As much of an event as filters and keys see. */
export interface WhereEvent {
  readonly source: string;
  readonly id: string;
  readonly type: string;
  readonly subject?: string;
  /** The event's own time, in milliseconds. */
  readonly time: number;
  readonly data: Json;
  readonly attributes?: { readonly [name: string]: Json };
}

export type WhereOrderOperator = "lt" | "lte" | "gt" | "gte";
export type WhereTextOperator = "prefix" | "suffix" | "contains" | "glob" | "matches";

/**
 * There are two truth values only. Where the path leads to nothing, or to a value of another type than the operand's,
 * every leaf is false, but for `ne` and `exists: false`: `ne` is the negation of `eq`. So `not` of a leaf on a missing
 * path is true.
 */
export type WhereLeaf =
  | {
      readonly op: "eq" | "ne";
      readonly path: WherePath;
      readonly value: WhereScalar | WhereTime;
    }
  /** Numbers by size, texts by code point, times by instant. */
  | {
      readonly op: WhereOrderOperator;
      readonly path: WherePath;
      readonly value: string | number | WhereTime;
    }
  /** `glob`: `*` and `?` stop at `/`, `**` does not. `matches`: an RE2 pattern that is found anywhere in the text. */
  | { readonly op: WhereTextOperator; readonly path: WherePath; readonly value: string }
  | { readonly op: "in"; readonly path: WherePath; readonly value: readonly WhereScalar[] }
  /** Whether the path leads to a value. `null` is a value. */
  | { readonly op: "exists"; readonly path: WherePath; readonly value: boolean }
  /** Whether the path leads to a list that holds the value. */
  | { readonly op: "has"; readonly path: WherePath; readonly value: WhereScalar };

export interface WhereCel {
  readonly op: "cel";
  readonly text: string;
}

export type Where =
  | WhereLeaf
  | WhereCel
  | { readonly op: "and" | "or"; readonly of: readonly Where[] }
  | { readonly op: "not"; readonly of: Where };

/** A conjunct that each matching event satisfies, for an index by type, path and value. */
export interface WhereEquality {
  readonly path: WherePath;
  readonly value: WhereScalar;
}

/** A conjunct of which each matching event satisfies one alternative. */
export interface WhereAlternatives {
  readonly path: WherePath;
  readonly oneOf: readonly WhereScalar[];
}

/** A part that did not hold, in words. */
export interface WhereFault {
  /** `data.country == "DE"`. */
  readonly part: string;
  readonly path?: WherePath;
  readonly expected: string;
  readonly found: string;
  /** For a part with alternatives: what each of them lacked. */
  readonly alternatives?: readonly (readonly WhereFault[])[];
}
