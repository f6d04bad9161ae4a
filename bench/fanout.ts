import { latencyDoesNotMeasure, measureLatency } from "./parts/latency.ts";
import type { Bench } from "./parts/result.ts";

export const fanout: Bench = {
  name: "fanout",
  measures:
    "a list of 400, 400 mapped tasks and one that joins them: from POST /runs to the `end` event of the run's event stream",
  doesNotMeasure: latencyDoesNotMeasure,
  run: ({ short }) => measureLatency({ pipeline: "fanout", warmUps: short ? 5 : 20, runs: short ? 10 : 100 }),
};
