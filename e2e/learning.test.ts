/** The page of the documentation that leads to a hybrid pipeline: each of its files is saved, each command entered, in their order. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RunSummary } from "@millrace/protocol";
import { expect, test } from "vitest";
import { Lesson, lessonSteps } from "./harness/lesson.ts";
import { Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const page = "docs/learning/first-hybrid-pipeline.md";
const patienceMs = 30_000;
const pictureBytesMax = 200_000;

test("the page leads to a hybrid pipeline with a wait, an asset and a retry", async () => {
  await using stack = await Stack.make();
  const lesson = new Lesson(stack);
  const steps = lessonSteps(page);
  expect(steps.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["file", "part", "command", "picture"]),
  );
  const runs = (pipeline: string): Promise<RunSummary[]> => lesson.api.runs(`pipeline=${pipeline}`);
  for (const step of steps) {
    if (step.kind === "picture") {
      const path = join(import.meta.dirname, "..", step.file);
      expect(existsSync(path), step.file).toBe(true);
      expect(statSync(path).size).toBeLessThan(pictureBytesMax);
    }
    await lesson.play(step);
  }
  // What the page says of it: files started batches, one by hand; the last briefing waited, and was tried again.
  await until("two batches", patienceMs, async () => (await runs("hello")).length >= 4);
  const last = await until("the briefing's end", patienceMs, async () => {
    const found = (await runs("briefing")).filter(({ state }) => state === "succeeded");
    return (
      found.length >= 3 && (await runs("briefing")).every(({ state }) => state === "succeeded") && found[0]
    );
  });
  const { nodes } = await lesson.api.run(last.id);
  expect(nodes.map(({ id, state }) => [id, state])).toEqual([
    ["compose", "succeeded"],
    ["agreed", "succeeded"],
    ["print", "succeeded"],
  ]);
  expect(nodes[2]?.attempts).toMatchObject([{ state: "failed" }, { state: "succeeded" }]);
  const { items } = await lesson.api.send<{ items: { asset: string; direction: string }[] }>(
    "GET",
    `/runs/${last.id}/assets`,
  );
  expect(items).toContainEqual(expect.objectContaining({ asset: "weather/brief", direction: "write" }));
}, 120_000);
