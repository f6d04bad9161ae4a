import { expect, test } from "vitest";
import { causeOf } from "../../src/event/cause.ts";
import { taskSource, type Json } from "../../src/index.ts";

const run = "r01qz1n3k1pw1et51";

test.each<[string, string, string, Json, object | undefined]>([
  [
    "of a task",
    taskSource("la", "emit-a"),
    `${run}/g1/loop.b/1`,
    null,
    { run, pipeline: "la", node: "emit-a" },
  ],
  [
    "of an item's step",
    taskSource("a/b", "é"),
    `${run}/3/g2/s.1/t/1`,
    null,
    { run, pipeline: "a/b", node: "é" },
  ],
  ["of a task that gave an id", taskSource("la", "n"), "day-7", null, { pipeline: "la", node: "n" }],
  ["of a source that is written wrongly", "/pipelines/%zz/n", "1", null, { pipeline: "%zz", node: "n" }],
  ["of a run's end", "millrace", `run/${run}/g1/failed`, { run, pipeline: "p" }, { run, pipeline: "p" }],
  [
    "of an asset's update",
    "millrace",
    "asset x",
    { asset: "a", run: { id: run, pipeline: "p", node: "n", item: "", generation: 1 } },
    { run, pipeline: "p", node: "n" },
  ],
  ["of a trigger", "millrace", "outbox/1", { trigger: {} }, undefined],
  ["from outside", "/shop", `${run}/g1/t/1`, { run }, undefined],
  ["from elsewhere below", "/pipelines/p", "1", null, undefined],
])("an event %s says what it comes of", (_what, source, id, value, cause) => {
  expect(causeOf({ source, id, data: { value } })).toEqual(cause);
});
