/** Probes in a testbed: the test says what they see. */
import { on, pipeline, probe, task, wait } from "@millrace/sdk";
import { expect, test } from "vitest";
import { testbed } from "../src/index.ts";

const report = probe("report", { every: "1m" }, ({ day }: { day: string }): { size: number } | null =>
  day === "" ? { size: 0 } : null,
);
const price = probe("price", { every: "1m", fingerprint: ({ price: now }) => now }, () => ({
  price: 1,
  at: 1,
}));
const size = task("size", (input: { size: number }) => input.size);
const publish = pipeline("publish", () => {
  const there = wait(on.probe(report, { day: "mon" }));
  return size({ size: there.members.probe[0]!.data.value.size });
});
const follow = task("follow", async (input: { times: number }, ctx) => {
  const sizes: number[] = [];
  for (let time = 0; time < input.times; time += 1) {
    const there = await ctx.waitFor(on.probe(report, { day: "mon" }), { name: "there" });
    sizes.push(there.members.probe[0]!.data.value.size);
  }
  return sizes;
});
const followed = pipeline("followed", () => follow({ times: 2 }));
const changed = pipeline("changed", { on: on.probe(price) }, () => size({ size: 1 }));
const given = { report, price, publish, followed, changed };

test("a wait goes on when its probe sees something of its arguments", async () => {
  const t = await testbed(given);
  const run = await t.start(publish);
  await t.probe(report, { day: "tue" }).sees({ size: 1 });
  await t.probe(report, { day: "mon" }).sees(null);
  expect(run.state).toBe("waiting");
  await t.probe(report, { day: "mon" }).sees({ size: 5 });
  expect(run).toMatchObject({ state: "succeeded", output: 5 });
});

test("C9: what is there when a run begins counts once; a loop in code waits for what is new", async () => {
  const t = await testbed(given);
  await t.probe(report, { day: "mon" }).sees({ size: 5 });
  await t.advance("1h");
  const run = await t.start(followed);
  expect(run.state).toBe("waiting");
  await t.probe(report, { day: "mon" }).sees({ size: 5 });
  expect(run.state).toBe("waiting");
  await t.probe(report, { day: "mon" }).sees({ size: 6 });
  expect(run).toMatchObject({ state: "succeeded", output: [5, 6] });
});

test("a trigger fires once for each fingerprint, and no wait's beginning fires it", async () => {
  const t = await testbed(given);
  await t.probe(price).sees({ price: 7, at: 1 });
  await t.probe(price).sees({ price: 7, at: 2 });
  await t.probe(price).fails("no such host");
  await t.probe(price).sees({ price: 8, at: 3 });
  expect(t.runsOf(changed).length).toBe(2);
  expect(t.events.map(({ type }) => type).filter((type) => type.startsWith("millrace.probe."))).toEqual([
    "millrace.probe.changed",
    "millrace.probe.failed",
    "millrace.probe.recovered",
    "millrace.probe.changed",
  ]);
});

test("a probe that the testbed was not given is an error", async () => {
  const t = await testbed({ report, publish });
  expect(() => t.probe(price)).toThrow('no probe "price"');
  await expect(testbed([publish])).rejects.toThrow("which no included file exports");
});

test("what no probe could return is refused, with its path", async () => {
  const t = await testbed(given);
  await expect(t.probe(report, { day: "mon" }).sees({ size: new Map() as never })).rejects.toMatchObject({
    code: "MILLRACE_VALUE_NOT_JSON",
    message: expect.stringContaining("$.size is an instance of Map") as string,
  });
});
