import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { AttemptError } from "@millrace/core";
import type { AttemptOutcome } from "@millrace/protocol";
import { expect, test } from "vitest";
import { bundleCode, dispatchOf, sha256 } from "./protocol-server.ts";
import { startFixture } from "./worker-fixture.ts";

function errorOf(outcome: AttemptOutcome): AttemptError {
  if (!("error" in outcome)) throw new Error(`expected a failure, got ${JSON.stringify(outcome)}`);
  return outcome.error;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Resolves when a process is gone. Its kill was sent before; the kernel needs a moment. */
async function gone(pid: number): Promise<void> {
  const isZombie = async (): Promise<boolean> =>
    readFile(`/proc/${pid}/stat`, "latin1").then(
      (text) => text.includes(") Z "),
      () => true,
    );
  await expect.poll(async () => !isAlive(pid) || (await isZombie()), { interval: 10 }).toBe(true);
}

test("a dispatch runs in a child and its output comes back", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode(`{ double: (input) => ({ twice: input.n * 2 }) }`));
  const outcome = await fixture.run(dispatchOf(bundle, "double", { input: { value: { n: 21 } } }));
  expect(outcome).toEqual({ kind: "succeeded", output: { value: { twice: 42 } } });
});

test("a worker that does not allow a debugger refuses an attempt that asks for one", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode(`{ double: (input) => input * 2 }`));
  const outcome = await fixture.run(dispatchOf(bundle, "double", { inspect: true }));
  expect(errorOf(outcome)).toMatchObject({ code: "MILLRACE_INSPECT_REFUSED", next: "fatal" });
  expect(await fixture.run(dispatchOf(bundle, "double", { input: { value: 2 } }))).toMatchObject({
    kind: "succeeded",
  });
});

test("the worker says who it is, with its token, and loads a bundle once per child", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ loads: () => [process.pid, globalThis.loads] }`,
      "globalThis.loads = (globalThis.loads ?? 0) + 1;",
    ),
  );
  const first = await fixture.run(dispatchOf(bundle, "loads"));
  const second = await fixture.run(dispatchOf(bundle, "loads"));
  expect(second).toEqual(first);
  expect(first).toMatchObject({ output: { value: [expect.any(Number), 1] } });
  expect(fixture.server.requests.filter((line) => line.includes("/bundles/"))).toEqual([
    `GET /api/v1/bundles/${bundle} Bearer secret`,
  ]);
  expect(fixture.server.hellos[0]).toMatchObject({
    name: "test",
    queues: ["default"],
    slots: 1,
    running: [],
  });
});

test("an attempt knows who it is", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ who: (_, ctx) => {
      const { run, node, item, index, attempt, dispatch, idempotencyKey } = ctx;
      return { run, node, item, index, attempt, dispatch, idempotencyKey, aborted: ctx.signal.aborted };
    } }`),
  );
  const token = { runId: "r", node: "who", item: "3.1", generation: 2, dispatch: 5 };
  const outcome = await fixture.run(dispatchOf(bundle, "who", { token, attempt: 4, idempotencyKey: "key" }));
  expect(outcome).toMatchObject({
    output: {
      value: {
        run: { id: "r", pipeline: "p", generation: 2 },
        node: "who",
        item: "3.1",
        index: 1,
        attempt: 4,
        dispatch: 5,
        idempotencyKey: "key",
        aborted: false,
      },
    },
  });
});

