import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { atTerminal, emptyProject, millrace } from "./command-process.ts";

test("a folder whose name a shell would split is quoted in what to do next", async () => {
  const root = emptyProject();
  const { exitCode, stdout } = await millrace(root, "init", "my shop");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("cd 'my shop' && npm install");
});

test("a name that no project may have is refused before anything is written", async () => {
  const root = emptyProject();
  const { exitCode, stderr } = await millrace(root, "init", "shop", "--name", "bad name!");
  expect(exitCode).toBe(2);
  expect(stderr).toContain('found "bad name!"');
  expect(existsSync(join(root, "shop"))).toBe(false);
});

test("where no project can be made it says why", async () => {
  const root = emptyProject();
  writeFileSync(join(root, "file"), "");
  const { exitCode, stderr } = await millrace(root, "init", "file");
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`Can't make a project in ${join(root, "file")}: EEXIST`);
  expect(stderr).not.toContain("at mkdir");
});

test("a manifest that can't be read stops it before anything is written", async () => {
  const root = emptyProject();
  writeFileSync(join(root, "package.json"), "{ broken");
  const { exitCode, stderr } = await millrace(root, "init");
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`${join(root, "package.json")} can't be read`);
  expect(existsSync(join(root, "millrace.config.ts"))).toBe(false);
});

test("a manifest that was there is left as it is, and what it lacks is told", async () => {
  const root = emptyProject();
  writeFileSync(join(root, "package.json"), '{ "name": "mine" }');
  const { exitCode, stdout } = await millrace(root, "init");
  expect(exitCode).toBe(0);
  expect(stdout).toContain('set "type": "module"');
  expect(stdout).toContain("npm install millrace@");
  expect(stdout).toContain('set the script "test": "node --test"');
  expect(readFileSync(join(root, "package.json"), "utf8")).toBe('{ "name": "mine" }');
});

test("a manifest that `npm install` made in an empty folder gets what a project needs, and keeps its dependencies", async () => {
  const root = emptyProject();
  const dependencies = { millrace: "file:../millrace-0.1.0.tgz" };
  writeFileSync(join(root, "package.json"), JSON.stringify({ dependencies }));
  const { exitCode, stdout } = await millrace(root, "init", "--name", "Shop");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("    package.json\n");
  expect(stdout).not.toContain("!");
  expect(JSON.parse(readFileSync(join(root, "package.json"), "utf8"))).toEqual({
    name: "shop",
    private: true,
    type: "module",
    scripts: { dev: "millrace dev", test: "node --test" },
    dependencies,
    devDependencies: { "@types/node": expect.any(String) },
  });
});

test("what was there before stays as it was, and is told; settings of an editor are left out where nobody wants them", async () => {
  const root = emptyProject();
  writeFileSync(join(root, "README.md"), "mine");
  const { exitCode, stdout } = await millrace(root, "init", "--editor", "none");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("README.md: there before, left as it was");
  expect(readFileSync(join(root, "README.md"), "utf8")).toBe("mine");
  expect(existsSync(join(root, ".vscode"))).toBe(false);
});

test("at a terminal it asks for name and editor, and asks again for a name that no project may have", async () => {
  const root = emptyProject();
  const { exitCode, screen } = await atTerminal(root, ["init", "my shöp"], ["no name!", "shop", "n"]);
  expect(exitCode, screen).toBe(0);
  expect(screen).toContain("The project's name? (my-sh-p)");
  expect(screen).toContain("A project's name has 1 to 128 letters");
  expect(readFileSync(join(root, "my shöp", "millrace.config.ts"), "utf8")).toContain('project: "shop"');
  expect(existsSync(join(root, "my shöp", ".vscode"))).toBe(false);
  const silent = await atTerminal(root, ["init", "other", "--yes"], []);
  expect(silent.exitCode, silent.screen).toBe(0);
  expect(silent.screen).not.toContain("?");
});

test("who leaves at a question leaves nothing behind", async () => {
  const root = emptyProject();
  const { exitCode } = await atTerminal(root, ["init", "shop"], ["shop", "\x03"]);
  expect(exitCode).toBe(130);
  expect(existsSync(join(root, "shop"))).toBe(false);
});

/** Whatever may be written is: root may write anywhere. */
test.skipIf(process.getuid?.() === 0)("a folder that may not be written to is told", async () => {
  const root = emptyProject();
  mkdirSync(join(root, "closed"), { mode: 0o500 });
  const { exitCode, stderr } = await millrace(root, "init", "closed");
  expect(exitCode).toBe(2);
  expect(stderr).toContain("EACCES");
});

test("the project that it makes has a test, which passes without a server", async () => {
  const root = emptyProject();
  await millrace(root, "init");
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: { test: string };
  };
  expect(scripts.test).toBe("node --test");
  const { stdout } = spawnSync(process.execPath, ["--test", "--test-reporter", "tap"], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  expect(stdout).toContain("# pass 3\n# fail 0");
});
