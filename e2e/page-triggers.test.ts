/** Pages about triggers, events and pipelines as a person uses them: at a real server, in a real browser. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { startBrowser, Visit, type VisitOptions } from "./harness/browser.ts";
import { Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const projectFolder = join(import.meta.dirname, "triggers-project");
const patienceMs = 20_000;

let stack: Stack;
let browser: Browser;
let api: Api;
let changedFolder: string;
let sent = 0;

async function emit(type: string, data: object, subject?: string): Promise<void> {
  sent += 1;
  await api.emit({
    specversion: "1.0",
    id: `e${sent}`,
    source: "/shop",
    type,
    data,
    ...(subject === undefined ? {} : { subject }),
  });
}

/** The project with another count, another node and another tag. */
async function deployChanged(): Promise<void> {
  changedFolder = await mkdtemp(join(tmpdir(), "millrace-triggers-"));
  await cp(projectFolder, changedFolder, { recursive: true });
  await symlink(join(import.meta.dirname, "..", "node_modules"), join(changedFolder, "node_modules"));
  const file = join(changedFolder, "pipelines", "orders.ts");
  const text = await readFile(file, "utf8");
  await writeFile(
    file,
    text
      .replace('country: "DE" } } }), 2, {', 'country: "DE" } } }), 3, {')
      .replace(
        "    tell({ count: 2 });",
        '    tell({ count: 2 });\n    tell({ count: 6 }, { id: "again" });',
      ),
  );
  await stack.deploy(api, { folder: changedFolder });
}

beforeAll(async () => {
  stack = await Stack.make();
  const server = await stack.server();
  api = server.api;
  await stack.worker({ url: api.url });
  browser = await startBrowser();
  await stack.deploy(api, { folder: projectFolder });
  for (let at = 0; at < 4; at += 1) await emit("order.paid", { order: "a", amount: 200, country: "DE" });
  await emit("order.picked", { shelf: 1 }, "a");
  await until("what was packed", patienceMs, async () => (await packed()) > 0);
}, 120_000);

async function packed(): Promise<number> {
  const answer = await fetch(`${api.url}/api/v1/events?type=order.packed`);
  return ((await answer.json()) as { readonly items: readonly unknown[] }).items.length;
}

afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
  if (changedFolder !== undefined) await rm(changedFolder, { recursive: true });
});

function visit(options: VisitOptions = {}): Promise<Visit> {
  return Visit.begin(browser, api.url, options);
}

test("a slider goes through a trigger's past, and the tree changes with it", async () => {
  await using person = await visit();
  const { page } = person;
  await person.open("/triggers/packing?key=a");
  await person.sees("5 moments");
  await page.getByLabel("Moment of the past").focus();
  await page.keyboard.press("ArrowLeft");
  await person.sees("it fired");
  await person.sees(/order\.picked a came, entry \d+/);
  await page.getByRole("button", { name: "The moment before" }).click();
  await person.sees("moment 4 of 5 moments");
  const stood = page.getByRole("region", { name: "As it stood" });
  await stood.getByText("has matched, and waits for the others").waitFor();
  await stood.getByText("waits for an event order.picked").waitFor();
  await person.expectAccessible();
  // The address leads there again.
  await page.reload();
  await stood.getByText("has matched, and waits for the others").waitFor();
  await page.getByRole("button", { name: "Now" }).click();
  await person.sees("What it has for a, and what it waits for");
  person.expectCalm();
});

