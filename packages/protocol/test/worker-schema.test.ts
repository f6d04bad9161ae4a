import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadServerFrameReader, loadWorkerFrameReader } from "../src/worker-schema.ts";

const folder = join(import.meta.dirname, "../transcripts/v1");
const transcripts = (await readdir(folder)).filter((name) => name.endsWith(".ndjson"));

test.for(transcripts)("the schemas take every frame of v1/%s, but unknown kinds", async (file) => {
  const readers = { server: await loadServerFrameReader(), worker: await loadWorkerFrameReader() };
  const ignored: string[] = [];
  let taken = 0;
  for (const line of (await readFile(join(folder, file), "utf8")).trim().split("\n")) {
    const entry = JSON.parse(line.replaceAll('"*"', "0").replace('"workerId":0', '"workerId":"w"')) as Frames;
    for (const side of ["server", "worker"] as const) {
      const frame = entry[side];
      if (frame === undefined) continue;
      const text = JSON.stringify(frame)
        .replace('"platform":0', '"platform":"any"')
        .replaceAll('"stack":0', '"stack":""');
      const read = readers[side](text, (reason) => ignored.push(reason));
      if (read) taken += 1;
    }
  }
  expect(taken).toBeGreaterThan(4);
  expect(ignored.filter((reason) => !reason.includes("from_the_future"))).toEqual([]);
});

interface Frames {
  readonly server?: unknown;
  readonly worker?: unknown;
}

test("a frame with a wrong or missing field is ignored with its place", async () => {
  const read = await loadWorkerFrameReader();
  const reasons: string[] = [];
  const refused = (message: unknown): void => {
    expect(read(JSON.stringify(message), (reason) => reasons.push(reason))).toBeUndefined();
  };
  refused({
    kind: "progress",
    token: { runId: "r", node: "n", item: "", generation: 1, dispatch: 1 },
    fraction: 2,
  });
  refused({ kind: "progress", fraction: 0.5 });
  refused({ kind: "results", results: [{ token: {}, outcome: { kind: "succeeded" }, times: {} }] });
  refused({ kind: 7 });
  refused("text");
  expect(reasons).toEqual([
    expect.stringContaining("malformed at /fraction"),
    expect.stringContaining("'token'"),
    expect.stringContaining("malformed at /results/0"),
    expect.stringContaining("no JSON object"),
    expect.stringContaining("no JSON object"),
  ]);
});
