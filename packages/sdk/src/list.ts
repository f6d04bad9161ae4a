/** What a map may run over. */
import { MillraceError, type RegionDefinition } from "@millrace/core";
import { graphError } from "./build.ts";
import { toTemplate, type Filled, type InputPlace, type Input } from "./input.ts";
import { isReference, type Ref, type ReferenceBase } from "./reference.ts";

declare const elementType: unique symbol;

/** Several lists that are mapped together; elements are tuples. */
export interface Lists<out Element> {
  readonly [elementType]: Element;
}

/** One list: plain, or a reference to one. */
export type List = ReferenceBase<readonly unknown[]> | readonly unknown[];

/** Everything that `map` takes. */
export type Mappable = List | Lists<unknown>;

/** The type of one element of a list. */
export type ElementOf<L> =
  L extends ReferenceBase<infer V>
    ? V extends readonly (infer Element)[]
      ? Element
      : never
    : L extends Lists<infer Element>
      ? Element
      : L extends readonly (infer Element)[]
        ? Filled<Element>
        : never;

/** Lists whose elements fit an input as they are; a task without input runs once per element of any list. */
export type MappableTo<In> = [In] extends [void]
  ? Mappable
  : Ref<readonly In[]> | readonly Input<In>[] | Lists<In>;

type Elements<L extends readonly List[]> = { -readonly [K in keyof L]: ElementOf<L[K]> };

interface ListsState {
  readonly combine: "zip" | "cross";
  readonly lists: readonly unknown[];
}

const states = new WeakMap<object, ListsState>();

/** Pairs lists of one length: element i is `[a[i], b[i], …]`. */
export function zip<L extends readonly [List, List, ...List[]]>(...lists: L): Lists<Elements<L>> {
  return makeLists<Elements<L>>("zip", lists);
}

/** Every combination of the lists' elements; the last list runs fastest. */
export function cross<L extends readonly [List, List, ...List[]]>(...lists: L): Lists<Elements<L>> {
  return makeLists<Elements<L>>("cross", lists);
}

/** The lists of a region, as templates. */
export function listTemplates(list: unknown, place: InputPlace): Pick<RegionDefinition, "over" | "combine"> {
  const several = list !== null && typeof list === "object" ? states.get(list) : undefined;
  const lists = several?.lists ?? [list];
  for (const one of lists) {
    if (Array.isArray(one) || isReference(one)) continue;
    throw graphError(place.build, "MILLRACE_MAP_NOT_A_LIST", {
      message: `${place.what} is neither an array nor a reference to one.`,
      advice: "Map over an array, a reference, `zip(a, b)` or `cross(a, b)`.",
      mark: place.mark,
    });
  }
  return { over: lists.map((one) => toTemplate(one, place)), combine: several?.combine ?? "zip" };
}

function makeLists<Element>(combine: "zip" | "cross", lists: readonly unknown[]): Lists<Element> {
  if (lists.length < 2) {
    throw new MillraceError("MILLRACE_OPTION_INVALID", {
      message: `\`${combine}\` needs at least two lists, found ${lists.length}.`,
    });
  }
  const made = Object.freeze({});
  states.set(made, { combine, lists });
  return made as Lists<Element>;
}
