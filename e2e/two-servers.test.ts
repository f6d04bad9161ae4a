/** Several server processes on one database: they share the shards, and take over from each other. */
import { describe, expect, test } from "vitest";
import { waitedForProcessorMs } from "./harness/answer-watch.ts";
import { byTaskRun } from "./harness/ledger.ts";
import { Proxy } from "./harness/proxy.ts";
import { Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const shardCount = 64;
const longTest = 120_000;

/** How many shards each living node holds. */
async function shardsByNode(stack: Stack): Promise<number[]> {
  const rows = await stack.query<{ shards: number }>(
    "select count(*)::integer as shards from shard join node on node.id = node_id where not fenced group by node_id",
  );
  return rows.map(({ shards }) => shards);
}

async function shared(stack: Stack): Promise<void> {
  await until("two servers share the shards", 20_000, async () => {
    const held = await shardsByNode(stack);
    return held.length === 2 && held.reduce((sum, one) => sum + one, 0) === shardCount;
  });
}

describe("two servers on one database", () => {
  test("share the shards, and runs of both end on the one worker", { timeout: longTest }, async () => {
    await using stack = await Stack.make();
    await stack.startPostgres();
    const [one, two] = [await stack.server(), await stack.server()];
    await stack.worker({ url: one.api.url });
    await stack.deploy(one.api);
    await shared(stack);
    const started = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? one : two).api.start("chain")),
    );
    for (const id of started) {
      // Either server answers for every run.
      expect((await two.api.ended(id, 60_000)).run.state).toBe("succeeded");
      expect((await one.api.run(id)).run.state).toBe("succeeded");
    }
  });

  test(
    "the other one takes over from one that was killed, with nothing lost and nothing doubled",
    { timeout: longTest },
    async () => {
      await using stack = await Stack.make();
      await stack.startPostgres();
      const [one, two] = [await stack.server(), await stack.server()];
      await stack.worker({ url: two.api.url });
      await stack.deploy(one.api);
      await shared(stack);
      const started = await Promise.all(
        Array.from({ length: 80 }, (_, index) => (index % 2 === 0 ? one : two).api.start("chain")),
      );
      const ofOne = new Set(started.filter((_, index) => index % 2 === 0));
      await until("runs of both are under way", 10_000, () =>
        stack.ledger().some(({ run }) => ofOne.has(run)),
      );
      await one.command.kill();
      const killedAt = performance.now();
      for (const id of started) expect((await two.api.ended(id, 25_000)).run.state).toBe("succeeded");
      await until(
        "the other one holds all shards",
        25_000,
        async () => (await shardsByNode(stack)).join() === "64",
      );
      expect(performance.now() - killedAt).toBeLessThan(20_000);
      const tasks = byTaskRun(stack.ledger().filter(({ event }) => event === "start"));
      expect(tasks.size).toBe(80 * 4);
      // The worker lived all the while: what it ran for the killed server it ran once.
      expect([...tasks.values()].filter((starts) => starts.length !== 1)).toEqual([]);
      expect(await stack.query("select run_id from task_run union all select id from run")).toEqual([]);
    },
  );

  test("one that is stopped hands over at once", { timeout: longTest }, async () => {
    await using stack = await Stack.make();
    await stack.startPostgres();
    const [one, two] = [await stack.server(), await stack.server()];
    await stack.worker({ url: two.api.url });
    await stack.deploy(one.api);
    await shared(stack);
    const started = await Promise.all(Array.from({ length: 12 }, () => one.api.start("lasting")));
    await until("runs are under way", 10_000, () => stack.ledger().length >= 4);
    const pids = [two.command.pid, process.pid];
    const waitedMs = (): number => pids.reduce((sum, pid) => sum + waitedForProcessorMs(pid), 0);
    const [askedAt, waitedBefore] = [performance.now(), waitedMs()];
    const stopping = one.command.stop();
    await until(
      "the other one holds all shards",
      20_000,
      async () => (await shardsByNode(stack))[0] === shardCount,
    );
    // Other programs' load is not judged.
    expect(performance.now() - askedAt - (waitedMs() - waitedBefore)).toBeLessThan(3_000);
    expect((await stopping).code).toBe(0);
    for (const id of started) expect((await two.api.ended(id, 60_000)).run.state).toBe("succeeded");
    for (const lines of byTaskRun(stack.ledger()).values())
      expect(lines.map(({ event }) => event)).toEqual(["start", "end"]);
  });

  test(
    "one that loses its database while tasks end repeats none of them, and their worker can go",
    { timeout: longTest },
    async () => {
      await using stack = await Stack.make();
      await stack.startPostgres();
      await using proxy = await Proxy.to({ path: `${stack.socketFolder}/.s.PGSQL.5432` });
      const [one, two] = [
        await stack.server({ environment: { DATABASE_URL: stack.databaseUrlAt("127.0.0.1", proxy.port) } }),
        await stack.server(),
      ];
      const worker = await stack.worker({ url: one.api.url, slots: 16 });
      await stack.deploy(one.api);
      await shared(stack);
      const started = await Promise.all(
        Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? one : two).api.start("lasting")),
      );
      const count = (event: string): number =>
        stack.ledger().filter((line) => line.node === "long" && line.event === event).length;
      await until("all tasks run", 20_000, () => count("start") === 12);
      proxy.cut();
      await until("all tasks have ended", 20_000, () => count("end") === 12);
      await until("a result could not be left for the other", 20_000, () =>
        one.command.said.includes("a result could not be forwarded"),
      );
      proxy.open();
      for (const id of started) expect((await two.api.ended(id, 60_000)).run.state).toBe("succeeded");
      const starts = byTaskRun(stack.ledger().filter(({ event }) => event === "start"));
      expect([...starts.values()].filter((lines) => lines.length !== 1)).toEqual([]);
      expect((await worker.stop()).code).toBe(0);
    },
  );
});
