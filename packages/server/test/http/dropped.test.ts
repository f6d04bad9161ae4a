/** K3: what a worker's heartbeats do not name any more is given to whoever takes it. */
import type { Dispatch, DispatchToken } from "@millrace/protocol";
import { describe, expect, it } from "vitest";
import { node, pipeline, startFixture, type HandWorker, type ServerFixture } from "./server-fixture.ts";

/** Every dispatch of a node that the worker was sent. */
function dispatchesOf(worker: HandWorker, id: string): Dispatch[] {
  return worker.received
    .flatMap((message) => (message.kind === "dispatches" ? message.dispatches : []))
    .filter(({ token }) => token.node === id);
}

/** Sends heartbeats until `done`. */
async function beat(
  worker: HandWorker,
  running: readonly DispatchToken[],
  done: () => boolean,
): Promise<void> {
  const probe = (): boolean => {
    worker.send({ kind: "heartbeat", running });
    return done();
  };
  await expect.poll(probe, { interval: 200, timeout: 10_000 }).toBe(true);
}

/** Resolves when the server has read what the worker sent. */
async function heard(fixture: ServerFixture, worker: HandWorker): Promise<void> {
  const pong = new Promise((resolve) => worker.socket.once("pong", resolve));
  worker.socket.ping();
  await pong;
  await fixture.call("GET", "/info");
}

describe("an attempt that its worker dropped", () => {
  it("is dispatched again, and nobody is blamed", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("dropped"), node("kept")])]);
    const worker = await fixture.worker();
    const run = await fixture.start("p");
    const kept = await worker.dispatch("kept");
    const dropped = await worker.dispatch("dropped");
    // Four times: a run that took its worker down three times would be quarantined.
    for (let count = 2; count <= 5; count += 1)
      await beat(worker, [kept.token], () => dispatchesOf(worker, "dropped").length === count);
    // It may have been under way all the while.
    const cancel = await worker.find((message) => message.kind === "cancel");
    expect(cancel).toMatchObject({ token: dropped.token });
    worker.finish(dropped);
    worker.finish(dispatchesOf(worker, "dropped").at(-1)!);
    worker.finish(kept);
    const detail = await fixture.ended(run.id);
    expect(detail.run.state).toBe("succeeded");
    expect(detail.nodes.map(({ attempts }) => attempts.map(({ state }) => state))).toEqual([
      ["lost", "lost", "lost", "lost", "succeeded"],
      ["succeeded"],
    ]);
    expect(detail.nodes[0]?.attempts.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1]);
    expect(dispatchesOf(worker, "kept")).toHaveLength(1);
  }, 60_000);

  it("is told to the server that hosts its run", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    await using other = await fixture.anotherServer();
    const shards = async (): Promise<number> => (await other.call("GET", "/info")).body.shards;
    await expect.poll(shards, { timeout: 20_000 }).toBe(32);
    const worker = await fixture.worker({ hello: { slots: 20 } });
    // Of runs that begin there, some are of its own shards.
    const started = await Promise.all(
      Array.from(
        { length: 8 },
        async () => (await other.call("POST", "/runs", { pipeline: "p" })).body.run.id,
      ),
    );
    await expect.poll(() => dispatchesOf(worker, "a").length, { timeout: 10_000 }).toBe(8);
    await beat(worker, [], () => dispatchesOf(worker, "a").length === 16);
    for (const dispatch of dispatchesOf(worker, "a").filter(({ token }) => token.dispatch === 2))
      worker.finish(dispatch);
    for (const id of started) expect((await fixture.ended(id)).run.state).toBe("succeeded");
  }, 60_000);

  it("is not missed in one heartbeat, nor in heartbeats that name nothing", async () => {
    await using fixture = await startFixture();
    await fixture.deploy([pipeline("p", [node("a")])]);
    const worker = await fixture.worker();
    const run = await fixture.start("p");
    const dispatch = await worker.dispatch("a");
    let beats = 0;
    await beat(worker, [dispatch.token], () => (beats += 1) > 3);
    // Two that were under way together, and a worker of an older version.
    for (let count = 0; count < 2; count += 1) worker.send({ kind: "heartbeat", running: [] });
    worker.send({ kind: "heartbeat", running: [dispatch.token] });
    worker.send({ kind: "heartbeat", running: [] });
    for (let count = 0; count < 20; count += 1) worker.send({ kind: "heartbeat" });
    await heard(fixture, worker);
    expect(dispatchesOf(worker, "a")).toHaveLength(1);
    worker.finish(dispatch);
    expect((await fixture.ended(run.id)).nodes[0]?.attempts).toHaveLength(1);
  });
});
