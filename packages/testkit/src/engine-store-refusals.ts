/** Rules of `EngineStore` about rows that the database refuses: as poison, and the whole flush with them (E1). */
import { strict as assert } from "node:assert";
import { emptyBatch, type FlushBatch } from "@millrace/store";
import {
  attemptRow,
  eventRow,
  flusher,
  grant,
  key,
  liveRun,
  request,
  rowTime,
  runChange,
  taskRunRow,
  why,
} from "./engine-rows.ts";
import type { EngineStoreRule } from "./engine-store-conformance.ts";

/** Each is refused as poison, changes nothing, and leaves the node able to flush under the same number. */
export function engineStoreRefusals(): { [name: string]: EngineStoreRule } {
  const ended = { state: "succeeded" as const, endedAt: rowTime };
  const wrong: { [name: string]: Partial<FlushBatch> } = {
    "a run with a known id": { runsCreated: [liveRun("there")] },
    "a live run in an end state": { runsCreated: [liveRun("r1", { state: "succeeded" })] },
    "a running run that never started": { runsCreated: [liveRun("r1", { startedAt: undefined })] },
    "a queued run that has started": {
      runsCreated: [liveRun("r1", { state: "queued", startedAt: rowTime })],
    },
    "a generation 0": { runsCreated: [liveRun("r1", { generation: 0 })] },
    "a call too deep": { runsCreated: [liveRun("r1", { depth: 17 })] },
    "a quarantine without a reason": {
      runsChanged: [runChange("there", { state: "quarantined" })],
    },
    "a quarantined run that waits to be woken": {
      runsChanged: [runChange("there", { state: "quarantined", reason: why, wakeAt: rowTime })],
    },
    "a generation that has ended": { runsCreated: [liveRun("ended", { generation: 2 })] },
    "an event with a character that no text holds": {
      events: [eventRow("e1"), eventRow("e\u0000")],
      clocks: [{ workspace: 1, at: rowTime }],
    },
    "a second run of one idempotency key": {
      runsCreated: [liveRun("r1")],
      idempotencyKeys: [{ workspace: 1, key: "taken", runId: "r1", createdAt: rowTime }],
    },
    "a run that ends in a live state": {
      runsEnded: [
        {
          ...key("there"),
          state: "running",
          reason: undefined,
          output: undefined,
          endedAt: rowTime,
          hasMoreRows: true,
        },
      ],
    },
    "a pending task run": { taskRuns: [taskRunRow("there", "a", { state: "pending" })] },
    "a running task run without a dispatch": { taskRuns: [taskRunRow("there", "a", { dispatch: 0 })] },
    "a running task run without a worker": { taskRuns: [taskRunRow("there", "a", { worker: undefined })] },
    "a retrying task run without a time": { taskRuns: [taskRunRow("there", "a", { state: "retrying" })] },
    "an ended task run without an end": { taskRuns: [taskRunRow("there", "a", { state: "skipped" })] },
    "a running task run with an end": { taskRuns: [taskRunRow("there", "a", { endedAt: rowTime })] },
    "an output of what did not succeed": { taskRuns: [taskRunRow("there", "a", { output: { value: 1 } })] },
    "a failure without a reason": {
      taskRuns: [taskRunRow("there", "a", { state: "failed", endedAt: rowTime })],
    },
    "one task run twice in a flush": {
      taskRuns: [taskRunRow("there", "a"), taskRunRow("there", "a", ended)],
    },
    "an attempt of an unknown state": { attempts: [attemptRow("there", "a", { state: "running" as never })] },
    "one attempt twice": { attempts: [attemptRow("there", "a"), attemptRow("there", "a")] },
    "a second grant of one holder": { grants: [grant({ holder: "there" })] },
    "a second request of one holder": { requests: [request({ holder: "there" })] },
    "a grant of no slots": { grants: [grant({ slots: 0 })] },
    "a limit below 0": {
      limits: [{ workspace: 1, kind: "pool", name: "x", shard: 1, slots: -1, setByOperator: false }],
    },
    "a limit of an unknown kind": {
      limits: [{ workspace: 1, kind: "other" as never, name: "x", shard: 1, slots: 1, setByOperator: false }],
    },
  };
  return Object.fromEntries(
    Object.entries(wrong).map(([name, parts]) => [`refused as poison, wholly: ${name}`, refuses(parts)]),
  );
}

function refuses(parts: Partial<FlushBatch>): EngineStoreRule {
  return async ({ store }) => {
    const { nodeId, flush: put } = await flusher(store);
    const end = { reason: undefined, output: undefined, endedAt: rowTime, hasMoreRows: false };
    await put({
      runsCreated: [liveRun("there"), liveRun("ended", { generation: 2 })],
      runsEnded: [{ ...key("ended"), state: "succeeded", ...end }],
      idempotencyKeys: [{ workspace: 1, key: "taken", runId: "there", createdAt: rowTime }],
      grants: [grant({ holder: "there", runId: "there" })],
      requests: [request({ holder: "there" })],
    });
    const good = {
      messagesSent: [{ shard: 1, message: "bystander" }],
      taskRuns: [taskRunRow("there", "bystander")],
    };
    const batch = {
      ...emptyBatch(),
      ...good,
      ...parts,
      taskRuns: [...good.taskRuns, ...(parts.taskRuns ?? [])],
      runsCreated: [liveRun("bystander"), ...(parts.runsCreated ?? [])],
    };
    for (const flush of [() => store.tryFlush(nodeId, 2, batch), () => store.flush(nodeId, 2, batch)]) {
      const error = await flush().then(
        (outcome) => assert.fail(`it was ${JSON.stringify(outcome)}`),
        (thrown: unknown) => thrown,
      );
      assert.equal(store.isPoison(error), true, String(error));
    }
    assert.equal(await store.tryFlush(nodeId, 2, { ...emptyBatch(), ...good }), "committed");
    assert.deepEqual(await store.lastFlush(nodeId), { number: 1, fenced: false });
    assert.deepEqual((await store.loadRun(key("there")))?.taskRuns, []);
    assert.equal(await store.loadRun(key("bystander")), undefined);
    assert.deepEqual(await store.loadInbox([1], 10), []);
    assert.equal(await store.flush(nodeId, 2, { ...emptyBatch(), ...good }), "committed");
    assert.equal(store.isPoison(Object.assign(new Error("gone"), { code: "ECONNRESET" })), false);
  };
}
