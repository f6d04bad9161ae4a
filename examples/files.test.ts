/** The example of file sources, for real: files are written as their writers write them, and runs load them. */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { SharedServer } from "./shared-server.ts";

/** A copy below `examples`, so that `millrace` is found and the folders that are read are the test's own. */
const folder = mkdtempSync(join(import.meta.dirname, ".files-"));
const data = (...parts: readonly string[]): string => join(folder, "data", ...parts);
let server: SharedServer;

beforeAll(async () => {
  cpSync(join(import.meta.dirname, "files"), folder, { recursive: true });
  for (const name of ["in", "renamed", "marked/2026-11-27"]) mkdirSync(data(name), { recursive: true });
  // What is there at the start is told, too.
  writeFileSync(data("in", "early.csv"), "a\nb\n");
  server = await SharedServer.start(basename(folder));
}, 120_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Listed {
  readonly runs: readonly { readonly id: string; readonly pipeline: string; readonly state: string }[];
}

async function millrace(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await server.millrace(basename(folder), args);
  expect(code, stderr).toBe(0);
  return stdout;
}

/** What the nodes of a pipeline's runs gave, as soon as there are `count` of them. */
async function outputs(pipeline: string, count: number): Promise<unknown[]> {
  const runs = async (): Promise<Listed["runs"]> =>
    (JSON.parse(await millrace("runs", "--pipeline", pipeline, "--json")) as Listed).runs.filter(
      ({ state }) => state === "succeeded",
    );
  await expect.poll(async () => (await runs()).length).toBe(count);
  const shown = await Promise.all((await runs()).map(({ id }) => millrace("show", id, "--json")));
  return shown.map((text) => (JSON.parse(text) as { nodes: { output: unknown }[] }).nodes[0]!.output);
}

test("a file that was there, one that comes, and one that is gone start a run each", async () => {
  writeFileSync(data("in", "late.csv"), "1\n2\n3\n");
  expect((await outputs("load", 2)).map((output) => JSON.stringify(output)).toSorted()).toEqual([
    '{"file":"early.csv","lines":2}',
    '{"file":"late.csv","lines":3}',
  ]);
  rmSync(data("in", "early.csv"));
  expect(await outputs("removed", 1)).toEqual(["early.csv is gone"]);
});

test("a file is loaded once it has its name, if its name is asked for", async () => {
  for (const name of ["orders-1.csv", "other-1.csv"]) {
    writeFileSync(data("renamed", `${name}.part`), "1\n");
    renameSync(data("renamed", `${name}.part`), data("renamed", name));
  }
  expect(await outputs("load-orders", 1)).toEqual([{ file: "orders-1.csv", lines: 1 }]);
});

test("the parts of a folder are loaded together, once it is marked", async () => {
  for (const part of [1, 2, 3]) writeFileSync(data("marked", "2026-11-27", `part-${part}`), "x");
  writeFileSync(data("marked", "2026-11-27", "_SUCCESS"), "");
  expect(await outputs("load-day", 1)).toEqual([["part-1", "part-2", "part-3"]]);
});

test("sources tells how they do, and pauses and resumes them", async () => {
  expect(await millrace("sources")).toMatch(/● running +marked +data\/marked\/\*\/part-\* +3 events/);
  expect(await millrace("sources", "pause", "landing")).toBe("landing is paused; this holds over deploys.\n");
  expect(await millrace("sources")).toMatch(/‖ paused +landing/);
  writeFileSync(data("in", "meanwhile.csv"), "1\n");
  expect(await millrace("sources", "resume", "landing")).toContain("landing is read again");
  expect(await outputs("load", 3)).toContainEqual({ file: "meanwhile.csv", lines: 1 });
});

test("a folder that is not there is told, and read as soon as it is", async () => {
  rmSync(data("renamed"), { recursive: true });
  await expect
    .poll(() => millrace("sources"))
    .toMatch(/✕ failing +renamed[^]*MILLRACE_FOLDER_MISSING The folder .*renamed does not exist/);
  mkdirSync(data("renamed"));
  writeFileSync(data("renamed", "orders-2.csv"), "1\n2\n");
  await expect.poll(() => millrace("sources")).toMatch(/● running +renamed/);
  expect(await outputs("load-orders", 2)).toContainEqual({ file: "orders-2.csv", lines: 2 });
});
