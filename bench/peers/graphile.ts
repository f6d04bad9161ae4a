/** graphile-worker: each task is a job that adds the next one; tasks run in this process. */
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { Pool } from "pg";
import { JoinCounter } from "./join-counter.ts";
import { chainLength, fanWidth, Waiters, type Peer, type PeerDatabase } from "./peer.ts";

interface Payload {
  readonly id: string;
  readonly value: number;
  readonly step?: number;
}

export async function startGraphile(database: PeerDatabase): Promise<Peer> {
  const pool = new Pool({ connectionString: database.url, max: 20 });
  pool.on("error", (error) => console.error("graphile:", error.message));
  pool.on("connect", (client) => client.on("error", () => {}));
  const waiters = new Waiters();
  const counter = await JoinCounter.create(pool);
  const runner = await run({
    pgPool: pool,
    concurrency: 10,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    taskList: {
      pass: async (payload, helpers) => {
        const { id, value, step = 0 } = payload as Payload;
        if (step + 1 === chainLength) waiters.end(id, value + 1);
        else await helpers.addJob("pass", { id, value: value + 1, step: step + 1 });
      },
      light: async (payload, helpers) => {
        const { id, value } = payload as Payload;
        const total = await counter.arrive(id, value * 2);
        if (total !== undefined) await helpers.addJob("sum", { id, value: total });
      },
      sum: async (payload) => {
        const { id, value } = payload as Payload;
        waiters.end(id, value);
      },
    },
  });
  const utilities = await makeWorkerUtils({ pgPool: pool });
  return {
    name: "graphile-worker",
    isolation: "in the process of the worker",
    chain: async () => {
      const { id, ended } = waiters.begin();
      await runner.addJob("pass", { id, value: 0, step: 0 });
      return ended;
    },
    fanout: async () => {
      const { id, ended } = waiters.begin();
      await counter.open(id, fanWidth);
      await utilities.addJobs(
        Array.from({ length: fanWidth }, (_, value) => ({ identifier: "light", payload: { id, value } })),
      );
      return ended;
    },
    [Symbol.asyncDispose]: async () => {
      await utilities.release();
      await runner.stop();
      await pool.end();
    },
  };
}