test("a thrown error comes with its classes, cause and a stack of the task's own frames", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ broken: async () => { await null; throw new NotThere("no such day", { cause: new Error("disk") }); } }`,
      `class Missing extends Error {} class NotThere extends Missing { name = "NotThere"; }`,
    ),
  );
  const error = errorOf(await fixture.run(dispatchOf(bundle, "broken")));
  expect(error).toMatchObject({
    name: "NotThere",
    message: "no such day",
    classes: ["NotThere", "Missing", "Error"],
  });
  expect(error.cause).toContain("disk");
  const frames = error.stack?.split("\n").slice(1) ?? [];
  expect(frames.length).toBeGreaterThan(0);
  expect(frames.join("\n")).toMatch(/at .*bundle\.mjs:\d+:\d+/);
  expect(frames.join("\n")).not.toMatch(/node:internal|runner\.ts|millrace-worker-/);
});

test("a stack ends with the task's own frames, whoever called them", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{
        plain: () => { throw new Error("at once"); },
        reads: () => readFileSync("/nowhere/at/all"),
        event: () => new Promise((_, reject) => {
          const emitter = new EventEmitter().on("x", () => reject(new Error("heard")));
          emitter.emit("x");
        }),
        late: () => new Promise((_, reject) => {
          const emitter = new EventEmitter().on("x", () => reject(new Error("heard")));
          setTimeout(() => new Readable({ read() {} }).on("data", () => emitter.emit("x")).push("x"), 1);
        }),
      }`,
      `import { readFileSync } from "node:fs"; import { EventEmitter } from "node:events"; import { Readable } from "node:stream";`,
    ),
  );
  for (const node of ["plain", "reads", "event", "late"]) {
    const error = errorOf(await fixture.run(dispatchOf(bundle, node)));
    const frames = error.stack?.split("\n").slice(1) ?? [];
    expect(frames.at(-1), error.stack).toMatch(/bundle\.mjs:\d+:\d+/);
    if (node === "reads") expect(error.stack).toContain("readFileSync (node:fs");
  }
});

test("Fatal, RetryAfter and Skip of any copy of the SDK are recognised by their brand", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{
        fatal: () => { throw brand(new Error("closed"), { kind: "fatal" }); },
        later: () => { throw brand(new Error("busy"), { kind: "retry_after", delayMs: 1500 }); },
        skip: () => { throw brand(new Error("x"), { kind: "skip", reason: "no new files" }); },
      }`,
      `const brand = (error, next) => Object.assign(error, { [Symbol.for("millrace.next")]: next });`,
    ),
  );
  expect(errorOf(await fixture.run(dispatchOf(bundle, "fatal"))).next).toBe("fatal");
  expect(errorOf(await fixture.run(dispatchOf(bundle, "later")))).toMatchObject({
    next: "retry_after",
    retryAfterMs: 1500,
  });
  expect(await fixture.run(dispatchOf(bundle, "skip"))).toEqual({ kind: "skipped", reason: "no new files" });
});

test("a thrown value that is no error, or that breaks when read, is still told", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{
      text: () => { throw "x"; },
      nothing: () => { throw undefined; },
      trap: () => { throw new Proxy({}, { get() { throw new Error("no"); }, has() { throw new Error("no"); } }); },
    }`),
  );
  expect(errorOf(await fixture.run(dispatchOf(bundle, "text"))).message).toContain('threw "x"');
  expect(errorOf(await fixture.run(dispatchOf(bundle, "nothing"))).message).toContain("threw undefined");
  expect(errorOf(await fixture.run(dispatchOf(bundle, "trap"))).message).toContain("can't be read");
});

test("a rejection that nobody handles fails the attempt, and its child is not used again", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ stray: () => { Promise.reject(new Error("forgotten")); return 1; }, pid: () => process.pid }`,
    ),
  );
  const before = await fixture.run(dispatchOf(bundle, "pid"));
  expect(errorOf(await fixture.run(dispatchOf(bundle, "stray"))).message).toBe("forgotten");
  expect(await fixture.run(dispatchOf(bundle, "pid"))).not.toEqual(before);
});

test("outputs that JSON can't carry are refused with their path", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ big: () => ({ rows: [{ id: 1n }] }), none: () => undefined, date: () => new Date() }`),
  );
  const error = errorOf(await fixture.run(dispatchOf(bundle, "big")));
  expect(error.code).toBe("MILLRACE_VALUE_NOT_JSON");
  expect(error.message).toContain("$.rows[0].id");
  expect(errorOf(await fixture.run(dispatchOf(bundle, "date"))).code).toBe("MILLRACE_VALUE_NOT_JSON");
  expect(await fixture.run(dispatchOf(bundle, "none"))).toEqual({
    kind: "succeeded",
    output: { value: null },
  });
});

