/** The pipelines of `assets` on a real server: what is told comes out by `millrace assets` and `millrace show`. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SharedServer, type Ended } from "./shared-server.ts";

const timeoutMs = 60_000;
let server: SharedServer;

beforeAll(async () => {
  server = await SharedServer.start("assets");
}, 120_000);

afterAll(async () => server.stop());

function millrace(...args: readonly string[]): Promise<Ended> {
  return server.millrace("assets", args);
}

async function told(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await millrace(...args);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
}

/** The newest run of a pipeline, once it has succeeded. */
async function runOf(pipeline: string, label = ""): Promise<string> {
  for (;;) {
    const options = label === "" ? [] : ["--label", label];
    const text = await told("runs", "--pipeline", pipeline, ...options, "--json");
    const [run] = (JSON.parse(text) as { runs: readonly { id: string; state: string }[] }).runs;
    if (run?.state === "succeeded") return run.id;
    expect(["queued", "running", undefined]).toContain(run?.state);
  }
}

describe("what is told of assets", () => {
  test(
    "an asset says what it is made of and waits for its first update",
    async () => {
      const list = await told("assets");
      expect(list).toMatch(/○ no update +crm\/customers +0 partitions/);
      expect(list).toMatch(
        /○ never +mart\/orders_daily .*0 partitions, \d+ missing .*← lake\/orders, ref\/prices/,
      );
      const show = await told("assets", "show", "ref/prices");
      expect(show).toMatch(/freshness +at most 7d 0h old: never/);
      expect(show).toMatch(/goes into +mart\/orders_daily/);
      expect(show).toMatch(/written by +price-list\/load-prices/);
      expect(show).toMatch(/read by +orders-daily\/summarise/);
    },
    timeoutMs,
  );

  test(
    "a success updates what its task declares, unless it says that nothing changed",
    async () => {
      const updates = async (): Promise<number> =>
        (JSON.parse(await told("assets", "show", "ref/prices", "--json")) as { updates: number }).updates;
      await told("run", "price-list");
      expect(await updates()).toBe(1);
      expect(await told("assets")).toMatch(/● fresh +ref\/prices +just now by run r/);
      await told("run", "price-list", "-p", "changed=false");
      expect(await updates()).toBe(1);
    },
    timeoutMs,
  );

  test(
    "an update from elsewhere starts who listens, and its run tells what it read and wrote",
    async () => {
      const first = await told(
        "assets",
        "update",
        "lake/orders",
        "--partition",
        "2026-01-02",
        "--id",
        "load-7",
      );
      expect(first).toMatch(/^Recorded for lake\/orders at position \d+\.\n$/);
      const again = await told(
        "assets",
        "update",
        "lake/orders",
        "--partition",
        "2026-01-02",
        "--id",
        "load-7",
      );
      expect(again).toMatch(/^That was told of lake\/orders before/);
      const run = await runOf("orders-daily", "millrace.partition=2026-01-02");
      const show = await told("show", run);
      expect(show).toMatch(
        /← read +lake\/orders +2026-01-02 +summarise +\/cli lake\/orders load-7, position \d+/,
      );
      expect(show).toMatch(/← read +ref\/prices +whole +summarise/);
      expect(show).toMatch(
        /→ wrote +mart\/orders_daily +2026-01-02 +summarise +orders-2026-01-02, position \d+/,
      );
      expect(show).toMatch(/→ wrote +mart\/sales +day=2026-01-02\/region=eu, day=2026-01-02\/region=us/);
      const report = await told("assets", "show", "mart/orders_daily");
      expect(report).toMatch(
        /○ 2026-01-01 +missing\n +● 2026-01-02\n +○ 2026-01-03 … \d{4}-\d\d-\d\d +missing/,
      );
      expect(report).toMatch(
        new RegExp(`2026-01-02 +by run ${run} orders-daily/summarise +orders-2026-01-02 +rows=10`),
      );
      const one = await told("assets", "show", "mart/orders_daily", "--partition", "2026-01-02");
      expect(one).toMatch(/version +orders-2026-01-02/);
      expect(await told("assets", "show", "crm/customers")).toMatch(/○ acme +missing/);
      expect(await told("assets", "show", "lake/orders")).toMatch(/starts +orders-daily/);
    },
    timeoutMs,
  );

  test(
    "what does not fit is kept and shown, and a name that nobody declares is refused with the nearest",
    async () => {
      const slip = await millrace("assets", "update", "lake/orders", "--partition", "2026-02-30");
      expect([slip.code, slip.stderr]).toEqual([
        2,
        expect.stringContaining(
          'Nothing was told of the asset `lake/orders`: it has no partition "2026-02-30"',
        ),
      ]);
      const data = JSON.stringify({ kind: "observed", partition: "2026-02-30" });
      const misfit = await millrace(
        "emit",
        "millrace.asset.updated",
        "--subject",
        "lake/orders",
        "--data",
        data,
      );
      expect([misfit.code, misfit.stderr]).toEqual([1, expect.stringContaining("it fires nothing")]);
      expect(await told("assets")).toMatch(/! 1 rejected +lake\/orders /);
      expect(await told("assets", "show", "lake/orders")).toMatch(/1 update did not fit and started nothing/);
      const unknown = await millrace("assets", "update", "lake/order");
      expect([unknown.code, unknown.stderr]).toEqual([
        2,
        expect.stringContaining('Did you mean "lake/orders"?'),
      ]);
      const show = await millrace("assets", "show", "mart/order_daily");
      expect([show.code, show.stderr]).toEqual([2, expect.stringContaining("MILLRACE_ASSET_UNKNOWN")]);
      const key = await millrace("assets", "show", "lake/orders", "--partition", "2026-1-1");
      expect([key.code, key.stderr]).toEqual([2, expect.stringContaining("MILLRACE_PARTITION_UNKNOWN")]);
      const metadata = await millrace("assets", "update", "lake/orders", "--metadata", "{");
      expect([metadata.code, metadata.stderr]).toEqual([
        2,
        expect.stringContaining("`--metadata` is not JSON"),
      ]);
    },
    timeoutMs,
  );

  test(
    "keys of dynamic partitions become known, and what is stale is listed alone",
    async () => {
      expect(await told("assets", "add-partition", "crm/customers", "globex")).toMatch(/^Recorded for crm/);
      expect(await told("assets", "add-partition", "crm/customers", "globex")).toMatch(/^That was told/);
      expect(await told("assets", "show", "crm/customers")).toMatch(/○ acme … globex +missing +\(2\)/);
      expect(await told("assets", "--stale")).toBe("None is stale. Those without `freshness` are never.\n");
      const list = JSON.parse(await told("assets", "--json")) as { assets: readonly { name: string }[] };
      expect(list.assets.map(({ name }) => name)).toEqual([
        "crm/customers",
        "lake/orders",
        "mart/orders_daily",
        "mart/sales",
        "ref/prices",
      ]);
    },
    timeoutMs,
  );
});
