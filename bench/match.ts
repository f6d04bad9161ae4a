import {
  compileCondition,
  parseCondition,
  TriggerIndex,
  type ConditionEvent,
  type Json,
} from "@millrace/core";
import { loadTrigger, matchKeysOf, ToldWait, WaitShapes } from "@millrace/server";
import { connect, openPostgresEngineStore, shardCount, type TriggerRow } from "@millrace/store";
import { resultOf, type Bench } from "./parts/result.ts";
import { Stack } from "./parts/stack.ts";
import { median, round, summarize } from "./parts/statistics.ts";

const triggers = 10_000;

export const match: Bench = {
  name: "match",
  measures:
    "one event against many keyed waits in the database and 10,000 triggers with a filter on its very type: its keys, the index of triggers, the reading of the wait that it satisfies, and the telling of it; the durations are those with the most waits",
  doesNotMeasure: [
    "the event's way into the log, and the commit of what it ends (see `event`, `intake` and `waits`)",
    "an event that satisfies many waits",
  ],
  run: async ({ short }) => {
    const sizes = short ? [1_000, 20_000] : [1_000, 10_000, 100_000, 1_000_000];
    await using stack = await Stack.start();
    const server = await stack.startServer();
    await server.stop();
    const database = connect(stack.postgres.connection, { applicationName: "bench" });
    try {
      const store = openPostgresEngineStore(database);
      const index = new TriggerIndex();
      for (let n = 0; n < triggers; n += 1) index.add(loadTrigger(triggerRow(n)));
      const shapes = new WaitShapes();
      for (const shape of keysOf(0).shapes) shapes.place(shape, 0);
      const shards = Array.from({ length: shardCount }, (_, shard) => shard);
      const medians: { [waits: string]: number } = {};
      let durations: number[] = [];
      let made = 0;
      for (const size of sizes) {
        for (; made < size; made += 10_000) await insertWaits(stack, made, Math.min(made + 10_000, size));
        made = size;
        await stack.query("analyze wait, wait_match");
        durations = [];
        const events = short ? 500 : 2_000;
        for (let at = 0; at < events; at += 1) {
          const n = Math.floor(((at * 7919) % events) * (size / events));
          const event = eventOf(n);
          const begun = performance.now();
          const found = [...index.matching(event)];
          const { waits } = await store.findWaits(shards, shapes.keysOf(event), undefined, 10);
          const told = waits.map((row) => new ToldWait(row));
          for (const wait of told) wait.tell(event);
          const took = performance.now() - begun;
          if (told.filter(({ ended }) => ended).length !== 1 || found.length !== (n < triggers ? 1 : 0))
            throw new Error(`event ${n} ended ${told.length} waits and concerned ${found.length} triggers`);
          if (at >= events / 10) durations.push(took);
        }
        medians[String(size)] = round(median(durations));
      }
      const numbers = { ...summarize(durations), triggers, medianByWaits: medians };
      return await resultOf(stack, "match", numbers, "none: no task runs");
    } finally {
      await database.close();
    }
  },
};

function conditionOf(n: number): Json {
  return { kind: "event", type: "bench.woken", where: { op: "eq", path: ["data", "n"], value: n } };
}

function keysOf(n: number): ReturnType<typeof matchKeysOf> {
  return matchKeysOf(compileCondition(parseCondition(conditionOf(n))));
}

function triggerRow(n: number): TriggerRow {
  const place = { position: 0, recordedAt: 0 };
  return {
    workspace: 1,
    pipeline: `p${n}`,
    shard: n % shardCount,
    version: 1,
    definition: { condition: parseCondition(conditionOf(n)), onResume: "all", catchUp: "latest" },
    activated: place,
    paused: undefined,
  };
}

function eventOf(n: number): ConditionEvent {
  const time = Date.now();
  return {
    position: n + 1,
    recordedAt: time,
    type: "bench.woken",
    source: "/bench",
    id: String(n),
    time,
    data: { n },
    attributes: {},
  };
}

/** As the engine writes them, for runs that do not exist. */
async function insertWaits(stack: Stack, from: number, to: number): Promise<void> {
  const rows = Array.from({ length: to - from }, (_, at) => ({
    id: from + at + 1,
    key: keysOf(from + at).keys[0]!,
    condition: JSON.stringify(conditionOf(from + at)),
  }));
  const text = JSON.stringify(rows).replaceAll("'", "''");
  await stack.query(
    `with given as materialized (
      select * from json_to_recordset('${text}') as g (id bigint, key bigint, condition text)
    ), made as (
      insert into wait (
        id, workspace, shard, run_id, node, item, generation, name, occurrence, condition, began_at, told_to, match_keys
      )
      select id, 1, (id % ${shardCount})::smallint, 'r' || id, 'wait', '', 1, '', 1, condition, now(), 0, array[key] from given
    )
    insert into wait_match (key, wait_id, shard) select key, id, (id % ${shardCount})::smallint from given`,
  );
}
