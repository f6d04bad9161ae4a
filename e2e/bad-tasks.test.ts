/** Tasks that misbehave: each gives a clear error or simply works, and the server and the worker live on. */
import type { AttemptView, LogEntry, Page, RunDetail, TaskRunView } from "@millrace/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AnswerWatch } from "./harness/answer-watch.ts";
import type { Api } from "./harness/api.ts";
import type { Command } from "./harness/command.ts";
import { isAlive, treeOf } from "./harness/process-tree.ts";
import { isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const answerMs = 1_000;
const endMs = 60_000;

let stack: Stack;
let server: Command;
let worker: Command;
let api: Api;
let watch: AnswerWatch;

beforeAll(async () => {
  stack = await Stack.make();
  ({ command: server, api } = await stack.server());
  worker = await stack.worker({ url: api.url, slots: 3, memoryMb: 128 });
  await stack.worker({ url: api.url, slots: 1, queues: "roomy" });
  await stack.deploy(api);
  watch = new AnswerWatch(api, server.pid);
});

afterAll(async () => {
  await watch.stop();
  await stack[Symbol.asyncDispose]();
});

interface Outcome {
  readonly detail: RunDetail;
  readonly node: TaskRunView;
  readonly error: NonNullable<AttemptView["error"]> | undefined;
}

/** Runs the pipeline to its end, and shows that the server answered all the while and the next run works. */
async function outcomeOf(pipeline: string, ms = endMs): Promise<Outcome> {
  watch.slowestMs = 0;
  const id = await api.start(pipeline);
  const detail = await api.ended(id, ms);
  expect(watch.slowestMs).toBeLessThan(answerMs);
  const node = detail.nodes.find((one) => one.id === "task");
  if (!node) throw new Error(`run ${id} has no node "task"`);
  const next = await api.ended(await api.start("works-well"), endMs);
  expect(next.run.state).toBe("succeeded");
  expect([server.isAlive, worker.isAlive]).toEqual([true, true]);
  return { detail, node, error: node.attempts.at(-1)?.error };
}

async function logOf(id: string): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined;) {
    const more: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page: Page<LogEntry> = await api.send("GET", `/runs/${id}/logs?limit=1000${more}`);
    entries.push(...page.items);
    cursor = page.nextCursor;
  }
  return entries;
}

describe("a task that", () => {
  const [pipeline, megabytes] = isLong ? ["prints-very-much", 1_024] : ["prints-much", 40];
  test(
    `prints ${megabytes} MB works; its log is cut, with a visible mark`,
    { timeout: 240_000 },
    async () => {
      const { detail, node } = await outcomeOf(pipeline, 200_000);
      expect(node.output).toBe("printed");
      const log = await logOf(detail.run.id);
      const bytes = log.reduce((sum, { text }) => sum + text.length, 0);
      expect(bytes).toBeGreaterThan(1024 * 1024);
      expect(bytes).toBeLessThan(16 * 1024 * 1024);
      expect(
        log
          .filter(({ stream }) => stream === "system")
          .map(({ text }) => text)
          .join("\n"),
      ).toMatch(/dropped|left out|cut/);
    },
  );

  test("returns 50 MB works, and the next task reads them", { timeout: 120_000 }, async () => {
    const { detail, node } = await outcomeOf("returns-much");
    expect(detail.run.state).toBe("succeeded");
    expect(node.outputBlob?.bytes).toBe(50 * 1024 * 1024 + 2);
    expect(detail.nodes.find(({ id }) => id === "measure")?.output).toBe(50 * 1024 * 1024);
  });

  test("returns more than the bound fails with the bound", { timeout: 120_000 }, async () => {
    const { error } = await outcomeOf("returns-too-much");
    expect(error?.code).toBe("MILLRACE_OUTPUT_TOO_LARGE");
  });

  test("returns a BigInt fails with its path", async () => {
    const { error } = await outcomeOf("returns-bigint");
    expect(error?.code).toBe("MILLRACE_VALUE_NOT_JSON");
    expect(error?.message).toContain("rows[1].count");
  });

  test("forks a process works, and the process ends with it", async () => {
    const { detail, node } = await outcomeOf("forks");
    expect(detail.run.state).toBe("succeeded");
    await until("the forked process is gone", 20_000, () => !isAlive(Number(node.output)));
  });

  test("ignores its signal and SIGTERM is killed at its timeout", async () => {
    const { error } = await outcomeOf("ignores-signals");
    expect(error?.code).toBe("MILLRACE_ATTEMPT_TIMEOUT");
    expect(await stillRunning("ignores-signals")).toEqual([]);
  });

  test("blocks its event loop is killed at its timeout, and the worker's heartbeats go on", async () => {
    const { error } = await outcomeOf("blocks");
    expect(error?.code).toBe("MILLRACE_ATTEMPT_TIMEOUT");
    expect(await stillRunning("blocks")).toEqual([]);
    expect(worker.events.filter(({ event }) => event === "disconnected")).toEqual([]);
  });

  test("exits its process fails as crashed, with the exit code", async () => {
    const { error } = await outcomeOf("exits");
    expect(error?.code).toBe("MILLRACE_ATTEMPT_CRASHED");
    expect(error?.message).toContain("3");
  });

  test("throws what is no error fails with what it threw", async () => {
    const { error } = await outcomeOf("throws-no-error");
    expect(error?.message).toContain("42");
  });

  test("allocates without end fails for want of memory", { timeout: 120_000 }, async () => {
    const { error } = await outcomeOf("allocates");
    expect(error?.code).toBe("MILLRACE_ATTEMPT_OUT_OF_MEMORY");
  });

  test("allocates without end outside of V8's heap is killed, too", { timeout: 120_000 }, async () => {
    const { error } = await outcomeOf("allocates-outside");
    expect(error?.code).toBe("MILLRACE_ATTEMPT_OUT_OF_MEMORY");
  });

  test("leaves a timer running works", async () => {
    const { node } = await outcomeOf("leaves-timer");
    expect(node.output).toBe("left a timer");
  });

  test("leaves a rejection unheard gives a clear outcome", async () => {
    const { node, error } = await outcomeOf("rejects-unheard");
    expect(node.state === "succeeded" || error?.message.includes("nobody listens")).toBe(true);
  });
});

/** Processes below the worker that began an attempt of this pipeline and live. */
async function stillRunning(pipeline: string): Promise<number[]> {
  const began = new Set(stack.ledger().flatMap((line) => (line.pipeline === pipeline ? [line.pid] : [])));
  expect(began.size).toBeGreaterThan(0);
  return treeOf(worker.pid).filter((pid) => began.has(pid) && isAlive(pid));
}