test("a task that returns 50 MB works: the value is stored as a blob before its result", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ large: () => "x".repeat(50 * 1024 * 1024), size: (input) => input.length }`),
  );
  const outcome = await fixture.run(dispatchOf(bundle, "large"));
  if (outcome.kind !== "succeeded" || !("blob" in outcome.output)) throw new Error("expected a blob");
  const stored = fixture.server.blobs.get(outcome.output.blob);
  expect(stored?.length).toBe(50 * 1024 * 1024 + 2);
  expect(sha256(stored ?? "")).toBe(outcome.output.blob);
  const read = await fixture.run(dispatchOf(bundle, "size", { input: outcome.output }));
  expect(read).toEqual({ kind: "succeeded", output: { value: 50 * 1024 * 1024 } });
  expect(fixture.server.requests.filter((line) => line.startsWith("GET /api/v1/blobs"))).toEqual([]);
});

test("a value that the server can't store now is sent again, and the server's words are told", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode(`{ large: () => "x".repeat(100_000) }`));
  fixture.server.refusals.push("The state folder has no space left.");
  const outcome = await fixture.run(dispatchOf(bundle, "large"));
  expect(outcome).toMatchObject({ kind: "succeeded" });
  const { message } = await fixture.event("transfer_failed");
  expect(message).toBe("HTTP 500: The state folder has no space left.");
});

test("an input that is a blob is fetched once and verified", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode(`{ size: (input) => input.length }`));
  const input = fixture.server.addBlob(Buffer.from(JSON.stringify("y".repeat(100_000))));
  for (let round = 0; round < 2; round += 1) {
    expect(await fixture.run(dispatchOf(bundle, "size", { input }))).toMatchObject({
      output: { value: 100_000 },
    });
  }
  expect(fixture.server.requests.filter((line) => line.startsWith("GET /api/v1/blobs"))).toHaveLength(1);
  const wrong = fixture.server.addBlob(Buffer.from("1"));
  if ("blob" in wrong) fixture.server.blobs.set(wrong.blob, Buffer.from("2"));
  const outcome = await fixture.run(dispatchOf(bundle, "size", { input: wrong }));
  expect(outcome).toMatchObject({ kind: "infrastructure", error: { code: "MILLRACE_BLOB_CORRUPT" } });
});

test("more than the bound for outputs is refused", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode(`{ huge: () => "x".repeat(65 * 1024 * 1024) }`));
  expect(errorOf(await fixture.run(dispatchOf(bundle, "huge"))).code).toBe("MILLRACE_OUTPUT_TOO_LARGE");
});

test("process.exit in a task is a crash, and the next dispatch gets another child", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ exit: () => process.exit(0), pid: () => process.pid }`),
  );
  const error = errorOf(await fixture.run(dispatchOf(bundle, "exit")));
  expect(error.code).toBe("MILLRACE_ATTEMPT_CRASHED");
  expect(error.message).toContain("exit code 0");
  expect(await fixture.run(dispatchOf(bundle, "pid"))).toMatchObject({ kind: "succeeded" });
});

test("a task that allocates without end dies of memory alone", async () => {
  await using fixture = await startFixture({ childMemoryMb: 64 });
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ eat: () => { const all = []; for (;;) all.push(new Array(10_000).fill(all.length)); }, ok: () => 1 }`,
    ),
  );
  expect(errorOf(await fixture.run(dispatchOf(bundle, "eat"))).code).toBe("MILLRACE_ATTEMPT_OUT_OF_MEMORY");
  expect(await fixture.run(dispatchOf(bundle, "ok"))).toMatchObject({ kind: "succeeded" });
});

test("native memory far above the bound is noticed while the attempt runs", async () => {
  await using fixture = await startFixture({ childMemoryMb: 64 });
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ eat: () => { globalThis.kept = Buffer.alloc(400 * 1024 * 1024, 1); return new Promise(() => {}); } }`,
    ),
  );
  expect(errorOf(await fixture.run(dispatchOf(bundle, "eat"))).code).toBe("MILLRACE_ATTEMPT_OUT_OF_MEMORY");
});

