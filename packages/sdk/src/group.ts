/** Groups: nodes under one name, once or once per item. */
import { claimId, currentPlace, encloses, graphError, markIn, runBody, type Place } from "./build.ts";
import { itemReferences, regionDraft, type MapOutput } from "./call.ts";
import type { ElementOf, Mappable } from "./list.ts";
import { checkName } from "./name.ts";
import { checkOptionNames } from "./options.ts";
import { makeReference, referenceState, type Ref, type ReferenceBase } from "./reference.ts";
import type { SourceMark } from "./source.ts";

/** Options of a mapped group. */
export interface GroupMapOptions<Settles extends boolean = boolean> {
  /** Items under way at once. Unbounded unless given. */
  readonly concurrency?: number;
  /** Yields an outcome per item instead of failing with the first failed one. */
  readonly settled?: Settles;
}

/** The list that a mapped group yields, or nothing when its body returns nothing. */
export type GroupOutput<Result, Settles extends boolean> =
  Result extends ReferenceBase<infer Value> ? Ref<MapOutput<Value, Settles>> : void;

/**
 * Runs `body` with its nodes' ids below `name`: `clean/airports`. Returns what `body` returns.
 * `group.map` makes such a group run once per element of a list.
 */
export interface Group {
  <Result>(name: string, body: () => Result): Result;
  /**
   * Each item runs on its own: its second node waits only for its first. `body` runs once, when the graph is described,
   * with references to the element and its index; it returns the output of one of its nodes, or nothing.
   *
   * @example
   * const cleaned = group.map("airports", airports, (airport) => {
   *   const raw = download({ code: airport.code });
   *   return clean({ raw });
   * }, { concurrency: 10 });
   */
  map<L extends Mappable, Result extends ReferenceBase<unknown> | void, Settles extends boolean = false>(
    name: string,
    list: L,
    body: (item: Ref<ElementOf<L>>, index: Ref<number>) => Result,
    options?: GroupMapOptions<Settles>,
  ): GroupOutput<Result, Settles>;
}

export const group: Group = Object.assign(groupNodes, { map: mapGroup as Group["map"] });

function groupNodes<Result>(name: string, body: () => Result): Result {
  const place = currentPlace(`Group "${name}"`, groupNodes);
  const mark = markIn(place.build, groupNodes);
  checkName(name, { what: `In pipeline "${place.build.name}", the group`, mark, root: place.build.root });
  return runBody({ ...place, prefix: `${place.prefix}${name}/` }, `the body of group "${name}"`, body);
}

type MapBody = (item: Ref<unknown>, index: Ref<number>) => unknown;

function mapGroup(name: string, list: unknown, body: MapBody, options: GroupMapOptions = {}): unknown {
  const place = currentPlace(`Group "${name}"`, mapGroup);
  const { build, prefix } = place;
  const mark = markIn(build, mapGroup);
  const owner = { what: `In pipeline "${build.name}", the group "${name}"`, mark, root: build.root };
  checkName(name, owner);
  checkOptionNames(options, ["concurrency", "settled"], owner);
  const id = prefix + name;
  claimId(build, id, mark);
  const region = regionDraft(place, id, list, {
    concurrency: options.concurrency,
    settled: options.settled,
    mark,
  });
  build.regions.set(id, region);
  const { item, index } = itemReferences(build, id);
  const nodesBefore = build.nodes.size;
  const inner = { ...place, prefix: `${id}/`, region: id };
  const result = runBody(inner, `the body of group "${name}"`, () => body(item, index));
  if (build.nodes.size === nodesBefore)
    throw invalid(place, { id, mark }, "has no task in it", "Call at least one task in its body.");
  return result === undefined ? undefined : gather(place, { id, mark }, { result, settled: region.settled });
}

interface MappedGroup {
  readonly id: string;
  readonly mark: SourceMark | undefined;
}

/** The outputs of the returned node over all items, as the graph around the group sees them. */
function gather(
  place: Place,
  group: MappedGroup,
  { result, settled }: { readonly result: unknown; readonly settled: boolean },
): Ref<unknown> {
  const { build } = place;
  const state = referenceState(result);
  const node =
    state?.owner === build && state.target.kind === "output" ? build.nodes.get(state.target.node) : undefined;
  if (
    state?.target.kind !== "output" ||
    !node ||
    !encloses(build, group.id, node.region) ||
    node.region === undefined
  ) {
    throw invalid(
      place,
      group,
      "returns something that is no output of a task inside it",
      "Return what one of its task calls returned, or nothing.",
    );
  }
  if (state.target.path.length > 0) {
    throw invalid(
      place,
      group,
      `returns a part of the output of "${node.id}"`,
      "Return the whole output: the lists are made of whole outputs.",
    );
  }
  if (settled && node.region !== group.id) {
    throw invalid(
      place,
      group,
      `is settled and returns the output of the fan-out "${node.region}" inside it`,
      "Settle the inner fan-out, or collect its outputs in a task of the group.",
    );
  }
  return makeReference({ owner: build, target: state.target, view: place.region });
}

function invalid({ build }: Place, { id, mark }: MappedGroup, fault: string, advice: string): Error {
  return graphError(build, "MILLRACE_GRAPH_INVALID", {
    message: `the mapped group "${id}" ${fault}.`,
    advice,
    mark,
  });
}
