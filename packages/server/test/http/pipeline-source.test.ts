/** Versions of a pipeline with what differs, and its source as it was loaded. */
import type { PipelineDefinition } from "@millrace/core";
import type { PipelineChanges, PipelineSource } from "@millrace/protocol";
import { expect, onTestFinished, test } from "vitest";
import { bundleOf, node, pipeline, startFixture, succeeded, type ServerFixture } from "./server-fixture.ts";

interface Version {
  readonly pipelines: readonly PipelineDefinition[];
  readonly files: { readonly [file: string]: string };
}

async function fixtureWith(...versions: readonly Version[]): Promise<ServerFixture> {
  const fixture = await startFixture();
  onTestFinished(() => fixture[Symbol.asyncDispose]());
  for (const { pipelines, files } of versions) {
    const map = JSON.stringify({
      version: 3,
      sources: ["node_modules/zod/index.js", "millrace-entry.js", ...Object.keys(files)],
      sourcesContent: ["zod", "entry", ...Object.values(files)],
      mappings: "",
    });
    const bundle = bundleOf("test", `// ${JSON.stringify([pipelines, files])}`, map);
    await fixture.call("PUT", `/bundles/${bundle.manifest.hash}`, bundle);
    const definition = { project: "test", pipelines, pools: {}, queues: [] };
    const answer = await fixture.call("POST", "/deployments", { bundle: bundle.manifest.hash, definition });
    expect(answer.body).not.toHaveProperty("code");
  }
  return fixture;
}

const source = { file: "pipelines/p.ts", line: 3 };
const first: Version = {
  pipelines: [
    pipeline("p", [node("a"), node("b", { source })], {
      source,
      tags: ["x"],
      trigger: { condition: { kind: "event", type: "a" }, onResume: "all", catchUp: "latest" },
    }),
  ],
  files: { "pipelines/p.ts": "one\ntwo", "lib/old.ts": "old" },
};
const second: Version = {
  pipelines: [
    pipeline(
      "p",
      [
        node("b", { source: { ...source, line: 9 }, options: { ...node("b").options, priority: 5 } }),
        node("c"),
      ],
      {
        source,
        tags: ["x", "y"],
        params: { schema: { type: "object" }, validateOnWorker: false },
        trigger: { condition: { kind: "event", type: "b" }, onResume: "all", catchUp: "latest" },
      },
    ),
  ],
  files: { "pipelines/p.ts": "one\nthree", "lib/new.ts": "new" },
};

test("what a deployment changed of a pipeline is told by its parts", async () => {
  const fixture = await fixtureWith(first, second);
  const changes = (await fixture.call("GET", "/pipelines/p/changes")).body as unknown as PipelineChanges;
  expect(changes).toMatchObject({
    from: { deployment: 1 },
    to: { deployment: 2 },
    nodes: {
      added: ["c"],
      removed: ["a"],
      changed: [{ id: "b", changes: [{ path: "options.priority", before: 0, after: 5 }] }],
    },
    trigger: { before: "an event a", after: "an event b" },
    triggerChanges: [{ path: "condition.type", before: "a", after: "b" }],
    params: [{ path: "", after: { type: "object" } }],
    options: [{ path: "tags", before: ["x"], after: ["x", "y"] }],
    files: [
      { file: "lib/new.ts", change: "added" },
      { file: "lib/old.ts", change: "removed" },
      { file: "pipelines/p.ts", change: "changed" },
    ],
  });
  const back = (await fixture.call("GET", "/pipelines/p/changes?from=2&to=1"))
    .body as unknown as PipelineChanges;
  expect(back.nodes).toMatchObject({ added: ["a"], removed: ["c"] });
  const alone = (await fixture.call("GET", "/pipelines/p/changes?to=1")).body as unknown as PipelineChanges;
  expect(alone).not.toHaveProperty("from");
  expect(alone.nodes.added).toEqual(["a", "b"]);
});

test("the source of a pipeline is told as it was loaded, without packages", async () => {
  const fixture = await fixtureWith(first, second);
  const newest = (await fixture.call("GET", "/pipelines/p/source")).body as unknown as PipelineSource;
  expect(newest).toMatchObject({
    deployment: 2,
    file: "pipelines/p.ts",
    text: "one\nthree",
    files: ["lib/new.ts", "pipelines/p.ts"],
  });
  const old = await fixture.call("GET", "/pipelines/p/source?deployment=1&file=lib/old.ts");
  expect(old.body).toMatchObject({ deployment: 1, text: "old" });
});

test.each([
  ["source?file=pipelines/q.ts", "MILLRACE_NOT_FOUND", 'Did you mean "pipelines/p.ts"?'],
  ["source?file=../../etc/passwd", "MILLRACE_NOT_FOUND", "has no file"],
  ["source?deployment=9", "MILLRACE_NOT_FOUND", "Deployment 9"],
  ["changes?from=9", "MILLRACE_NOT_FOUND", "Deployment 9"],
  ["changes?to=x", "MILLRACE_REQUEST_INVALID", "whole number"],
])("%s is refused", async (path, code, text) => {
  const fixture = await fixtureWith(first);
  const { body } = await fixture.call("GET", `/pipelines/p/${path}`);
  expect(body.code).toBe(code);
  expect(body.detail).toContain(text);
});

test("the newest runs of some pipelines are told at once, each once, with when time starts the next", async () => {
  const schedule = { kind: "every", every: { n: 1, unit: "days" }, tz: "UTC" } as const;
  const trigger = { condition: { kind: "schedule", schedule }, onResume: "all", catchUp: "latest" } as const;
  const fixture = await fixtureWith({
    pipelines: [pipeline("p", [node("a")]), pipeline("daily", [node("a")], { trigger })],
    files: {},
  });
  await fixture.worker({ answer: () => succeeded(1) });
  const ids: string[] = [];
  for (let count = 0; count < 3; count += 1) {
    const { id } = await fixture.start("p");
    await fixture.ended(id);
    ids.unshift(id);
  }
  await fixture.call("POST", `/runs/${ids[2]}/rerun`, { scope: "all" });
  const { items } = (await fixture.call("GET", "/pipelines/recent?names=p,daily,none")).body;
  expect(items.map(({ pipeline: name }: { pipeline: string }) => name)).toEqual(["p", "daily", "none"]);
  expect(items[0].runs.map(({ id }: { id: string }) => id)).toEqual(ids);
  expect(items[0]).not.toHaveProperty("nextDue");
  expect(items[1]).toMatchObject({ runs: [], nextDue: expect.stringMatching(/T00:00:00/) });
  const next = (await fixture.call("GET", "/pipelines/daily/next")).body.items as { readonly at: string }[];
  expect(next).toHaveLength(10);
  expect(next[0]!.at).toBe(items[1].nextDue);
  expect(Date.parse(next[1]!.at) - Date.parse(next[0]!.at)).toBe(86_400_000);
  expect((await fixture.call("GET", "/pipelines/p/next")).body.items).toEqual([]);
  const many = await fixture.call(
    "GET",
    `/pipelines/recent?names=${Array.from({ length: 101 }, (_, at) => `p${at}`).join()}`,
  );
  expect(many.body.detail).toBe('"names" has 101 names; 100 are allowed.');
});