test("a timeout aborts the signal first, and a task that follows it still counts as timed out", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ wait: (_, ctx) => new Promise((resolve) => {
      ctx.signal.addEventListener("abort", () => { ctx.log.info("asked to stop"); resolve("late"); });
    }) }`),
  );
  const dispatch = dispatchOf(bundle, "wait", { timeoutMs: 50 });
  expect(errorOf(await fixture.run(dispatch)).code).toBe("MILLRACE_ATTEMPT_TIMEOUT");
  expect(fixture.server.log(dispatch.token).map((line) => line.text)).toEqual(["asked to stop"]);
});

test("a blocked event loop stops no heartbeat and is killed on time", async () => {
  await using fixture = await startFixture({ killGraceMs: 200 });
  fixture.server.heartbeatMs = 50;
  fixture.server.socket?.close();
  await fixture.server.until("hello", () => fixture.server.hellos.length === 2);
  const bundle = fixture.server.addBundle(
    bundleCode(`{ spin: () => { process.on("SIGTERM", () => {}); for (;;); }, ok: () => 1 }`),
  );
  await fixture.run(dispatchOf(bundle, "ok"));
  const startedAt = performance.now();
  const beats = fixture.server.received.length;
  expect(errorOf(await fixture.run(dispatchOf(bundle, "spin", { timeoutMs: 300 }))).code).toBe(
    "MILLRACE_ATTEMPT_TIMEOUT",
  );
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(fixture.server.received.slice(beats).some((message) => message.kind === "heartbeat")).toBe(true);
  expect(await fixture.run(dispatchOf(bundle, "ok"))).toMatchObject({ kind: "succeeded" });
});

test("a kill takes the processes along that the task forked", async () => {
  await using fixture = await startFixture({ killGraceMs: 0 });
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{ fork: (_, ctx) => {
        const grandchild = spawn("sleep", ["1000"], { stdio: "inherit" });
        ctx.log.info(String(grandchild.pid));
        return new Promise(() => {});
      } }`,
      `import { spawn } from "node:child_process";`,
    ),
  );
  const dispatch = dispatchOf(bundle, "fork", { timeoutMs: 200 });
  expect(errorOf(await fixture.run(dispatch)).code).toBe("MILLRACE_ATTEMPT_TIMEOUT");
  const pid = Number(fixture.server.log(dispatch.token)[0]?.text);
  expect(pid).toBeGreaterThan(1);
  await gone(pid);
});

test("what an attempt leaves running ends with its child, and the result stands", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(
      `{
        timer: () => { setInterval(() => {}, 1000); return process.pid; },
        sleeper: () => { const child = spawn("sleep", ["1000"]); return child.pid; },
        pid: () => process.pid,
      }`,
      `import { spawn } from "node:child_process";`,
    ),
  );
  const timer = await fixture.run(dispatchOf(bundle, "timer"));
  expect(timer.kind).toBe("succeeded");
  expect(await fixture.run(dispatchOf(bundle, "pid"))).not.toEqual(timer);
  const sleeper = await fixture.run(dispatchOf(bundle, "sleeper"));
  if (sleeper.kind !== "succeeded" || !("value" in sleeper.output)) throw new Error("expected a pid");
  await gone(Number(sleeper.output.value));
});

test("a cancel aborts the signal; what ignores it is killed after the grace", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{
      polite: (_, ctx) => new Promise((_, reject) => {
        ctx.log.info("up");
        ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason));
      }),
      deaf: (_, ctx) => { ctx.log.info("up"); for (;;); },
    }`),
  );
  for (const [node, graceMs] of [
    ["polite", 60_000],
    ["deaf", 100],
  ] as const) {
    const dispatch = dispatchOf(bundle, node);
    const outcome = fixture.run(dispatch);
    await server.until("logs", (message) => message.token.runId === dispatch.token.runId);
    server.send({ kind: "cancel", token: dispatch.token, reason: "no longer wanted", graceMs });
    expect(await outcome).toEqual({ kind: "cancelled" });
  }
});

test("who is told to stop and still succeeds within the grace, has succeeded; after a timeout it has not", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{
      stubborn: (_, ctx) => new Promise((resolve) => {
        ctx.log.info("up");
        ctx.signal.addEventListener("abort", () => resolve("made"));
      }),
    }`),
  );
  const dispatch = dispatchOf(bundle, "stubborn");
  const outcome = fixture.run(dispatch);
  await server.until("logs", (message) => message.token.runId === dispatch.token.runId);
  server.send({ kind: "cancel", token: dispatch.token, reason: "no longer wanted", graceMs: 60_000 });
  expect(await outcome).toMatchObject({ kind: "succeeded", output: { value: "made" } });
  expect(await fixture.run(dispatchOf(bundle, "stubborn", { timeoutMs: 50 }))).toMatchObject({
    kind: "failed",
    error: { code: "MILLRACE_ATTEMPT_TIMEOUT" },
  });
});

