/** Triggers on the files of a source, without a folder. */
import { files, on, pipeline, task, type FileArrived } from "@millrace/sdk";
import { expect, test } from "vitest";
import { testbed } from "../src/index.ts";

const landing = files("landing", { folder: "/srv/in", gone: true });
const other = files("other", { folder: "/srv/other" });
const load = task("load", (input: { name: string }) => `loaded ${input.name}`);
const onFile = pipeline("on-file", { on: on.event(landing.arrived).as("file") }, ({ firing }) =>
  load({ name: firing.members.file[0]!.data.name }),
);

function fileOf(name: string): FileArrived {
  return {
    path: `/srv/in/${name}`,
    relative: name,
    name,
    folder: "/srv/in",
    size: 5,
    mtime: "2026-03-01T00:00:00Z",
    version: 1,
    fingerprint: "5-1",
  };
}

test("an event of a source's type comes from that source, and starts what is on it", async () => {
  const t = await testbed({ onFile });
  await t.emit({ type: landing.arrived, data: fileOf("a.csv") });
  expect(t.runs.map(({ state }) => state)).toEqual(["succeeded"]);
  // Of one type, and of another source.
  await t.emit({ type: other.arrived, data: fileOf("b.csv") });
  await t.emit({ type: "file.arrived", data: fileOf("c.csv") });
  expect(t.runs).toHaveLength(1);
});
