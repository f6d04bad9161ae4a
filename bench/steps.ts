import { latencyDoesNotMeasure, measureLatency } from "./parts/latency.ts";
import type { Bench } from "./parts/result.ts";

export const steps: Bench = {
  name: "steps",
  measures:
    "a task of 40 steps one after the other: from POST /runs to the `end` event of the run's event stream",
  doesNotMeasure: latencyDoesNotMeasure,
  run: ({ short }) => measureLatency({ pipeline: "steps", warmUps: short ? 10 : 40, runs: short ? 20 : 200 }),
};
