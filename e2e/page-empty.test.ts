/** Empty pages teach: what they show as code is deployed as it stands there, and fills them. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { startBrowser, Visit } from "./harness/browser.ts";
import { Stack } from "./harness/stack.ts";

let stack: Stack;
let browser: Browser;
let api: Api;

beforeAll(async () => {
  stack = await Stack.make();
  ({ api } = await stack.server());
  browser = await startBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

/** What each page says of what would stand there, and what stands there once its code is deployed. */
const pages: readonly (readonly [path: string, says: string | RegExp, then: string | RegExp])[] = [
  ["/", /Here stand the last and the next hours/, /an event order\.paid/],
  ["/pipelines", /Here stand your pipelines/, "reporting"],
  ["/runs", /Here stand the runs/, "release"],
  ["/events", /Here stands what happens/, "order.paid"],
  ["/assets", /Here stand the pieces of data/, "mart/report"],
  ["/triggers", /Here stands what starts runs/, "thanks"],
  ["/schedules", /Here stands what will start/, "nightly"],
  ["/approvals", /Nobody is asked for anything/, "Publish the report?"],
  ["/workers", /Workers run the functions of tasks/, "warehouse"],
];

test("an empty page says what would stand there, and its code can be copied, deployed and run, and fills it", async () => {
  await using person = await Visit.begin(browser, api.url);
  await person.context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const codes = new Set<string>();
  for (const [path, says] of pages) {
    await person.open(path);
    await person.sees(says);
    await person.expectAccessible();
    const blocks = person.page.locator("main .code");
    for (const block of await blocks.all()) {
      const code = await block.locator("pre").innerText();
      await block.getByRole("button", { name: "copy" }).click();
      await block.getByRole("button", { name: "copied" }).waitFor();
      expect(await person.page.evaluate(() => navigator.clipboard.readText())).toBe(code);
      codes.add(code);
    }
    expect(await blocks.count(), path).toBeGreaterThan(0);
  }
  person.expectCalm();

  const folder = projectOf([...codes].filter((code) => code.startsWith("import")));
  await stack.deploy(api, { folder });
  const commands = [...codes].filter((code) => code.startsWith("npx millrace emit"));
  expect(commands).toHaveLength(1);
  for (const pipeline of ["release", "order"]) await api.start(pipeline);
  for (const command of commands) {
    const words = Array.from(
      command.matchAll(/'([^']*)'|(\S+)/g),
      ([, quoted, word]) => quoted ?? word ?? "",
    );
    const ended = await stack.run(words.slice(2), { environment: { MILLRACE_URL: api.url } });
    expect(ended.code, ended.err).toBe(0);
  }
  await api.start("order");
  for (const [path, says, then] of pages) {
    await person.open(path);
    await person.sees(then);
    if (path !== "/workers") expect(await person.page.getByText(says).count(), path).toBe(0);
  }
  person.expectCalm();
}, 90_000);

/** One with these files; that which has a configuration is the project's. */
function projectOf(codes: readonly string[]): string {
  const folder = join(stack.folder, "taught");
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  mkdirSync(join(folder, "pipelines"));
  symlinkSync(
    join(import.meta.dirname, "..", "packages", "millrace"),
    join(folder, "node_modules", "millrace"),
  );
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  codes.forEach((code, at) => {
    const isConfiguration = code.includes("defineConfig(");
    writeFileSync(join(folder, isConfiguration ? "millrace.config.ts" : `pipelines/code-${at}.ts`), code);
  });
  return folder;
}
