import { expect, test } from "vitest";
import { startWorker } from "../src/index.ts";
import { bundleCode, dispatchOf } from "./protocol-server.ts";
import { startFixture, type Fixture } from "./worker-fixture.ts";

/** Breaks the connection and waits until the worker is back. */
async function reconnect(fixture: Fixture): Promise<void> {
  const known = fixture.server.hellos.length;
  fixture.server.socket?.terminate();
  await fixture.server.until("hello", () => fixture.server.hellos.length > known);
}

const holdUntilFile = bundleCode(
  `{ hold: async (file, ctx) => {
    ctx.log.info("up");
    while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 5));
    return process.pid;
  }, once: () => ++globalThis.runs, forever: (_, ctx) => { ctx.log.info("up"); return new Promise(() => {}); } }`,
  `import { existsSync } from "node:fs"; globalThis.runs = 0;`,
);

async function touch(file: string): Promise<void> {
  const { writeFile } = await import("node:fs/promises");
  await writeFile(file, "");
}

test("an attempt goes on over a broken connection, is announced, and runs once", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(holdUntilFile);
  const file = `${fixture.cacheFolder}/go`;
  const dispatch = dispatchOf(bundle, "hold", { input: { value: file } });
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  await server.until("logs");
  await reconnect(fixture);
  expect(server.hellos[1]).toMatchObject({ workerId: fixture.worker.id, running: [dispatch.token] });
  await touch(file);
  expect(await server.outcome(dispatch.token)).toMatchObject({ kind: "succeeded" });
  expect(server.log(dispatch.token).map((line) => line.text)).toEqual(["up"]);
});

test("W2: a result is sent again after a reconnect until it is acknowledged", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  server.acknowledges = false;
  const bundle = server.addBundle(holdUntilFile);
  const dispatch = dispatchOf(bundle, "once");
  const outcome = await fixture.run(dispatch);
  await reconnect(fixture);
  expect(server.hellos[1]?.running).toEqual([dispatch.token]);
  const results = (): unknown[] => server.received.filter((message) => message.kind === "results");
  await expect.poll(results, { interval: 5 }).toHaveLength(2);
  expect(results()[1]).toMatchObject({ results: [{ token: dispatch.token, outcome }] });
  server.send({ kind: "ack", tokens: [dispatch.token] });
  server.acknowledges = true;
  await fixture.run(dispatchOf(bundle, "once"));
  await reconnect(fixture);
  expect(server.hellos[2]?.running).toEqual([]);
  expect(results()).toHaveLength(3);
});

test("W1: a dispatch that comes twice runs once", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  server.acknowledges = false;
  const bundle = server.addBundle(holdUntilFile);
  const dispatch = dispatchOf(bundle, "once");
  server.send({ kind: "dispatches", dispatches: [dispatch, dispatch] });
  expect(await server.outcome(dispatch.token)).toMatchObject({ output: { value: 1 } });
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  const results = (): unknown[] => server.received.filter((message) => message.kind === "results");
  await expect.poll(results, { interval: 5 }).toHaveLength(2);
  server.send({ kind: "ack", tokens: [dispatch.token] });
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  expect(await fixture.run(dispatchOf(bundle, "once"))).toMatchObject({ output: { value: 2 } });
});

test("a result that was made while the connection was away arrives with the next one", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(holdUntilFile);
  const file = `${fixture.cacheFolder}/go`;
  const dispatch = dispatchOf(bundle, "hold", { input: { value: file } });
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  await server.until("logs");
  server.accepts = false;
  server.socket?.terminate();
  await fixture.event("disconnected");
  await touch(file);
  await fixture.event("attempt_ended");
  server.accepts = true;
  expect(await server.outcome(dispatch.token)).toMatchObject({ kind: "succeeded" });
});

test("W4: away longer than the lease, the worker kills what it ran and says nothing of it", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  server.leaseMs = 1_000;
  server.heartbeatMs = 100;
  await reconnect(fixture);
  const bundle = server.addBundle(holdUntilFile);
  const dispatch = dispatchOf(bundle, "forever");
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  await server.until("logs");
  server.accepts = false;
  server.socket?.terminate();
  expect(await fixture.event("lease_lost")).toMatchObject({ attempts: 1 });
  await fixture.event("child_ended");
  server.accepts = true;
  await server.until("hello", () => server.hellos.length === 3);
  expect(server.hellos[2]?.running).toEqual([]);
  expect(await fixture.run(dispatchOf(bundle, "once"))).toMatchObject({ kind: "succeeded" });
  expect(server.received.filter((message) => message.kind === "results")).toHaveLength(1);
});

test("W5: heartbeats name what runs, and what has ended without an acknowledgement", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  server.heartbeatMs = 50;
  server.acknowledges = false;
  await reconnect(fixture);
  const bundle = server.addBundle(holdUntilFile);
  const [runs, ended] = [dispatchOf(bundle, "forever"), dispatchOf(bundle, "once")];
  const named = (): unknown => {
    const last = server.received.findLast((message) => message.kind === "heartbeat");
    return last?.running?.map(({ node }) => node).toSorted();
  };
  await expect.poll(named).toEqual([]);
  server.send({ kind: "dispatches", dispatches: [ended] });
  await server.outcome(ended.token);
  server.send({ kind: "dispatches", dispatches: [runs] });
  await expect.poll(named).toEqual([runs.token.node, ended.token.node].toSorted());
  server.send({ kind: "ack", tokens: [ended.token] });
  await expect.poll(named).toEqual([runs.token.node]);
});

