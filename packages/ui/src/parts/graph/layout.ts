/**
 * A layered picture of a graph, from left to right. Nodes stand in the layer of their longest way from a beginning; within layers
 * they are ordered by the mean place of what they are tied to (barycentre sweeps), and set as near to it as their neighbours let
 * them. Edges over several layers take their way between the nodes. 5,000 nodes take some 40 ms.
 */
export interface GraphInput {
  readonly id: string;
  readonly parents: readonly string[];
  /** Groups and regions around it, outermost first: those of one stand together. */
  readonly regions: readonly string[];
}

export interface PlacedNode {
  readonly id: string;
  /** Middle of its left side. */
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  /** Middles of the places that it passes, its two ends included. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface PlacedBox {
  readonly id: string;
  readonly depth: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Layout {
  readonly nodes: ReadonlyMap<string, PlacedNode>;
  readonly edges: readonly PlacedEdge[];
  readonly boxes: readonly PlacedBox[];
  readonly width: number;
  readonly height: number;
}

export const nodeWidth = 168;
export const nodeHeight = 28;
const layerGap = 44;
const rowGap = 18;
/** What an edge needs that only passes. */
const passHeight = 10;
const boxPad = 12;
const boxTitle = 16;
/** Between what stands in a region and what does not. */
const boxGap = 14;
const sweeps = 6;
const settles = 4;
/** Beyond, edges go straight: a graph of that many long edges is read by its nodes alone. */
const passesMax = 20_000;

/** A node, or the place where an edge passes a layer. */
interface Place {
  readonly id: string | undefined;
  readonly layer: number;
  /** Its height with the room around it. */
  readonly height: number;
  readonly region: string;
  readonly before: Place[];
  readonly after: Place[];
  order: number;
  y: number;
}

export function layOut(inputs: readonly GraphInput[]): Layout {
  const layers = layersOf(inputs);
  const byId = new Map<string, Place>();
  const places: Place[][] = [];
  const put = (id: string | undefined, layer: number, region: string): Place => {
    const height = id === undefined ? passHeight : nodeHeight + rowGap;
    const place = { id, layer, height, region, before: [], after: [], order: 0, y: 0 };
    (places[layer] ??= []).push(place);
    return place;
  };
  const members = new Map<string, number>();
  for (const { regions } of inputs)
    if (regions[0] !== undefined) members.set(regions[0], (members.get(regions[0]) ?? 0) + 1);
  for (const { id, regions } of inputs) {
    // What stands alone in its region has no box, and needs no room for one.
    const [region = ""] = regions;
    byId.set(id, put(id, layers.get(id) ?? 0, (members.get(region) ?? 0) > 1 ? region : ""));
  }
  const ways = connect(inputs, byId, put);
  for (const layer of places) for (const [at, place] of layer.entries()) place.order = at;
  for (let sweep = 0; sweep < sweeps; sweep += 1) sort(places, sweep % 2 === 0);
  settle(places);
  return placed(inputs, byId, ways);
}

function layersOf(inputs: readonly GraphInput[]): Map<string, number> {
  const children = new Map<string, string[]>();
  const open = new Map<string, number>();
  const known = new Set(inputs.map(({ id }) => id));
  for (const { id, parents } of inputs) {
    const own = parents.filter((parent) => known.has(parent));
    open.set(id, own.length);
    for (const parent of own) {
      const of = children.get(parent);
      if (of) of.push(id);
      else children.set(parent, [id]);
    }
  }
  const layers = new Map<string, number>();
  const ready = inputs.filter(({ id }) => open.get(id) === 0).map(({ id }) => id);
  for (const id of ready) layers.set(id, 0);
  let tried = 0;
  for (let at = 0; ; at += 1) {
    if (at === ready.length) {
      // What a folded group waits for may wait for it: such a ring begins with the first of them.
      while (tried < inputs.length && !((open.get(inputs[tried]!.id) ?? 0) > 0)) tried += 1;
      if (tried === inputs.length) break;
      const { id } = inputs[tried]!;
      open.set(id, 0);
      if (!layers.has(id)) layers.set(id, 0);
      ready.push(id);
    }
    const id = ready[at]!;
    const next = (layers.get(id) ?? 0) + 1;
    for (const child of children.get(id) ?? []) {
      const left = (open.get(child) ?? 0) - 1;
      // It has its place already.
      if (left < 0) continue;
      layers.set(child, Math.max(layers.get(child) ?? 0, next));
      open.set(child, left);
      if (left === 0) ready.push(child);
    }
  }
  return layers;
}

interface Way {
  readonly from: string;
  readonly to: string;
  readonly places: readonly Place[];
}

function connect(
  inputs: readonly GraphInput[],
  byId: ReadonlyMap<string, Place>,
  put: (id: undefined, layer: number, region: string) => Place,
): Way[] {
  const ways: Way[] = [];
  let passes = 0;
  for (const { id, parents } of inputs) {
    const to = byId.get(id)!;
    for (const parent of parents) {
      const from = byId.get(parent);
      if (!from) continue;
      const way = [from];
      const span = Math.max(0, to.layer - from.layer - 1);
      if (passes + span <= passesMax) {
        passes += span;
        const region = from.region === to.region ? to.region : "";
        for (let layer = from.layer + 1; layer < to.layer; layer += 1)
          way.push(put(undefined, layer, region));
      }
      way.push(to);
      for (const [at, place] of way.slice(1).entries()) {
        way[at]!.after.push(place);
        place.before.push(way[at]!);
      }
      ways.push({ from: parent, to: id, places: way });
    }
  }
  return ways;
}

/** Each layer by what it is tied to in the one before (or after); the members of a region by their region first. */
function sort(places: readonly (Place[] | undefined)[], isForward: boolean): void {
  const layers = isForward ? places : places.toReversed();
  for (const layer of layers) {
    if (!layer || layer.length < 2) continue;
    const keys = new Map<Place, number>();
    const sums = new Map<string, { sum: number; count: number }>();
    for (const place of layer) {
      const tied = isForward ? place.before : place.after;
      let sum = 0;
      for (const { order } of tied) sum += order;
      const key = tied.length === 0 ? place.order : sum / tied.length;
      keys.set(place, key);
      if (place.region === "") continue;
      const own = sums.get(place.region) ?? { sum: 0, count: 0 };
      own.sum += key;
      own.count += 1;
      sums.set(place.region, own);
    }
    const group = (place: Place): number => {
      const own = sums.get(place.region);
      return own ? own.sum / own.count : keys.get(place)!;
    };
    const sorted = layer
      .map((place) => ({ place, group: group(place), key: keys.get(place)! }))
      .sort(
        (a, b) =>
          a.group - b.group ||
          (a.place.region < b.place.region ? -1 : a.place.region > b.place.region ? 1 : 0) ||
          a.key - b.key ||
          a.place.order - b.place.order,
      );
    for (const [at, { place }] of sorted.entries()) {
      layer[at] = place;
      // Of the layer's length, so that layers of different lengths lie beside each other.
      place.order = at;
    }
  }
}

function settle(places: readonly (Place[] | undefined)[]): void {
  for (const layer of places) {
    let y = 0;
    for (const place of layer ?? []) {
      place.y = y + place.height / 2;
      y += place.height;
    }
  }
  for (let round = 0; round < settles; round += 1) {
    const isForward = round % 2 === 0;
    for (const layer of isForward ? places : places.toReversed())
      if (layer) settleLayer(layer, isForward ? "before" : "after");
  }
}

/** As near as can be to where each wants to be, in their order: neighbours that push each other share their distance. */
function settleLayer(layer: readonly Place[], side: "before" | "after"): void {
  interface Block {
    sum: number;
    count: number;
    readonly first: number;
  }
  const offsets: number[] = [];
  const blocks: Block[] = [];
  let offset = 0;
  for (const [at, place] of layer.entries()) {
    const above = layer[at - 1];
    if (above) offset += (above.height + place.height) / 2 + (above.region === place.region ? 0 : boxGap);
    offsets.push(offset);
    const tied = place[side];
    let sum = 0;
    for (const { y } of tied) sum += y;
    const wanted = (tied.length === 0 ? place.y : sum / tied.length) - offset;
    let block: Block = { sum: wanted, count: 1, first: at };
    for (
      let last = blocks.at(-1);
      last && last.sum / last.count >= block.sum / block.count;
      last = blocks.at(-1)
    ) {
      blocks.pop();
      block = { ...last, sum: last.sum + block.sum, count: last.count + block.count };
    }
    blocks.push(block);
  }
  for (const [index, { first, sum, count }] of blocks.entries()) {
    const end = blocks[index + 1]?.first ?? layer.length;
    for (let at = first; at < end; at += 1) layer[at]!.y = sum / count + offsets[at]!;
  }
}

function placed(
  inputs: readonly GraphInput[],
  byId: ReadonlyMap<string, Place>,
  ways: readonly Way[],
): Layout {
  let top = Number.POSITIVE_INFINITY;
  let bottom = 0;
  let layers = 0;
  const each = (place: Place): void => {
    top = Math.min(top, place.y);
    bottom = Math.max(bottom, place.y);
    layers = Math.max(layers, place.layer + 1);
  };
  for (const place of byId.values()) each(place);
  for (const { places } of ways) for (const place of places) each(place);
  const margin = boxPad * 3 + boxTitle;
  const shift = (Number.isFinite(top) ? -top : 0) + nodeHeight / 2 + margin;
  const xOf = (layer: number): number => margin + layer * (nodeWidth + layerGap);
  const nodes = new Map<string, PlacedNode>();
  for (const [id, { layer, y }] of byId) nodes.set(id, { id, x: xOf(layer), y: y + shift });
  const edges = ways.map(({ from, to, places }) => ({
    from,
    to,
    points: places.flatMap(({ layer, y, id }, at) => {
      const point = { x: xOf(layer), y: y + shift };
      const right = { x: xOf(layer) + nodeWidth, y: y + shift };
      if (id === undefined) return [point, right];
      return at === 0 ? right : point;
    }),
  }));
  return {
    nodes,
    edges,
    boxes: boxesOf(inputs, nodes),
    width: xOf(Math.max(0, layers - 1)) + nodeWidth + margin,
    height: bottom + shift + nodeHeight / 2 + margin,
  };
}

interface Extent {
  readonly depth: number;
  deepest: number;
  count: number;
  x: number;
  y: number;
  right: number;
  bottom: number;
}

/** Of regions with several nodes: one that is mapped by itself shows that it is. */
function boxesOf(inputs: readonly GraphInput[], nodes: ReadonlyMap<string, PlacedNode>): PlacedBox[] {
  const found = new Map<string, Extent>();
  for (const { id, regions } of inputs) {
    const node = nodes.get(id)!;
    for (const [depth, region] of regions.entries()) {
      const begun = { depth, deepest: depth, count: 0, x: Infinity, y: Infinity, right: 0, bottom: 0 };
      const box = found.get(region) ?? begun;
      box.count += 1;
      box.deepest = Math.max(box.deepest, regions.length - 1);
      box.x = Math.min(box.x, node.x);
      box.y = Math.min(box.y, node.y - nodeHeight / 2);
      box.right = Math.max(box.right, node.x + nodeWidth);
      box.bottom = Math.max(box.bottom, node.y + nodeHeight / 2);
      found.set(region, box);
    }
  }
  return [...found]
    .filter(([, { count }]) => count > 1)
    .map(([id, { depth, deepest, x, y, right, bottom }]) => {
      // What stands inside has room for its own box.
      const pad = boxPad * (deepest - depth + 1) * 0.75;
      const title = boxTitle * (deepest - depth + 1);
      const top = y - title - 2;
      return { id, depth, x: x - pad, y: top, width: right - x + 2 * pad, height: bottom - top + pad };
    });
}
