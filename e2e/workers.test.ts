/** Workers that go away and come back: nothing runs twice that need not, and late answers change nothing. */
import { describe, expect, test } from "vitest";
import type { LedgerLine } from "./harness/ledger.ts";
import { isAlive, treeOf } from "./harness/process-tree.ts";
import { Proxy } from "./harness/proxy.ts";
import { isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const long = { timeout: 120_000 };

async function startOf(stack: Stack, node: string, count = 1): Promise<LedgerLine> {
  return until(`start ${count} of ${node}`, 60_000, () => {
    return stack.ledger().filter((line) => line.node === node && line.event === "start")[count - 1];
  });
}

function linesOf(stack: Stack, node: string): string[] {
  return stack.ledger().flatMap((line) => (line.node === node ? [`${line.event} ${line.dispatch}`] : []));
}

describe("a worker that", () => {
  test("reconnects within its lease goes on, without a second run", long, async () => {
    await using stack = await Stack.make();
    const { api } = await stack.server();
    await stack.deploy(api);
    await using proxy = await Proxy.to({ host: "127.0.0.1", port: Number(new URL(api.url).port) });
    const worker = await stack.worker({ url: `http://127.0.0.1:${proxy.port}` });
    const id = await api.start("lasting");
    await startOf(stack, "long");
    proxy.cut();
    await worker.event("disconnected");
    proxy.open();
    expect((await api.ended(id, 60_000)).run.state).toBe("succeeded");
    expect(linesOf(stack, "long")).toEqual(["start 1", "end 1"]);
  });

  test(
    "is frozen past its lease loses its work to another, and its late answer changes nothing",
    long,
    async () => {
      await using stack = await Stack.make();
      const { api } = await stack.server();
      await stack.deploy(api);
      const frozen = await stack.worker({ url: api.url });
      const id = await api.start("lasting");
      await startOf(stack, "long");
      // The children go on and answer a worker that does not hear.
      frozen.signal("SIGSTOP");
      await stack.worker({ url: api.url });
      const detail = await api.ended(id, 60_000);
      expect(detail.run.state).toBe("succeeded");
      frozen.signal("SIGCONT");
      await until("the worker is back", 60_000, () => {
        return frozen.events.filter(({ event }) => event === "connected").length > 1;
      });
      expect(await api.run(id)).toEqual(detail);
      const [row] = await stack.query<{ dispatch: number; state: string }>(
        `select dispatch, state from task_run_history where run_id = '${id}' and node = 'long'`,
      );
      expect(row).toEqual({ dispatch: 2, state: "succeeded" });
      expect(linesOf(stack, "long").filter((line) => line.endsWith("2"))).toEqual(["start 2", "end 2"]);
      const keys = stack.ledger().filter(({ node }) => node === "long");
      expect(new Set(keys.map(({ key }) => key)).size).toBe(1);
    },
  );

  test.skipIf(!isLong)(
    "is killed leaves no process behind, and its work goes to another that drains when asked [long]",
    long,
    async () => {
      await using stack = await Stack.make();
      const { api } = await stack.server();
      await stack.deploy(api);
      const first = await stack.worker({ url: api.url });
      const id = await api.start("lasting");
      await startOf(stack, "long");
      const below = treeOf(first.pid).slice(1);
      expect(below.length).toBeGreaterThan(0);
      await first.kill();
      await until("the killed worker's processes are gone", 10_000, () => !below.some((pid) => isAlive(pid)));
      const second = await stack.worker({ url: api.url });
      await startOf(stack, "long", 2);
      const ended = await second.stop(60_000);
      expect(ended.code).toBe(0);
      // What it ran when it was asked to drain was finished, and nothing new begun.
      expect(linesOf(stack, "long").at(-1)).toBe("end 2");
      await stack.worker({ url: api.url });
      expect((await api.ended(id, 60_000)).run.state).toBe("succeeded");
    },
  );
});
