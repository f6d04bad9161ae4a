/** Much at once: many runs that wait their turn, a graph of many nodes, a wide fan-out, a wide pool. */
import { pipeline, task } from "millrace";

const one = task("one", () => 1);
export const queued = pipeline("queued", { maxActiveRuns: 20 }, () => one());

const add = task("add", (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0));

/** Rows of ten nodes, each of which reads the row before. */
function manyNodes(name: string, nodes: number) {
  return pipeline(name, () => {
    let row = Array.from({ length: 10 }, (_, column) => one(undefined, { id: `r0c${column}` }));
    for (let number = 1; number < nodes / 10; number += 1) {
      const before = row;
      row = before.map((left, column) => add([left], { id: `r${number}c${column}` }));
    }
    return add(row, { id: "last" });
  });
}
export const nodes500 = manyNodes("nodes-500", 500);
export const nodes5000 = manyNodes("nodes-5000", 5_000);

const range = task("range", (count: number) => Array.from({ length: count }, () => 1));
const same = task("same", { pool: { name: "wide" } }, (number: number) => number);
export const items1000 = pipeline("items-1000", () => add(same.map(range(1_000))));
export const items10000 = pipeline("items-10000", () => add(same.map(range(10_000))));