test("an attempt that still waits for a child is cancelled without running", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ hold: (_, ctx) => { ctx.log.info("up"); return new Promise(() => {}); } }`),
  );
  const holders = [dispatchOf(bundle, "hold"), dispatchOf(bundle, "hold")];
  const queued = dispatchOf(bundle, "hold");
  server.send({ kind: "dispatches", dispatches: [...holders, queued] });
  for (const { token } of holders)
    await server.until("logs", (message) => message.token.runId === token.runId);
  server.send({ kind: "cancel", token: queued.token, reason: "no", graceMs: 1_000 });
  expect(await server.outcome(queued.token)).toEqual({ kind: "cancelled" });
  expect(server.log(queued.token)).toEqual([]);
});

test("an attempt sees the variables and connections that its task names, and no others", async () => {
  await using fixture = await startFixture({
    environment: {
      PATH: process.env["PATH"],
      SECRET: "s",
      NAMED: "n",
      MILLRACE_CONNECTION_LAKE_EU: "postgres://me:pw%21@db.example:5433/lake?ssl=true",
      MILLRACE_CONNECTION_API: '{"host":"api.example","protocol":"https","token":"t"}',
    },
  });
  const bundle = fixture.server.addBundle(
    bundleCode(`{
      env: () => { const seen = { ...process.env }; process.env.LEFT = "x"; delete seen.PATH; return seen; },
      lake: (_, ctx) => [ctx.connection("lake-eu"), ctx.connection("api")],
      gone: (_, ctx) => ctx.connection("gone"),
    }`),
  );
  const named = await fixture.run(dispatchOf(bundle, "env", { env: ["NAMED", "ABSENT"] }));
  expect(named).toEqual({ kind: "succeeded", output: { value: { NAMED: "n" } } });
  const plain = await fixture.run(dispatchOf(bundle, "env"));
  expect(plain).toEqual({ kind: "succeeded", output: { value: {} } });
  const both = await fixture.run(dispatchOf(bundle, "lake", { connections: ["lake-eu", "api"] }));
  expect(both).toMatchObject({
    output: {
      value: [
        {
          name: "lake-eu",
          protocol: "postgres",
          host: "db.example",
          port: 5433,
          user: "me",
          password: "pw!",
          database: "lake",
          extra: { ssl: "true" },
        },
        { name: "api", url: "https://api.example", host: "api.example", extra: { token: "t" } },
      ],
    },
  });
  const unlisted = errorOf(await fixture.run(dispatchOf(bundle, "lake")));
  expect(unlisted).toMatchObject({ code: "MILLRACE_CONNECTION_MISSING" });
  expect(unlisted.message).toContain("does not list");
  const missing = errorOf(await fixture.run(dispatchOf(bundle, "gone", { connections: ["gone"] })));
  expect(missing.message).toContain("MILLRACE_CONNECTION_GONE");
});

test("the author's validator runs before the first node and gives ctx.params", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode(`{ params: (_, ctx) => ctx.params }`));
  const run = (params?: object): Promise<AttemptOutcome> =>
    fixture.run(dispatchOf(bundle, "params", params ? { params: { value: { ...params } } } : {}));
  expect(await run({ day: 1 })).toMatchObject({ output: { value: { day: 1, validated: "p" } } });
  expect(await run()).toMatchObject({ output: { value: {} } });
  expect(errorOf(await run({ bad: true }))).toMatchObject({
    code: "MILLRACE_PARAMS_INVALID",
    next: "fatal",
    message: "The pipeline's validator refused the parameters: `bad`: is not allowed",
  });
});

test("artifacts and progress arrive before the result", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const bundle = server.addBundle(
    bundleCode(`{ report: async (_, ctx) => {
      ctx.progress(0.5, "half");
      await ctx.artifact("notes", { markdown: "# Hello" });
      await ctx.artifact("rows", { table: [{ a: 1 }] });
      await ctx.artifact("me", { file: process.execPath.length > 0 ? import.meta.filename : "" });
    } }`),
  );
  const dispatch = dispatchOf(bundle, "report");
  expect(await fixture.run(dispatch)).toEqual({ kind: "succeeded", output: { value: null } });
  const kinds = server.received.map((message) => message.kind).filter((kind) => kind !== "heartbeat");
  expect(kinds.toSorted()).toEqual(["artifact", "artifact", "artifact", "hello", "progress", "results"]);
  expect(kinds.at(-1)).toBe("results");
  const artifacts = server.received.filter((message) => message.kind === "artifact");
  expect(artifacts.map(({ name, type, mediaType }) => [name, type, mediaType])).toEqual([
    ["notes", "markdown", "text/markdown"],
    ["rows", "table", "application/json"],
    ["me", "file", "application/octet-stream"],
  ]);
  expect(server.blobs.get(artifacts[0]?.blob ?? "")?.toString()).toBe("# Hello");
});

test("an artifact that is none is refused, and says what it must be", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{ report: async (_, ctx) => {
      const wrong = [["", { html: "x" }], ["a", null], ["a", { pdf: "x" }], ["a", { html: "x", markdown: "y" }],
        ["a", { markdown: 5 }], ["a", { table: "x" }], ["a", { table: [1] }], ["a", { image: "x", mediaType: "image/png" }],
        ["a", { image: new Uint8Array(1) }], ["a", { file: 5 }]];
      const told = [];
      for (const [name, content] of wrong) await ctx.artifact(name, content).catch((error) => told.push(error.message));
      return told;
    } }`),
  );
  expect(await fixture.run(dispatchOf(bundle, "report"))).toEqual({
    kind: "succeeded",
    output: {
      value: [
        "artifact '' needs a name of 1 to 200 characters",
        "artifact 'a' must have one of markdown, table, image, file, html",
        "artifact 'a' must have one of markdown, table, image, file, html",
        "artifact 'a' must have one of markdown, table, image, file, html",
        "artifact 'a' holds a wrong markdown: it must be a text",
        "artifact 'a' holds a wrong table: it must be a list of objects",
        "artifact 'a' holds a wrong table: it must be a list of objects",
        "artifact 'a' holds a wrong image: it must be bytes (a Buffer or Uint8Array)",
        `artifact 'a' needs a mediaType, such as "image/png"`,
        "artifact 'a' holds a wrong file: it must be the path of a file",
      ],
    },
  });
});

