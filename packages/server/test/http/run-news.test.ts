/** Ends of runs that conditions ask for: told in the log, and they start runs. */
import type { Condition, Json } from "@millrace/core";
import type { EventView } from "@millrace/protocol";
import { expect, test } from "vitest";
import { node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";
import { stageWith, triggered } from "./trigger-stage.ts";

function finished(type: string, subject: string): Condition {
  return {
    kind: "event",
    name: "ends",
    type: `millrace.${type}`,
    where: { op: "eq", path: ["subject"], value: subject },
  };
}

async function told(fixture: ServerFixture): Promise<string[]> {
  const { items } = (await fixture.call("GET", "/events?source=millrace&limit=1000")).body;
  return items
    .toReversed()
    .map(({ event }: EventView) => `${event.type} ${event.subject}`)
    .filter((text: string) => /^millrace\.(run|node)\./.test(text));
}

test("a run starts when another has succeeded, and sees what ended", async () => {
  const stage = await stageWith(
    pipeline("load", [node("a")]),
    triggered("after", finished("run.succeeded", "load")),
  );
  const run = await stage.fixture.start("load", { labels: { team: "data" } });
  await stage.given(2);
  expect(stage.seen[1]?.members["ends"]).toMatchObject([
    {
      type: "millrace.run.succeeded",
      subject: "load",
      data: { run: run.id, pipeline: "load", generation: 1, state: "succeeded", labels: { team: "data" } },
    },
  ]);
});

test("only what conditions ask for is told: of which pipelines, of which nodes, and from the deploy on", async () => {
  await using fixture = await startFixture();
  await fixture.worker({ answer: () => succeeded(null) });
  const chain = (name: string) => pipeline(name, [node("a"), node("b", { after: [{ node: "a" }] })]);
  const deploy = async (...conditions: readonly Condition[]): Promise<void> => {
    const triggers = conditions.map((condition, at) => triggered(`t${at}`, condition, { paused: true }));
    expect((await fixture.deploy([chain("p"), chain("q"), ...triggers])).status).toBe(200);
  };
  const runBoth = async (): Promise<string[]> => {
    const before = (await told(fixture)).length;
    for (const name of ["p", "q"]) await fixture.ended((await fixture.start(name)).id);
    return (await told(fixture)).slice(before);
  };
  await deploy();
  expect(await runBoth()).toEqual([]);
  await deploy(
    finished("run.succeeded", "p"),
    finished("node.succeeded", "q/a"),
    finished("run.started", "q"),
  );
  expect(await runBoth()).toEqual([
    "millrace.run.succeeded p",
    "millrace.run.started q",
    "millrace.node.succeeded q/a",
  ]);
  await deploy({ kind: "event", type: "millrace.run.succeeded" });
  expect(await runBoth()).toEqual(["millrace.run.succeeded p", "millrace.run.succeeded q"]);
  await deploy();
  expect(await runBoth()).toEqual([]);
});

test("a rerun tells its own generation, and a second server tells what ends there", async () => {
  await using fixture = await startFixture();
  await using second = await fixture.anotherServer();
  const shards = async (): Promise<number> => (await second.call("GET", "/info")).body.shards;
  await expect.poll(shards, { timeout: 10_000 }).toBe(32);
  await fixture.worker({ answer: () => succeeded(null) });
  await fixture.deploy([
    pipeline("p", [node("a")]),
    triggered("t", finished("run.succeeded", "p"), { paused: true }),
  ]);
  const runs = await Promise.all(Array.from({ length: 8 }, () => fixture.start("p")));
  await Promise.all(runs.map(({ id }) => fixture.ended(id)));
  await fixture.call("POST", `/runs/${runs[0]!.id}/rerun`, { scope: "all" });
  await fixture.ended(runs[0]!.id);
  const ids = async (): Promise<string[]> => {
    const { items } = (await fixture.call("GET", "/events?type=millrace.run.succeeded")).body;
    return items.map(({ event }: EventView) => event.id).toSorted();
  };
  const expected = [...runs.map(({ id }) => `run/${id}/g1/succeeded`), `run/${runs[0]!.id}/g2/succeeded`];
  await expect.poll(ids, { timeout: 10_000 }).toEqual(expected.toSorted());
});

test("a condition on runs of a pipeline, or a node, that nobody has is refused with the nearest name", async () => {
  await using fixture = await startFixture();
  const deploy = async (condition: Condition) =>
    (await fixture.deploy([pipeline("load", [node("clean")]), triggered("t", condition)])).body;
  expect(await deploy(finished("run.succeeded", "laod"))).toMatchObject({
    code: "MILLRACE_PIPELINE_UNKNOWN",
    detail: expect.stringContaining('Did you mean "load"?'),
  });
  expect(await deploy(finished("node.succeeded", "load/claen"))).toMatchObject({
    code: "MILLRACE_CONDITION_INVALID",
    detail: expect.stringContaining('Did you mean "clean"?'),
  });
  const waiting = node("w", {
    kind: "wait",
    wait: { onTimeout: "fail" },
    input: { kind: "value", value: finished("run.failed", "laod") as unknown as Json },
  });
  const { body } = await fixture.deploy([pipeline("load", [node("clean")]), pipeline("t", [waiting])]);
  expect(body).toMatchObject({
    code: "MILLRACE_PIPELINE_UNKNOWN",
    detail:
      'The node "w" of "t" waits for runs of the pipeline "laod", which does not exist. Did you mean "load"?',
    advice: expect.stringContaining("If another project has it, deploy that one first."),
  });
});
