/** Waits of one name: each event ends one of them, also where several came at once. */
import { on, pipeline, task } from "@millrace/sdk";
import { expect, test } from "vitest";
import { testbed } from "../src/index.ts";

const listen = task("listen", async (_input: object, ctx) => {
  const heard: unknown[] = [];
  for (let count = 0; count < 3; count += 1) {
    const firing = await ctx.waitFor(on.event<{ n: number }>("counted"), { name: "next", timeout: "1h" });
    heard.push(firing?.members["counted"]![0]!.data.n ?? "silence");
  }
  return heard;
});
const listening = pipeline("listening", () => listen({}));

test("a loop of waits hears events that come at once, one after the other", async () => {
  const t = await testbed({ listening });
  const run = await t.start(listening);
  await t.emit([1, 2, 3, 4].map((n) => ({ type: "counted", data: { n } })));
  expect(run.output).toEqual([1, 2, 3]);
});

test("a wait whose time is over leaves what comes later to the next one", async () => {
  const t = await testbed({ listening });
  const run = await t.start(listening);
  await t.emit({ type: "counted", data: { n: 1 } });
  await t.advance("1h");
  await t.emit([2, 3].map((n) => ({ type: "counted", data: { n } })));
  expect(run.output).toEqual([1, "silence", 2]);
});