test("an error keeps what caused it, and the first of those that it gathers", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(
    bundleCode(`{
      caused: () => { throw new Error("outer", { cause: new TypeError("inner", { cause: "deep" }) }); },
      gathered: () => { throw new AggregateError([new Error("first")], "many"); },
      silent: () => { throw new Error(""); },
    }`),
  );
  const run = async (node: string) => errorOf(await fixture.run(dispatchOf(bundle, node)));
  expect((await run("caused")).cause).toMatch(/^TypeError: inner\n[^]*\nCaused by: "deep"$/);
  expect((await run("gathered")).cause).toMatch(/^Error: first\n/);
  expect((await run("silent")).message).toBe("(without a message)");
});

test("a child is replaced after its number of attempts", async () => {
  await using fixture = await startFixture({ attemptsPerChildMax: 2 });
  const bundle = fixture.server.addBundle(bundleCode(`{ pid: () => process.pid }`));
  const pids: unknown[] = [];
  for (let round = 0; round < 4; round += 1) {
    const outcome = await fixture.run(dispatchOf(bundle, "pid"));
    if (outcome.kind === "succeeded" && "value" in outcome.output) pids.push(outcome.output.value);
  }
  expect(new Set(pids.slice(0, 2)).size).toBe(1);
  expect(new Set(pids).size).toBe(2);
});

test("a bundle that is unknown, corrupt or lacks a package is an infrastructure failure that says so", async () => {
  await using fixture = await startFixture();
  const { server } = fixture;
  const unknown = await fixture.run(dispatchOf("0".repeat(64), "x"));
  expect(unknown).toMatchObject({ kind: "infrastructure", error: { code: "MILLRACE_BUNDLE_UNKNOWN" } });
  const corrupt = server.addBundle(bundleCode("{}"));
  const upload = server.bundles.get(corrupt);
  if (upload) server.bundles.set(corrupt, { ...upload, code: `${upload.code}// more` });
  const changed = await fixture.run(dispatchOf(corrupt, "x"));
  expect(changed).toMatchObject({ kind: "infrastructure", error: { code: "MILLRACE_BUNDLE_CORRUPT" } });
  const platform = `${process.platform}-${process.arch}`;
  const lacking = server.addBundle(bundleCode("{}"), { externals: { "not-there": "1.2.3" }, platform });
  const outcome = await fixture.run(dispatchOf(lacking, "x"));
  expect(outcome).toMatchObject({ kind: "infrastructure", error: { code: "MILLRACE_PACKAGE_MISSING" } });
  expect(errorOf(outcome).message).toContain("not-there@1.2.3");
});

