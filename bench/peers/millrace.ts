/** Millrace as its own benchmarks run it: a server process, a worker process, warm children. */
import { realIsolation, type Stack } from "../parts/stack.ts";
import { chainLength, fanWidth, type Peer } from "./peer.ts";

export async function startMillrace(stack: Stack): Promise<Peer> {
  const { server } = await stack.startAll("real");
  const run = async (pipeline: string): Promise<void> => {
    const ended = await server.api.finished(await server.api.startRun(pipeline));
    if (ended.state !== "succeeded") throw new Error(`the run ${ended.id} ended ${ended.state}`);
  };
  return {
    name: "millrace",
    isolation: realIsolation,
    chain: async () => {
      await run("chain");
      return chainLength;
    },
    fanout: async () => {
      await run("fanout");
      return fanWidth * (fanWidth - 1);
    },
    // The stack ends what it started.
    [Symbol.asyncDispose]: async () => {},
  };
}
