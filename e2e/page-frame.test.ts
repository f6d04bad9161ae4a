/** The frame of the page: what finds anything, the keys, the zone, and the pages of the machinery. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { PipelineDetail } from "@millrace/protocol";
import type { Api } from "./harness/api.ts";
import { startBrowser, Visit, type VisitOptions } from "./harness/browser.ts";
import { Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

let stack: Stack;
let browser: Browser;
let api: Api;
let failed: string;

beforeAll(async () => {
  stack = await Stack.make();
  ({ api } = await stack.server());
  await stack.worker({ url: api.url });
  browser = await startBrowser();
  await stack.deploy(api, { folder: join(import.meta.dirname, "page-frame-project") });
  failed = await api.start("orders", { params: { most: 1 } });
  await until("the failure", 30_000, async () => (await api.run(failed)).run.state === "failed");
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

async function isPaused(pipeline: string): Promise<boolean> {
  return (await api.send<PipelineDetail>("GET", `/pipelines/${pipeline}`)).paused;
}

async function at(path: string, text: string | RegExp, options: VisitOptions = {}): Promise<Visit> {
  const person = await Visit.begin(browser, api.url, options);
  await person.open(path);
  await person.sees(text);
  await person.sees("● live");
  return person;
}

test("the palette finds a pipeline by a part of its name, and a run by the beginning of its id", async () => {
  await using person = await at("/", /needs you/);
  const { keyboard } = person.page;
  await keyboard.press("Control+k");
  const field = person.page.getByRole("combobox", { name: "Find anything" });
  await field.waitFor();
  await keyboard.type("rder");
  const option = person.page
    .getByRole("group", { name: "Pipelines" })
    .getByRole("option", { name: /orders/ });
  await option.waitFor();
  await person.expectAccessible();
  await keyboard.press("Enter");
  await person.sees("Checks orders & their <sum>");
  expect(person.path).toBe("/pipelines/orders");
  await person.page.getByRole("button", { name: "Find anything" }).click();
  await field.fill(failed.slice(0, 14));
  await person.page.getByRole("option", { name: failed }).waitFor();
  await keyboard.press("Enter");
  await person.sees(/Failed at/);
  expect(person.path).toBe(`/runs/${failed}`);
  person.expectCalm();
});

test("an action is found by its name, says what it does, and is done by the keyboard alone", async () => {
  await using person = await at("/events", "Events");
  const { keyboard } = person.page;
  await keyboard.press("Control+k");
  await person.page.getByRole("combobox", { name: "Find anything" }).waitFor();
  await keyboard.type("pause a pip");
  await keyboard.press("Enter");
  await keyboard.type("ship");
  await person.page.getByRole("option", { name: "Pause shipped…" }).waitFor();
  await keyboard.press("Enter");
  await person.sees("It takes no new runs until it is resumed");
  await person.page.getByRole("button", { name: "Pause it" }).press("Enter");
  await until("its pause", 10_000, async () => await isPaused("shipped"));
  await person.page.getByRole("dialog").waitFor({ state: "detached" });
  await keyboard.press("Control+k");
  await keyboard.type("resume ");
  await person.page.getByRole("option", { name: "Resume shipped…" }).waitFor();
  await keyboard.press("Enter");
  await person.page.getByRole("button", { name: "Resume it" }).press("Enter");
  await until("its end", 10_000, async () => !(await isPaused("shipped")));
  await person.page.getByRole("dialog").waitFor({ state: "detached" });
  await keyboard.press("Control+k");
  await keyboard.type("run paid");
  await person.page.getByRole("option", { name: "Run paid…" }).waitFor();
  await keyboard.press("Enter");
  await person.page.getByRole("button", { name: "Run", exact: true }).press("Enter");
  await person.sees(/Succeeded at/);
  expect(person.path).toMatch(/^\/runs\/r0/);
  person.expectCalm();
});

test("keys walk over lists, open what stands there, and do nothing while one types", async () => {
  await using person = await at("/runs", failed);
  const { keyboard } = person.page;
  await keyboard.press("?");
  await person.page.getByRole("dialog", { name: "Keys" }).getByText("to the next line").waitFor();
  await person.expectAccessible();
  await keyboard.press("j");
  await keyboard.press("Escape");
  const present = person.page.locator('[aria-current="true"]', { hasText: failed });
  expect(await present.count()).toBe(0);
  await keyboard.press("/");
  await keyboard.type("gp?j");
  expect(await person.page.getByLabel("pipeline").inputValue()).toBe("gp?j");
  await keyboard.press("Escape");
  for (let line = 0; line < 10 && (await present.count()) === 0; line += 1) await keyboard.press("j");
  await keyboard.press("Enter");
  await person.sees(/Failed at/);
  await keyboard.press("g");
  await keyboard.press("e");
  await person.page.getByRole("heading", { name: "Events", exact: true }).waitFor();
  await person.page.getByRole("rowgroup").getByRole("row").first().waitFor();
  await keyboard.press("j");
  await keyboard.press("Enter");
  await person.sees(/Entry \d+ of the log/);
  await keyboard.press("Escape");
  await person.page.getByText(/Entry \d+ of the log/).waitFor({ state: "detached" });
  expect(person.path).toBe("/events");
  // What needs a person is the first list of the first page.
  await keyboard.press("g");
  await keyboard.press("n");
  await person.sees(/orders: a run failed/);
  await keyboard.press("j");
  await keyboard.press("Enter");
  await person.sees(/Failed at/);
  expect(person.path).toBe(`/runs/${failed}?node=check`);
  person.expectCalm();
});

test("times stand in the zone of one's choice, with UTC at a hover, also at the next visit", async () => {
  await using person = await at(`/runs/${failed}`, /Failed at/);
  const ended = new Date((await api.run(failed)).run.endedAt!);
  const inBerlin = ended.toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin" });
  const inTokyo = ended.toLocaleTimeString("en-GB", { timeZone: "Asia/Tokyo" });
  await person.sees(inBerlin);
  await person.page.getByTitle("In whose time instants are shown").click();
  await person.expectAccessible();
  await person.page.getByLabel("another zone").fill("Asia/Tokyo");
  await person.page.keyboard.press("Enter");
  await person.page.getByRole("button", { name: "Done" }).click();
  await person.sees(inTokyo);
  await person.open(`/runs/${failed}`);
  await person.sees(inTokyo);
  await person.open("/runs");
  const { createdAt } = (await api.run(failed)).run;
  const hover = await person.page.locator(`time[datetime="${createdAt}"]`).first().getAttribute("title");
  expect(hover).toMatch(new RegExp(`Asia/Tokyo\\n${createdAt}$`));
  person.expectCalm();
});

test("what does not start says for what it waits and who has it, and the limit is raised there", async () => {
  const first = await api.start("milled", { params: { ms: 60_000 } });
  const second = await api.start("milled", { params: { ms: 60_000 } });
  await using person = await at("/workers", /1 task waits for the pool warehouse: 1 of 1 slot used by/);
  const line = person.page.getByRole("listitem").filter({ hasText: "warehouse" });
  expect(await line.getByRole("link", { name: "milled grind" }).getAttribute("href")).toContain("node=grind");
  await person.expectAccessible();
  await line.getByRole("button", { name: "Raise the limit…" }).click();
  await person.page.getByLabel("Slots", { exact: true }).fill("2");
  await person.sees("1 slot will be free");
  await person.page.getByRole("button", { name: "Set" }).click();
  await person.page.getByText("What does not start, and why").waitFor({ state: "detached" });
  await person.page.getByRole("row", { name: /^warehouse .* 2 of 2/ }).waitFor();
  await person.sees("an operator");
  // Both are chosen by the keyboard and cancelled together.
  await person.open("/runs?pipeline=milled&state=running");
  await person.sees(second);
  for (const key of ["j", "x", "j", "x"]) await person.page.keyboard.press(key);
  await person.page.getByRole("button", { name: "Cancel 2…" }).click();
  await person.page.getByRole("dialog").getByText(first).waitFor();
  await person.page.getByRole("button", { name: "Cancel them" }).click();
  await person.sees("2 runs done.");
  for (const run of [first, second])
    await until("its end", 10_000, async () => (await api.run(run)).run.state === "cancelled");
  person.expectCalm();
});

test("runs are filtered by the address, and saved as a table", async () => {
  await using person = await at(
    "/runs?by=person&order=oldest",
    /Those begun by a person or program, oldest first/,
  );
  await person.sees(failed);
  await person.page.getByLabel("time", { exact: true }).selectOption({ label: "the last hour" });
  await person.sees(/since \d\d:\d\d:\d\d/);
  expect(person.path).toMatch(/since=2/);
  const [saved] = await Promise.all([
    person.page.waitForEvent("download"),
    person.page.getByRole("button", { name: "CSV" }).click(),
  ]);
  expect(saved.suggestedFilename()).toBe("runs.csv");
  const text = await readFile(await saved.path(), "utf8");
  expect(text.split("\r\n")[0]).toMatch(/^run,pipeline,state/);
  expect(text).toContain(`${failed},orders,failed,1,`);
  await person.page.getByLabel("since").fill("2020-01-01T00:00");
  await person.page.getByLabel("since").press("Enter");
  await person.sees("since 2020-01-01 00:00:00");
  await person.expectAccessible();
  person.expectCalm();
});

test("the first page tells what is late, and from where events come", async () => {
  const run = await api.start("milled");
  await until("its end", 20_000, async () => (await api.run(run)).run.state === "succeeded");
  const event = { specversion: "1.0", id: "1", source: "/shop", type: "order.seen" };
  await api.emit(event);
  // The asset is late a second later, and nothing happens then.
  await using person = await at("/", /1 asset is older than allowed/, { scheme: "dark" });
  await person.page.getByRole("row", { name: /^\/shop / }).waitFor();
  await person.expectAccessible();
  await person.page.getByRole("link", { name: "Who writes it" }).click();
  await person.sees("lake/flour");
  expect(person.path).toBe("/assets/lake%2Fflour");
  person.expectCalm();
});

test("the settings are shown with where they come from", async () => {
  await using person = await at("/system", "Settings", { scheme: "dark" });
  await person.page.getByRole("row", { name: /^host 127\.0\.0\.1 the default/ }).waitFor();
  await person.page
    .getByRole("row", { name: /^pools\.warehouse 2 \(millrace\.config\.ts says 1\) an operator/ })
    .waitFor();
  await person.expectAccessible();
  person.expectCalm();
});
