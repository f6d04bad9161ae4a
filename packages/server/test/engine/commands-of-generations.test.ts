/** A command means the generation that it was given to, however late it arrives. */
import type { Json } from "@millrace/core";
import { afterEach, expect, test } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { memory, pipelineOf, settled, task } from "./bench.ts";

const active = { project: "main", bundle: "b1", paused: false, definition: pipelineOf([task("a")]) };
const cancel = { kind: "cancel", by: "user", reason: { code: "cancelled", message: "enough" } } as const;

let engine: Engine;
afterEach(() => engine.abandon());

/** A run in its second generation, the first of which was cancelled; nothing of it runs, as there is no worker. */
async function secondGeneration(): Promise<{
  readonly id: string;
  readonly shared: ReturnType<typeof memory>;
}> {
  const shared = memory();
  const { archive, clock, store } = shared;
  engine = new Engine({
    store,
    archive,
    blobs: { put: async () => "", get: async () => undefined },
    definitions: {
      findActive: async () => active,
      definitionOf: async () => active.definition,
      runAsks: async () => [],
    },
    clock,
    random: Math.random,
    log: { info: () => {}, warn: () => {}, error: () => {} },
    name: "n1",
    url: undefined,
    version: "test",
  });
  await engine.start();
  const { run } = await engine.startRun({ pipeline: active, params: { value: {} }, labels: {} });
  expect(await engine.tellRun({ runId: run.id, generation: 1 }, cancel)).toBe(true);
  await engine.generations.rerun(run.id, { kind: "all", nodes: [], sameBundle: false });
  for (let turn = 0; turn < 12; turn += 1) await settled();
  expect(engine.entry(run.id)?.identity.generation).toBe(2);
  return { id: run.id, shared };
}

test("a command to a generation that has ended is refused while the next one goes on", async () => {
  const { id } = await secondGeneration();
  expect(await engine.tellRun({ runId: id, generation: 1 }, cancel)).toBe(false);
  expect(engine.entry(id)?.run.cancel).toBeUndefined();
  expect(await engine.tellRun({ runId: id, generation: 2 }, cancel)).toBe(true);
  expect(engine.entry(id)).toBeUndefined();
});

test("a command that was on its way when its generation ended changes nothing", async () => {
  const { id, shared } = await secondGeneration();
  const { shard } = engine.entry(id)!.identity;
  const message = { kind: "run", runId: id, generation: 1, message: cancel } as unknown as Json;
  await shared.store.sendInbox([{ shard, message }]);
  for (let turn = 0; turn < 12; turn += 1) await settled();
  expect(shared.database.tables.inbox.size).toBe(0);
  expect(engine.entry(id)?.run.cancel).toBeUndefined();
});
