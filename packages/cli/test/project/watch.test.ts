import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { watchProject } from "../../src/project/watch.ts";
import { config, pipelineFile, projectFolder } from "./project-folder.ts";

test("changed, new and imported files are told, together when they change together", async () => {
  const root = projectFolder({
    "millrace.config.ts": config,
    "pipelines/a.ts": pipelineFile("a"),
    "lib/shared.ts": "",
    "lib/unused.ts": "",
  });
  const waiting: ((changed: readonly string[]) => void)[] = [];
  const watcher = await watchProject(root, { include: ["pipelines/**/*.ts"] }, (changed) =>
    waiting.shift()?.(changed),
  );
  onTestFinished(() => watcher.stop());
  const next = () => new Promise<readonly string[]>((resolve) => waiting.push(resolve));

  const first = next();
  writeFileSync(join(root, "pipelines/a.ts"), pipelineFile("a2"));
  writeFileSync(join(root, "pipelines/b.ts"), pipelineFile("b"));
  expect(await first).toEqual([join(root, "pipelines/a.ts"), join(root, "pipelines/b.ts")]);

  watcher.watchInputs([join(root, "lib/shared.ts")]);
  const second = next();
  writeFileSync(join(root, "lib/unused.ts"), "export const x = 1;");
  // The watcher does not say when it has taken up a file, so the file changes until that is seen.
  const writing = setInterval(() => writeFileSync(join(root, "lib/shared.ts"), "export const x = 1;"), 300);
  onTestFinished(() => clearInterval(writing));
  expect(await second).toEqual([join(root, "lib/shared.ts")]);
});

test("a folder that is made later is seen", async () => {
  const root = projectFolder({ "millrace.config.ts": config });
  let tell: (changed: readonly string[]) => void = () => undefined;
  const told = new Promise<readonly string[]>((resolve) => {
    tell = resolve;
  });
  const watcher = await watchProject(root, { include: ["pipelines/**/*.ts"] }, (changed) => {
    if (changed.some((path) => path.endsWith("a.ts"))) tell(changed);
  });
  onTestFinished(() => watcher.stop());
  mkdirSync(join(root, "pipelines"));
  writeFileSync(join(root, "pipelines/a.ts"), pipelineFile("a"));
  expect(await told).toContain(join(root, "pipelines/a.ts"));
});

test("a watcher stops twice", async () => {
  const root = projectFolder({ "millrace.config.ts": config });
  const watcher = await watchProject(root, { include: ["pipelines/**/*.ts"] }, () => undefined);
  await watcher.stop();
  await watcher.stop();
  expect(root).not.toBe("");
});
