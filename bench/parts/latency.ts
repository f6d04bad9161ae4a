/** Runs one after the other, each from the request to its end. */
import { realIsolation, Stack } from "./stack.ts";
import { resultOf, type BenchResult } from "./result.ts";
import { summarize } from "./statistics.ts";

export interface Latency {
  readonly pipeline: string;
  readonly warmUps: number;
  readonly runs: number;
}

export const latencyDoesNotMeasure = [
  "work: the tasks do nothing, and their values are numbers",
  "several runs at once, other machines, networks, TLS",
  "the page: nobody but the waiting client watches the runs",
];

export async function measureLatency({ pipeline, warmUps, runs }: Latency): Promise<BenchResult> {
  await using stack = await Stack.start();
  const { server } = await stack.startAll("real");
  const once = async (): Promise<number> => {
    const begun = performance.now();
    const id = await server.api.startRun(pipeline);
    const run = await server.api.finished(id);
    const took = performance.now() - begun;
    if (run.state !== "succeeded") throw new Error(`the run ${id} ended ${run.state}`);
    return took;
  };
  for (let run = 0; run < warmUps; run += 1) await once();
  const durations: number[] = [];
  for (let run = 0; run < runs; run += 1) durations.push(await once());
  return await resultOf(stack, pipeline, summarize(durations), realIsolation);
}
