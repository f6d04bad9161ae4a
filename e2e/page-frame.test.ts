/** The frame of the page: what finds anything, the keys, the zone, and the pages of the machinery. */
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
  await stack.deploy(api, { folder: join(import.meta.dirname, "page-project") });
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
  await person.expectAccessible();
  await keyboard.type("rder");
  const option = person.page
    .getByRole("group", { name: "Pipelines" })
    .getByRole("option", { name: /orders/ });
  await option.waitFor();
  await person.expectAccessible();
  await keyboard.press("Enter");
  await person.sees("Prices orders & checks their <sum>");
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
  await person.page.getByRole("combobox").waitFor();
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
  await person.page.getByRole("rowgroup").getByRole("row").first().waitFor();
  await keyboard.press("j");
  await keyboard.press("Enter");
  await person.sees(/Entry \d+ of the log/);
  await keyboard.press("Escape");
  await person.page.getByText(/Entry \d+ of the log/).waitFor({ state: "detached" });
  expect(person.path).toBe("/events");
  person.expectCalm();
});

test("times stand in the zone of one's choice, with UTC at a hover, also at the next visit", async () => {
  await using person = await at(`/runs/${failed}`, /Failed at/);
  const ended = new Date((await api.run(failed)).run.endedAt!);
  const inBerlin = ended.toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin" });
  const inTokyo = ended.toLocaleTimeString("en-GB", { timeZone: "Asia/Tokyo" });
  await person.sees(inBerlin);
  const hover = await person.page.locator("time", { hasText: inBerlin }).first().getAttribute("title");
  expect(hover).toContain(ended.toISOString().slice(0, 19));
  await person.page.getByTitle("In whose time instants are shown").click();
  await person.expectAccessible();
  await person.page.getByLabel("another zone").fill("Asia/Tokyo");
  await person.page.keyboard.press("Enter");
  await person.page.getByRole("button", { name: "Done" }).click();
  await person.sees(inTokyo);
  await person.open(`/runs/${failed}`);
  await person.sees(inTokyo);
  person.expectCalm();
});