test("external packages are resolved from where they are installed", async () => {
  await using fixture = await startFixture({ workFolder: join(import.meta.dirname, "..") });
  const text = await readFile(join(import.meta.dirname, "../../../node_modules/ws/package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  const platform = `${process.platform}-${process.arch}`;
  const code = bundleCode(
    `{ version: () => typeof WebSocketServer }`,
    `import { WebSocketServer } from "ws";`,
  );
  const bundle = fixture.server.addBundle(code, { externals: { ws: version }, platform });
  expect(await fixture.run(dispatchOf(bundle, "version"))).toMatchObject({ output: { value: "function" } });
});

test("a bundle whose import throws fails the attempt with the error's text", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode("{ x: () => 1 }", `throw new Error("at import");`));
  expect(await fixture.run(dispatchOf(bundle, "x"))).toMatchObject({
    kind: "failed",
    error: { code: "MILLRACE_LOAD_FAILED", message: "at import" },
  });
});

test("a bundle that ends its process is loaded once per dispatch, not over and over", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode("{ x: () => 1 }", "process.exit(7);"));
  const good = fixture.server.addBundle(bundleCode("{ x: () => 1 }"));
  for (let round = 0; round < 2; round += 1) {
    const error = errorOf(await fixture.run(dispatchOf(bundle, "x")));
    expect(error).toMatchObject({ code: "MILLRACE_ATTEMPT_CRASHED" });
    expect(error.message).toContain("while the bundle was imported");
  }
  expect(await fixture.run(dispatchOf(good, "x"))).toMatchObject({ kind: "succeeded" });
  expect(fixture.events.filter((event) => event.kind === "child_ended").length).toBeLessThanOrEqual(4);
});

test("a bundle that was damaged on the disk is fetched anew by the next worker", async () => {
  await using first = await startFixture();
  const code = bundleCode("{ x: () => 1 }");
  const bundle = first.server.addBundle(code);
  await first.run(dispatchOf(bundle, "x"));
  await writeFile(join(first.cacheFolder, "bundles", bundle, "bundle.mjs"), "throw 1;");
  await using second = await startFixture({ cacheFolder: first.cacheFolder });
  second.server.addBundle(code);
  expect(await second.run(dispatchOf(bundle, "x"))).toMatchObject({ output: { value: 1 } });
  expect(second.server.requests.filter((line) => line.includes("/bundles/"))).toHaveLength(1);
  await using third = await startFixture({ cacheFolder: first.cacheFolder });
  expect(await third.run(dispatchOf(bundle, "x"))).toMatchObject({ output: { value: 1 } });
  expect(third.server.requests.filter((line) => line.includes("/bundles/"))).toHaveLength(0);
});

test("a node that the bundle does not have fails the attempt and is named", async () => {
  await using fixture = await startFixture();
  const bundle = fixture.server.addBundle(bundleCode("{ x: () => 1 }"));
  const error = errorOf(await fixture.run(dispatchOf(bundle, "y")));
  expect(error.code).toBe("MILLRACE_NODE_UNKNOWN");
  expect(error.message).toContain('node "y" of pipeline "p"');
});

test("a pipeline of the SDK runs as its author wrote it", async () => {
  await using fixture = await startFixture();
  const sdk = (file: string): string => pathToFileURL(join(import.meta.dirname, "../../sdk/src", file)).href;
  const bundle = fixture.server.addBundle(`
    import { pipeline, RetryAfter, Skip, task } from ${JSON.stringify(sdk("index.ts"))};
    export { loadProject } from ${JSON.stringify(sdk("internal.ts"))};
    const double = task("double", (input, ctx) => ({ twice: input.n * 2, run: ctx.run.pipeline }));
    const later = task("later", () => { throw new RetryAfter("2s", "busy"); });
    const skip = task("skip", () => { throw new Skip("nothing new"); });
    const p = pipeline("p", () => { double({ n: 1 }); later(); skip(); });
    export const modules = async () => ({ "pipelines/p.ts": { p } });
    export const settings = { project: "test", pools: {}, queues: [] };
  `);
  const doubled = await fixture.run(dispatchOf(bundle, "double", { input: { value: { n: 4 } } }));
  expect(doubled).toEqual({ kind: "succeeded", output: { value: { twice: 8, run: "p" } } });
  const later = errorOf(await fixture.run(dispatchOf(bundle, "later")));
  expect(later).toMatchObject({
    name: "RetryAfter",
    message: "busy",
    next: "retry_after",
    retryAfterMs: 2_000,
  });
  expect(await fixture.run(dispatchOf(bundle, "skip"))).toEqual({ kind: "skipped", reason: "nothing new" });
});
