/** The states' borders, out of a TopoJSON file: enough of the format for one map. */
import { project, type Point } from "./projection.ts";

export type Polyline = readonly Point[];

interface Topology {
  readonly transform: { readonly scale: Pair; readonly translate: Pair };
  readonly arcs: readonly (readonly Pair[])[];
  readonly objects: { readonly states: { readonly geometries: readonly { readonly arcs?: unknown }[] } };
}

type Pair = readonly [number, number];

/** Points nearer than this to the one before, in the map's units, are left out. */
const nearest = 1.5;

/** Each border once, projected; what lies outside the map is left out. */
export function readOutline(text: string): readonly Polyline[] {
  const topology = JSON.parse(text) as Topology;
  const used = new Set(topology.objects.states.geometries.flatMap((state) => arcNumbers(state.arcs)));
  return [...used].map((arc) => polyline(topology, arc)).filter((line) => line.length > 1);
}

/** Rings in polygons in states; a negative number is an arc that is walked backwards. */
function arcNumbers(nested: unknown): number[] {
  if (typeof nested === "number") return [nested < 0 ? ~nested : nested];
  return Array.isArray(nested) ? nested.flatMap(arcNumbers) : [];
}

function polyline({ arcs, transform }: Topology, arc: number): Polyline {
  const { scale, translate } = transform;
  const points: Point[] = [];
  let [x, y] = [0, 0];
  const steps = arcs[arc] ?? [];
  for (const [index, [dx, dy]] of steps.entries()) {
    [x, y] = [x + dx, y + dy];
    const point = project(y * scale[1] + translate[1], x * scale[0] + translate[0]);
    const last = points.at(-1);
    if (!point) continue;
    const far = !last || Math.hypot(point[0] - last[0], point[1] - last[1]) >= nearest;
    if (far || index === steps.length - 1) points.push(point);
  }
  return points;
}
