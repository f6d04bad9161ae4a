/** Albers' equal-area projection of the contiguous United States, onto 960 × 570 units. */
export type Point = readonly [x: number, y: number];

export const mapWidth = 960;
export const mapHeight = 570;

const radians = Math.PI / 180;
const [south, north, latitude0, longitude0] = [29.5, 45.5, 37.8, -96].map((degrees) => degrees * radians) as [
  number,
  number,
  number,
  number,
];
const n = (Math.sin(south) + Math.sin(north)) / 2;
const c = Math.cos(south) ** 2 + 2 * n * Math.sin(south);
const radius = (latitude: number): number => Math.sqrt(c - 2 * n * Math.sin(latitude)) / n;
const scale = 1_180;

/** Where a place lies on the map, to a tenth of a unit; `undefined` outside the contiguous states. */
export function project(latitude: number, longitude: number): Point | undefined {
  if (latitude < 24 || latitude > 50 || longitude < -126 || longitude > -66) return undefined;
  const angle = n * (longitude * radians - longitude0);
  const r = radius(latitude * radians);
  const x = mapWidth / 2 + scale * r * Math.sin(angle);
  const y = mapHeight / 2 + 8 + scale * (r * Math.cos(angle) - radius(latitude0));
  return [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
}
