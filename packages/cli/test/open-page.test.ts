import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { editorAddress } from "../src/stack/editor.ts";
import { pageOpener } from "../src/stack/open-page.ts";
import { emptyProject, millrace, spawnAtTerminal } from "./command-process.ts";

test("the page is opened where somebody would see it", () => {
  expect(pageOpener({}, "darwin")).toBe("open");
  expect(pageOpener({ DISPLAY: ":0" }, "linux")).toBe("xdg-open");
  expect(pageOpener({ WAYLAND_DISPLAY: "wayland-0" }, "linux")).toBe("xdg-open");
  expect(pageOpener({}, "linux")).toBeUndefined();
  for (const away of [{ CI: "1" }, { SSH_CONNECTION: "a b" }, { BROWSER: "none" }])
    expect(pageOpener({ DISPLAY: ":0", ...away }, "linux")).toBeUndefined();
});

test("an editor is named, or given as an address; a page or a script is none", () => {
  expect(editorAddress(undefined)).toBe("vscode://file{path}:{line}:{column}");
  expect(editorAddress("idea")).toContain("idea://open?file={path}");
  expect(editorAddress("my-editor://open?file={path}&line={line}")).toContain("my-editor:");
  for (const wrong of [
    "emacs",
    "constructor",
    "javascript://{path}",
    "https://evil.example/{path}",
    "file://{path}",
    "x://nothing",
  ])
    expect(() => editorAddress(wrong)).toThrow("names no editor");
});

test.skipIf(process.platform !== "linux")(
  "`dev` at a terminal opens its page, once it is ready, and not with `--no-open`",
  async () => {
    const root = emptyProject();
    await millrace(root, "init");
    const tools = join(root, "tools");
    mkdirSync(tools);
    writeFileSync(join(tools, "xdg-open"), `#!/bin/sh\necho "$1" >> "${root}/opened"\n`);
    chmodSync(join(tools, "xdg-open"), 0o755);
    const environment = {
      PATH: `${tools}${delimiter}${process.env["PATH"]}`,
      DISPLAY: ":99",
      CI: "",
      SSH_CONNECTION: "",
    };
    const opened = (): string =>
      existsSync(join(root, "opened")) ? readFileSync(join(root, "opened"), "utf8") : "";

    const dev = spawnAtTerminal(root, ["dev", "--port", "0"], environment);
    const url = await dev.said(/Open +(http:\S+)/);
    await expect.poll(opened, { timeout: 10_000 }).toBe(`${url}\n`);
    await dev.end();

    const closed = spawnAtTerminal(root, ["dev", "--port", "0", "--no-open"], environment);
    await closed.said(/Open +(http:\S+)/);
    // Longer than it waits for a page that is open from before.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(opened()).toBe(`${url}\n`);
    await closed.end();
  },
  120_000,
);