test("a changed condition is simulated beside what really fired, and what is wrong is told at its field", async () => {
  await using person = await visit({ scheme: "dark" });
  const { page } = person;
  await person.open("/triggers/large-orders?tab=simulate");
  await page.getByLabel("count · within").fill("soon");
  await page.getByRole("button", { name: "Simulate" }).click();
  await person.sees("a span is written as 30s");
  await page.getByLabel("count · within").fill("1h");
  await page.getByLabel("count · how many").fill("1");
  await page.getByRole("button", { name: "Simulate" }).click();
  await person.sees(/2 that did not come/);
  await page.getByRole("button", { name: "Differences 2" }).click();
  await expect.poll(() => page.getByRole("row").count()).toBe(3);
  await person.sees(/on\.event\("order\.paid", \{ where/);
  await person.expectAccessible();
  await page.reload();
  await person.sees(/2 that did not come/);
  person.expectCalm();
});

test("events come live, gather while a person reads, and are filtered in the language of conditions", async () => {
  await using person = await visit();
  const { page } = person;
  await person.open("/events");
  await person.sees("order.packed");
  await emit("live.one", { n: 1 });
  await page.getByRole("table").getByRole("link", { name: "live.one" }).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await emit("live.two", { n: 2 });
  await page.getByRole("button", { name: "1 new" }).click();
  await page.getByRole("table").getByRole("link", { name: "live.two" }).waitFor();
  await page.getByLabel("where").fill("data.n >= 2");
  await page.keyboard.press("Enter");
  await person.sees(/entries looked at/);
  await expect.poll(() => page.getByRole("row").count()).toBe(2);
  await person.expectAccessible();
  person.expectCalm();
  await page.getByLabel("where").fill("data.n >>= 2");
  await page.keyboard.press("Enter");
  await person.sees(/is wrong at line 1, column 9/);
});

test("an event opens with its causes and effects, who looked at it, and filters by a click", async () => {
  await using person = await visit({ width: 1_280 });
  const { page } = person;
  await person.open("/events?type=order.packed");
  await page.getByRole("row").nth(1).click();
  const causes = page.getByRole("region", { name: "What it comes of" });
  await causes.getByRole("link", { name: "pack", exact: true }).waitFor();
  await causes.getByRole("link", { name: /order\.picked a/ }).waitFor();
  await page.getByRole("region", { name: "What came of it" }).getByText("the trigger of packed").waitFor();
  await page.getByRole("region", { name: "Who looked at it" }).getByText("fired").waitFor();
  await person.expectAccessible();
  await page.getByRole("button", { name: '"pack"' }).click();
  await expect.poll(() => page.getByLabel("where").inputValue()).toBe('data.by == "pack"');
  await page.goBack();
  await expect.poll(() => page.getByLabel("where").inputValue()).toBe("");
  person.expectCalm();
});

test("an event is sent by hand, told before what it would do, and a trigger is made of it", async () => {
  await using person = await visit();
  const { page } = person;
  await person.open("/events");
  await page.getByRole("button", { name: "Send an event…" }).click();
  await page.locator("[name=type]").fill("order.paid");
  await page.locator("[name=order]").fill("z");
  await page.locator("[name=amount]").fill("7.5");
  const would = page.getByRole("region", { name: "What it would do" });
  await would.getByText("it would count, and then the condition waits for all").waitFor();
  await would.getByText(/data\.amount >= 100/).waitFor();
  await person.expectAccessible();
  await page.getByRole("button", { name: "Send it" }).click();
  await page.getByRole("region", { name: "Who looked at it" }).getByText("gathered").waitFor();
  await person.sees('"DE"');
  await page.getByRole("link", { name: "Build a trigger…" }).click();
  await page.getByRole("button", { name: '"z"' }).click();
  await person.sees(/It would have fired once/);
  await page.getByLabel("what must be so of data.order").selectOption("key");
  await person.sees(/\.by\("data\.order"\)/);
  await person.sees(/It would have fired 5 times/);
  await person.expectAccessible();
  person.expectCalm();
});

test("a pipeline shows its source, its versions with what differs, and is found by its tag", async () => {
  await deployChanged();
  await using person = await visit({ scheme: "dark", width: 1_280 });
  const { page } = person;
  await person.open("/pipelines?tag=daily");
  await page.getByRole("link", { name: "by-hand" }).waitFor();
  await expect.poll(() => page.getByRole("row").count()).toBe(3);
  await person.expectAccessible();
  await page.getByRole("link", { name: "large-orders" }).click();
  await page.getByRole("link", { name: "Definition" }).click();
  await page
    .getByRole("complementary")
    .getByRole("link", { name: /orders\.ts:\d+/ })
    .click();
  await person.sees("Every second large order of Germany");
  await expect.poll(() => page.locator(".source .line.chosen").count()).toBe(1);
  await person.expectAccessible();
  await page.getByRole("link", { name: "Versions" }).click();
  await person.sees("1 node added, another trigger, 1 file of the project");
  await page.locator("summary").click();
  await page
    .getByRole("region", { name: /What differs in/ })
    .getByText('tell({ count: 6 }, { id: "again" });')
    .waitFor();
  await person.expectAccessible();
  person.expectCalm();
});
