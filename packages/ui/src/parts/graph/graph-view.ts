/** Which part of a graph's picture is seen, and how large. */
import { nodeHeight, nodeWidth, type Layout, type PlacedEdge, type PlacedNode } from "./layout.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

const scaleMin = 0.02;
const scaleMax = 2;
/** Below, names can't be read and are left out. */
export const namesFrom = 0.42;
/** A graph that fits only when it is smaller begins where one can read it. */
const readable = 0.7;

/** All of it where that can be read; else its beginning, or what is selected. */
export function beginning(layout: Layout, size: Size, selected: string | undefined): View {
  const all = fitted(layout, size);
  if (all.scale >= readable || size.width === 0) return all;
  const scale = readable;
  const at = selected === undefined ? undefined : layout.nodes.get(selected);
  const first = layout.nodes.values().next().value;
  const y = (at?.y ?? first?.y ?? layout.height / 2) * scale;
  const x = at ? at.x * scale - size.width / 2 : 0;
  const height = layout.height * scale;
  // No empty room above or below where there is more to see.
  const top =
    height <= size.height
      ? (size.height - height) / 2
      : Math.min(0, Math.max(size.height - height, size.height / 2 - y));
  return { scale, x: -Math.max(0, x), y: top };
}

export function fitted(layout: Layout, size: Size): View {
  const scale = Math.min(1, size.width / layout.width, size.height / layout.height) || 1;
  const real = Math.max(scale, scaleMin);
  return {
    scale: real,
    x: Math.max(0, (size.width - layout.width * real) / 2),
    y: Math.max(0, (size.height - layout.height * real) / 2),
  };
}

export function moved(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x + dx, y: view.y + dy };
}

/** Zooms around a point that stays where it is. */
export function zoomed(from: View, factor: number, at: { readonly x: number; readonly y: number }): View {
  const scale = Math.min(scaleMax, Math.max(scaleMin, from.scale * factor));
  const real = scale / from.scale;
  return { scale, x: at.x - (at.x - from.x) * real, y: at.y - (at.y - from.y) * real };
}

export function inView(
  { nodes, edges }: Layout,
  { x, y, scale }: View,
  { width, height }: Size,
): { readonly nodes: readonly PlacedNode[]; readonly edges: readonly PlacedEdge[] } {
  const left = -x / scale;
  const top = -y / scale;
  const right = left + width / scale;
  const bottom = top + height / scale;
  return {
    nodes: [...nodes.values()].filter(
      (node) =>
        node.x < right &&
        node.x + nodeWidth > left &&
        node.y - nodeHeight < bottom &&
        node.y + nodeHeight > top,
    ),
    edges: edges.filter(({ points }) => {
      const first = points[0]!;
      const last = points.at(-1)!;
      if (Math.min(first.x, last.x) > right || Math.max(first.x, last.x) < left) return false;
      const ys = points.map((point) => point.y);
      return Math.min(...ys) < bottom && Math.max(...ys) > top;
    }),
  };
}

/** From point to point with level ends, so that it never runs through the nodes of a layer. */
export function pathOf({ points }: PlacedEdge): string {
  const [first] = points;
  let path = `M${round(first!.x)} ${round(first!.y)}`;
  for (const [at, { x, y }] of points.slice(1).entries()) {
    const before = points[at]!;
    if (before.y === y) path += `H${round(x)}`;
    else {
      const middle = round((before.x + x) / 2);
      path += `C${middle} ${round(before.y)} ${middle} ${round(y)} ${round(x)} ${round(y)}`;
    }
  }
  return path;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