test("what the server revokes in its welcome is killed", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(holdUntilFile);
  const dispatch = dispatchOf(bundle, "forever");
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  await server.until("logs");
  server.revoked = [dispatch.token];
  await reconnect(fixture);
  await fixture.event("child_ended");
  expect(fixture.worker.active).toBe(0);
  server.revoked = [];
  expect(await fixture.run(dispatchOf(bundle, "once"))).toMatchObject({ kind: "succeeded" });
});

test("after a goodbye nothing is begun, what runs goes on, and the worker comes back", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(holdUntilFile);
  const file = `${fixture.cacheFolder}/go`;
  const running = dispatchOf(bundle, "hold", { input: { value: file } });
  server.send({ kind: "dispatches", dispatches: [running] });
  await server.until("logs");
  server.send({ kind: "goodbye", code: "MILLRACE_STOPPING", message: "the server stops", retry: true });
  server.send({ kind: "dispatches", dispatches: [dispatchOf(bundle, "once")] });
  await server.until("hello", () => server.hellos.length === 2);
  expect(server.hellos[1]?.running).toEqual([running.token]);
  await touch(file);
  expect(await server.outcome(running.token)).toMatchObject({ kind: "succeeded" });
});

test("a goodbye without return stops the worker", async () => {
  await using fixture = await startFixture();
  fixture.server.send({
    kind: "goodbye",
    code: "MILLRACE_PROTOCOL_VERSION",
    message: "too old",
    retry: false,
  });
  await fixture.worker.closed;
  expect(await fixture.event("refused")).toMatchObject({ code: "MILLRACE_PROTOCOL_VERSION" });
});

test("a draining worker says so, ends what it runs, and leaves when that is acknowledged", async () => {
  await using fixture = await startFixture();
  const { server, worker } = fixture;
  server.acknowledges = false;
  const bundle = server.addBundle(holdUntilFile);
  const file = `${fixture.cacheFolder}/go`;
  const dispatch = dispatchOf(bundle, "hold", { input: { value: file } });
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  await server.until("logs");
  const drained = worker.drain();
  await server.until("draining");
  expect(worker.active).toBe(1);
  await touch(file);
  await server.outcome(dispatch.token);
  server.send({ kind: "ack", tokens: [dispatch.token] });
  await drained;
  await worker.closed;
});

test("a draining worker that comes back says so at once", async () => {
  await using fixture = await startFixture();
  const { server, worker } = fixture;
  const bundle = server.addBundle(holdUntilFile);
  const file = `${fixture.cacheFolder}/go`;
  const dispatch = dispatchOf(bundle, "hold", { input: { value: file } });
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  await server.until("logs");
  expect(server.hellos[0]?.draining).toBeUndefined();
  const drained = worker.drain();
  await server.until("draining");
  await reconnect(fixture);
  expect(server.hellos[1]).toMatchObject({ draining: true, running: [dispatch.token] });
  await touch(file);
  await drained;
});

test("stop kills what runs within seconds, and may be called twice", async () => {
  await using fixture = await startFixture();
  const { server, worker } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ spin: (_, ctx) => { ctx.log.info(String(process.pid)); for (;;); } }`),
  );
  const dispatch = dispatchOf(bundle, "spin");
  server.send({ kind: "dispatches", dispatches: [dispatch] });
  await server.until("logs");
  const pid = Number(server.log(dispatch.token)[0]?.text);
  const startedAt = performance.now();
  await Promise.all([worker.stop(), worker.stop()]);
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  expect(() => process.kill(pid, 0)).toThrow();
});

test("unknown fields and kinds and malformed frames change nothing", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(holdUntilFile);
  server.socket?.send("not json");
  server.socket?.send(JSON.stringify({ kind: "from_the_future", x: 1 }));
  server.socket?.send(JSON.stringify({ kind: "dispatches", dispatches: [{ token: 7 }] }));
  const dispatch = { ...dispatchOf(bundle, "once"), more: { of: "it" } };
  expect(await fixture.run(dispatch)).toMatchObject({ kind: "succeeded" });
  const ignored = fixture.events.filter((event) => event.kind === "frame_ignored");
  expect(ignored.map((event) => event.reason)).toEqual([
    "a frame is no JSON object with a `kind`",
    'a frame has the unknown kind "from_the_future"',
    expect.stringMatching(/^a frame of kind dispatches is malformed at \/dispatches\/0/),
  ]);
});

test("a worker whose token the server does not know stops and says so", async () => {
  await using fixture = await startFixture();
  fixture.server.knowsNobody = true;
  fixture.server.socket?.terminate();
  expect(await fixture.event("refused")).toMatchObject({ code: "MILLRACE_UNAUTHORIZED" });
  await fixture.worker.closed;
});

test("a wrong option is refused at the start", async () => {
  const good = { url: "http://127.0.0.1:1", cacheFolder: "/nonexistent", version: "0" };
  await expect(startWorker({ ...good, url: "ftp://x" })).rejects.toMatchObject({
    code: "MILLRACE_REQUEST_INVALID",
  });
  await expect(startWorker({ ...good, slots: 0 })).rejects.toMatchObject({
    code: "MILLRACE_REQUEST_INVALID",
  });
  await expect(startWorker({ ...good, cacheFolder: "/dev/null/x" })).rejects.toMatchObject({
    code: "MILLRACE_STATE_FOLDER",
  });
});
