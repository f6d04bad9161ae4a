/** DBOS: one workflow whose tasks are its steps, which run in the workflow's process. */
import { DBOS } from "@dbos-inc/dbos-sdk";
import { chainLength, fanWidth, type Peer, type PeerDatabase } from "./peer.ts";

export async function startDbos(database: PeerDatabase): Promise<Peer> {
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: database.url,
    runAdminServer: false,
    logLevel: "error",
  });
  const chain = DBOS.registerWorkflow(
    async () => {
      let value = 0;
      for (let step = 0; step < chainLength; step += 1) {
        const given = value;
        value = await DBOS.runStep(async () => given + 1, { name: `pass-${step}` });
      }
      return value;
    },
    { name: "chain" },
  );
  const fanout = DBOS.registerWorkflow(
    async () => {
      const items = Array.from({ length: fanWidth }, (_, value) =>
        DBOS.runStep(async () => value * 2, { name: `light-${value}` }),
      );
      const values = await Promise.all(items);
      return DBOS.runStep(async () => values.reduce((a, b) => a + b, 0), { name: "sum" });
    },
    { name: "fanout" },
  );
  await DBOS.launch();
  return {
    name: "dbos",
    isolation: "steps in the process of the workflow",
    chain: async () => (await DBOS.startWorkflow(chain)()).getResult(),
    fanout: async () => (await DBOS.startWorkflow(fanout)()).getResult(),
    [Symbol.asyncDispose]: () => DBOS.shutdown(),
  };
}
