/** The example of probes, for real: files appear, and what waits for them goes on. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SharedServer } from "./shared-server.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-probes-"));
let server: SharedServer;

beforeAll(async () => {
  server = await SharedServer.start("probes", { PROBES_FOLDER: folder });
}, 120_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const waitMs = { timeout: 30_000, interval: 100 };

async function millrace(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.millrace("probes", args);
  expect(code, stderr).toBe(0);
  return stdout;
}

interface Probe {
  readonly probe: string;
  readonly args: { readonly day?: string } | null;
  readonly state: string;
  readonly looks: number;
  readonly failures: number;
  readonly waiting: number;
  readonly error?: { readonly message: string };
}

async function probeOf(probe: string, day?: string): Promise<Probe | undefined> {
  const { probes } = JSON.parse(await millrace("probes", "--json")) as { probes: Probe[] };
  return probes.find((one) => one.probe === probe && one.args?.day === day);
}

interface Listed {
  readonly runs: readonly { readonly id: string; readonly pipeline: string; readonly state: string }[];
}

async function runsOf(pipeline: string, state: string): Promise<Listed["runs"]> {
  const text = await millrace("runs", "--pipeline", pipeline, "--limit", "100", "--json");
  return (JSON.parse(text) as Listed).runs.filter((run) => run.state === state);
}

async function outputOf(id: string, node: string): Promise<unknown> {
  const { nodes } = JSON.parse(await millrace("show", id, "--json")) as {
    nodes: { id: string; output: unknown }[];
  };
  return nodes.find((one) => one.id === node)!.output;
}

interface Emitted {
  readonly events: readonly { readonly type: string; readonly subject?: string; readonly data: unknown }[];
}

async function events(type: string): Promise<Emitted["events"]> {
  return (JSON.parse(await millrace("events", "--type", type, "--json")) as Emitted).events;
}

test("a file that appears lets the run go on, in a graph and in code; then nobody looks any more", async () => {
  await millrace("run", "publish-day", "-p", "day=mon", "--detach");
  await millrace("run", "follow-day", "-p", "day=mon", "--detach");
  await expect.poll(async () => (await probeOf("report", "mon"))?.waiting, waitMs).toBe(2);
  writeFileSync(join(folder, "mon.csv"), "12345");
  await expect.poll(async () => (await runsOf("publish-day", "succeeded")).length, waitMs).toBe(1);
  await expect.poll(async () => (await runsOf("follow-day", "succeeded")).length, waitMs).toBe(1);
  const [run] = await runsOf("publish-day", "succeeded");
  expect(await outputOf(run!.id, "publish")).toBe("mon: 5 bytes");
  await expect.poll(async () => (await probeOf("report", "mon"))?.state, waitMs).toBe("resting");
  const logs = await millrace("probes", "logs", "report", "--args", '{"day":"mon"}');
  expect(logs).toContain('the report is there {"size":5}');
  // What is there when a run begins to wait counts, though it is no change.
  const changes = (await events("millrace.probe.changed")).length;
  await millrace("run", "publish-day", "-p", "day=mon");
  expect((await events("millrace.probe.changed")).length).toBe(changes);
}, 120_000);

test("fifty tasks that wait for one thing cost one look at a time", async () => {
  const began = Date.now();
  await millrace("run", "follow-many", "-p", "day=tue", "--detach");
  await expect.poll(async () => (await probeOf("report", "tue"))?.waiting, waitMs).toBe(50);
  await expect.poll(async () => (await probeOf("report", "tue"))?.looks, waitMs).toBeGreaterThan(3);
  const { looks } = (await probeOf("report", "tue"))!;
  expect(looks).toBeLessThanOrEqual((Date.now() - began) / 200 + 1);
  writeFileSync(join(folder, "tue.csv"), "1");
  await expect.poll(async () => (await runsOf("follow-many", "succeeded")).length, waitMs).toBe(1);
  await expect.poll(async () => (await probeOf("report", "tue"))?.state, waitMs).toBe("resting");
}, 120_000);

test("a probe that fails says why and backs off; a change starts one run, and an equal fingerprint none", async () => {
  await expect.poll(async () => (await probeOf("price"))?.failures, waitMs).toBeGreaterThan(2);
  expect((await probeOf("price"))!.error!.message).toContain("ENOENT");
  expect((await events("millrace.probe.failed")).length).toBeGreaterThan(1);
  const path = join(folder, "price.json");
  writeFileSync(path, JSON.stringify({ price: 7, at: "one" }));
  await expect.poll(async () => (await runsOf("price-changed", "succeeded")).length, waitMs).toBe(1);
  expect((await events("millrace.probe.recovered")).length).toBe(1);
  writeFileSync(path, JSON.stringify({ price: 7, at: "two" }));
  utimesSync(path, new Date(), new Date());
  const { looks } = (await probeOf("price"))!;
  await expect.poll(async () => (await probeOf("price"))?.looks, waitMs).toBeGreaterThan(looks + 2);
  writeFileSync(path, JSON.stringify({ price: 8, at: "two" }));
  await expect.poll(async () => (await runsOf("price-changed", "succeeded")).length, waitMs).toBe(2);
}, 120_000);
