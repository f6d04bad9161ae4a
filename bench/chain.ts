import { latencyDoesNotMeasure, measureLatency } from "./parts/latency.ts";
import type { Bench } from "./parts/result.ts";

export const chain: Bench = {
  name: "chain",
  measures:
    "40 tasks one after the other passing a number: from POST /runs to the `end` event of the run's event stream",
  doesNotMeasure: latencyDoesNotMeasure,
  run: ({ short }) => measureLatency({ pipeline: "chain", warmUps: short ? 10 : 40, runs: short ? 20 : 200 }),
};
