/** The pipelines of `partitions` on a real server: updates go in, and runs for partitions come out. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SharedServer, type RunDocument } from "./shared-server.ts";

const timeoutMs = 60_000;
let server: SharedServer;

beforeAll(async () => {
  server = await SharedServer.start("partitions");
}, 120_000);

afterAll(async () => server.stop());

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(`${server.url}/api/v1${path}`);
  const answer = (await response.json()) as Answer;
  expect(response.ok, JSON.stringify(answer)).toBe(true);
  return answer;
}

/** Somebody else tells that a slice has landed. */
async function landed(partition: string): Promise<void> {
  const event = {
    specversion: "1.0",
    source: "/test",
    id: crypto.randomUUID(),
    type: "millrace.asset.updated",
    subject: "landing/orders",
    data: { partition },
  };
  const response = await fetch(`${server.url}/api/v1/events`, {
    method: "POST",
    body: JSON.stringify(event),
    headers: { "content-type": "application/cloudevents+json" },
  });
  expect(response.ok, await response.text()).toBe(true);
}

interface Firing {
  readonly runId?: string;
  readonly revision: number;
  readonly partition?: string;
}

/** What a pipeline's trigger has fired, the oldest first, once there are `count`. */
async function firings(name: string, count: number): Promise<readonly Firing[]> {
  for (;;) {
    const { items } = await get<{ items: readonly Firing[] }>(`/triggers/${name}/firings`);
    if (items.length >= count) return items.toReversed();
  }
}

async function outputOf(runId: string): Promise<unknown> {
  for (;;) {
    const { run } = await get<{ run: { state: string; output?: unknown } }>(`/runs/${runId}`);
    if (run.state === "succeeded") return run.output;
    expect(["queued", "running"]).toContain(run.state);
  }
}

/** The day on which clocks go forward. */
const slices = [
  "2026-03-29T00:00+01:00",
  "2026-03-29T07:00+02:00",
  "2026-03-29T13:00+02:00",
  "2026-03-29T19:00+02:00",
];

describe("a run for each partition", () => {
  test(
    "what lands is cleaned slice by slice, and its day is published once it is complete, and again when a slice is",
    async () => {
      for (const slice of slices.slice(1)) await landed(slice);
      const cleaned = await firings("clean-orders", 3);
      expect(cleaned.map(({ partition }) => partition)).toEqual(slices.slice(1));
      expect(await Promise.all(cleaned.map(({ runId }) => outputOf(runId!)))).toEqual([
        { hours: 6 },
        { hours: 6 },
        { hours: 5 },
      ]);
      await landed(slices[0]!);
      const [first] = await firings("publish-orders", 1);
      expect(first).toMatchObject({ partition: "2026-03-29", revision: 1 });
      expect(await outputOf(first!.runId!)).toEqual({ day: "2026-03-29", revision: 1, replaces: null });
      await landed(slices[2]!);
      const [, second] = await firings("publish-orders", 2);
      expect(second).toMatchObject({ partition: "2026-03-29", revision: 2 });
      expect(await outputOf(second!.runId!)).toEqual({
        day: "2026-03-29",
        revision: 2,
        replaces: first!.runId,
      });
    },
    timeoutMs,
  );

  test(
    "somebody who starts one by hand names the partition, in any spelling",
    async () => {
      const { code, stdout, stderr } = await server.millrace("partitions", [
        "run",
        "clean-orders",
        "--partition",
        "2026-10-24T22:00Z",
        "--json",
      ]);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      const { run } = JSON.parse(stdout) as RunDocument & { run: { id: string; labels: object } };
      expect(run).toMatchObject({
        output: { hours: 6 },
        labels: { "millrace.partition": "2026-10-25T00:00+02:00" },
      });
    },
    timeoutMs,
  );

  test.each([
    [["--partition", "2026-10-25"], "a key looks like 2026-01-01T00:00+01:00"],
    [["--partition", "2026-10-25T03:00+01:00"], 'Did you mean "2026-10-25T00:00+02:00"?'],
    [[], "for one partition"],
  ])(
    "without a right one, it is told what would be: %j",
    async (options, message) => {
      const { code, stderr } = await server.millrace("partitions", ["run", "clean-orders", ...options]);
      expect(stderr).toContain(message);
      expect(code).toBe(2);
    },
    timeoutMs,
  );
});
