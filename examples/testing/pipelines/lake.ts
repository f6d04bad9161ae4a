/** Assets in slices; `test/lake.ts` tests them on virtual time. */
import { asset, daily, on, pipeline, task } from "millrace";

export const landing = asset("landing/orders", { partitions: daily("2026-01-01") });
export const clean = asset("lake/orders", { partitions: daily("2026-01-01"), upstream: [landing] });

const tidy = task("tidy", { writes: clean }, (day: string) => `tidied ${day}`);

/** For each day that lands. */
export const tidied = pipeline("tidied", { on: on.updated(landing) }, ({ partition }) => tidy(partition.key));
