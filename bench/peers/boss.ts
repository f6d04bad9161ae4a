/** pg-boss: each task is a job that sends the next one and wakes its worker, else it would poll; tasks run in this process. */
import PgBoss from "pg-boss";
import { Pool } from "pg";
import { JoinCounter } from "./join-counter.ts";
import { chainLength, fanWidth, Waiters, type Peer, type PeerDatabase } from "./peer.ts";

interface Payload {
  readonly id: string;
  readonly value: number;
  readonly step: number;
}

export async function startBoss(database: PeerDatabase): Promise<Peer> {
  const pool = new Pool({ connectionString: database.url, max: 10 });
  pool.on("error", (error) => console.error("boss:", error.message));
  const counter = await JoinCounter.create(pool);
  const waiters = new Waiters();
  const boss = new PgBoss({ connectionString: database.url, max: 10 });
  boss.on("error", (error) => console.error("pg-boss:", error));
  await boss.start();
  for (const queue of ["pass", "light", "sum"]) await boss.createQueue(queue);
  const polling = { pollingIntervalSeconds: 0.5 };
  const passWorker: string = await boss.work<Payload>("pass", polling, async ([job]) => {
    const { id, value, step } = job!.data;
    if (step + 1 === chainLength) return waiters.end(id, value + 1);
    await boss.send("pass", { id, value: value + 1, step: step + 1 });
    boss.notifyWorker(passWorker);
  });
  const sumWorker: string = await boss.work<Payload>("sum", polling, async ([job]) =>
    waiters.end(job!.data.id, job!.data.value),
  );
  const lightWorker: string = await boss.work<Payload>(
    "light",
    { ...polling, batchSize: 100 },
    async (jobs) => {
      const arrived = await Promise.all(jobs.map(({ data }) => counter.arrive(data.id, data.value * 2)));
      const total = arrived.find((value) => value !== undefined);
      if (total !== undefined) {
        await boss.send("sum", { id: jobs[0]!.data.id, value: total, step: 0 });
        boss.notifyWorker(sumWorker);
      } else boss.notifyWorker(lightWorker);
    },
  );
  return {
    name: "pg-boss",
    isolation: "in the process of the worker",
    chain: async () => {
      const { id, ended } = waiters.begin();
      await boss.send("pass", { id, value: 0, step: 0 });
      boss.notifyWorker(passWorker);
      return ended;
    },
    fanout: async () => {
      const { id, ended } = waiters.begin();
      await counter.open(id, fanWidth);
      await boss.insert(
        Array.from({ length: fanWidth }, (_, value) => ({ name: "light", data: { id, value, step: 0 } })),
      );
      boss.notifyWorker(lightWorker);
      return ended;
    },
    [Symbol.asyncDispose]: async () => {
      await boss.stop({ graceful: false, wait: true });
      await pool.end();
    },
  };
}
