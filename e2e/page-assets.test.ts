/** Pages of assets, schedules and approvals, as a person uses them: in a real browser, at a real server. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { startBrowser, Visit, type VisitOptions } from "./harness/browser.ts";
import { isLong, Stack } from "./harness/stack.ts";

const projectFolder = join(import.meta.dirname, "assets-project");

let stack: Stack;
let browser: Browser;
let api: Api;

beforeAll(async () => {
  stack = await Stack.make();
  ({ api } = await stack.server());
  await stack.worker({ url: api.url, slots: 8 });
  browser = await startBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

function visit(options: VisitOptions = {}): Promise<Visit> {
  return Visit.begin(browser, api.url, options);
}

function updated(id: string, asset: string, partition: string): object {
  return {
    specversion: "1.0",
    id,
    source: "/spark",
    type: "millrace.asset.updated",
    subject: asset,
    data: { partition },
  };
}

describe("with nothing there", () => {
  test.each([
    ["/assets", /Here stand the pieces of data/],
    ["/assets?view=graph", /No asset is known/],
    ["/schedules", /Here stands what will start/],
    ["/approvals", /Nobody is asked for anything/],
  ])("%s teaches what would be there", async (path, text) => {
    await using person = await visit();
    await person.open(path);
    await person.sees(text);
    person.expectCalm();
  });
});

describe("with a project", () => {
  let first: string;

  beforeAll(async () => {
    await stack.deploy(api, { folder: projectFolder });
    first = await api.start("release");
    for (const [at, hour] of ["T01:00+02:00", "T02:00+02:00", "T02:00+01:00", "T04:00+01:00"].entries())
      await api.emit(updated(`hour-${at}`, "landing/orders", `2026-10-25${hour}`));
    await fetch(`${api.url}/hooks/shop`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kind: "paid", order: 7 }),
    });
  }, 60_000);

  test.each([
    ["light", 2_560, 0],
    ["dark", 1_280, 1],
  ] as const)(
    "every page can be read: %s, %i wide",
    async (scheme, width, turn) => {
      await using person = await visit({ scheme, width });
      const pages = [
        ["/assets", "lake/orders"],
        ["/assets?view=graph", "clean-orders"],
        ["/assets/lake%2Forders?until=2026-10-26T00:00:00Z", "clocks go back"],
        ["/assets/mart%2Fsales?partition=model=a/region=eu", "Nothing was written to it yet."],
        ["/schedules", "nightly"],
        ["/schedules?span=day&from=2026-10-04&zone=Australia/Lord_Howe", "half of it is skipped"],
        [`/approvals?id=${encodeURIComponent(`${first}/ask:1`)}`, "how many to print"],
        ["/approvals?tab=answered", /answered what/],
      ] as const;
      // Each page in one of the two; in the long form in both.
      const looked = isLong ? pages : pages.filter((_, at) => at % 2 === turn);
      for (const [path, text] of looked) {
        await person.open(path);
        await person.sees(text);
        await person.expectAccessible();
      }
      person.expectCalm();
    },
    90_000,
  );

  test("assets are searched and sorted in the address, and saved as they are shown", async () => {
    await using person = await visit();
    await person.open("/assets");
    await person.sees("mart/sales");
    await person.page.keyboard.press("/");
    await person.page.keyboard.type("clean-orders");
    await person.page.getByText("mart/sales").waitFor({ state: "detached" });
    expect(person.path).toBe("/assets?find=clean-orders");
    await person.page.getByLabel("in which order").selectOption("missing");
    expect(person.path).toContain("sort=missing");
    const saved = person.page.waitForEvent("download");
    await person.page.getByRole("button", { name: "as CSV" }).click();
    const text = await readFile(await (await saved).path(), "utf8");
    expect(text.split("\r\n").map((line) => line.split(",")[0])).toEqual(["asset", "lake/orders", ""]);
    await person.page.getByRole("link", { name: "lake", exact: true }).click();
    expect(person.path).toContain("find=lake");
    person.expectCalm();
  });

  test("the graph leads from a webhook over its events and pipelines to assets, and each is a link", async () => {
    await using person = await visit();
    await person.open("/assets?view=graph&around=mart/orders_daily&depth=4");
    const picture = person.page.getByRole("group", { name: /Graph of/ });
    for (const name of [
      "webhook shop",
      "type of event order.paid",
      "pipeline summarise",
      "asset lake/orders",
    ])
      await picture.getByRole("link", { name: new RegExp(`^${name}`) }).waitFor();
    expect(await picture.getByRole("link", { name: /howe/ }).count()).toBe(0);
    await picture.getByRole("link", { name: /^pipeline summarise/ }).click();
    await person.page.waitForURL(/\/pipelines\/summarise/);
    await person.page.goBack();
    await picture.getByRole("link", { name: "What is around type of event order.paid" }).focus();
    await person.page.keyboard.press("Enter");
    await person.page.waitForURL(/around=order\.paid&kind=event|kind=event.*around=order\.paid/);
    await person.page.goBack();
    await picture.getByRole("link", { name: /^type of event order\.paid/ }).click();
    await person.sees("/hooks/shop");
    person.expectCalm();
  });

  test("hours of a day with 25 stand in their columns; the arrow keys go through them, and a missing one is run", async () => {
    await using person = await visit();
    await person.open("/assets/lake%2Forders?until=2026-10-26T00:00:00Z");
    const cells = person.page.getByRole("group", { name: /partitions/ });
    await cells.getByRole("link", { name: /2026-10-25T02:00\+02:00: there/ }).focus();
    await person.page.keyboard.press("ArrowRight");
    await person.page.keyboard.press("ArrowRight");
    await person.page.keyboard.press("Enter");
    const detail = person.page.getByRole("complementary", { name: "2026-10-25T03:00+01:00" });
    await detail.getByText("Nothing was written to it yet.").waitFor();
    expect(person.path).toContain("partition=2026-10-25T03");
    await detail.getByRole("button", { name: "Run clean-orders for it…" }).click();
    await person.page.getByRole("button", { name: "Run", exact: true }).click();
    await person.page.waitForURL(/\/runs\/r0/);
    await person.sees(/Succeeded at/);
    await person.page.goBack();
    await detail.getByText("Versions").waitFor();
    await detail.getByText("clean-orders / clean").first().waitFor();
    person.expectCalm();
  });

  test("an update is reported, shows at once with what it started, and a partition that is none is refused", async () => {
    await using person = await visit();
    await person.open("/assets/landing%2Forders?until=2026-10-26T00:00:00Z");
    await person.page.getByRole("button", { name: "Report an update…" }).first().click();
    await person.page.getByRole("textbox", { name: /^partition/ }).fill("monday");
    await person.page.getByRole("button", { name: "Report it" }).click();
    await person.sees(/it has no partition "monday"/);
    await person.page.getByRole("textbox", { name: /^partition/ }).fill("2026-10-25T05:00+01:00");
    await person.page.getByLabel(/metadata/).fill('{ "rows": 1200 }');
    await person.page.getByRole("button", { name: "Report it" }).click();
    await person.sees("rows 1200");
    await person.page.getByRole("link", { name: /2026-10-25T05:00\+01:00: there/ }).waitFor();
    await person.open("/assets/lake%2Forders");
    const version = person.page.getByRole("listitem").filter({ hasText: "2026-10-25T05:00+01:00" });
    await version.getByText("because").waitFor();
    await version.getByRole("link", { name: "landing/orders was updated" }).click();
    await person.sees(/Entry \d+ of the log/);
    // The refused one is in the console, as browsers tell each refusal.
  });

  test("a calendar shows what became of ticks and which runs overlap, in any zone, and the keyboard goes through it", async () => {
    await using person = await visit();
    await person.open("/schedules?from=2026-10-25");
    await person.sees(/clocks go back: 25 h/);
    await person.open("/schedules");
    await person.sees(/its runs overlap/);
    await person.sees(/ran \d+ times of late/);
    await person.page.getByRole("main").getByLabel("zone").first().selectOption("Australia/Lord_Howe");
    expect(person.path).toContain("zone=Australia%2FLord_Howe");
    await person.sees("02:15");
    await person.open("/schedules?zone=Asia/Kathmandu");
    // 02:30 of Berlin in winter.
    await person.sees("07:15");
    const calendar = person.page.getByRole("table", { name: "Schedules in Asia/Kathmandu" });
    await calendar.focus();
    await person.page.evaluate(() => Object.assign(globalThis, { isSamePage: true }));
    await person.page.keyboard.press("j");
    await person.page.keyboard.press("j");
    await person.page.keyboard.press("Enter");
    await person.page.waitForURL(/\/(triggers|runs)\//);
    expect(await person.page.evaluate(() => "isSamePage" in globalThis)).toBe(true);
    person.expectCalm();
  });

  test("what the server refuses stands at its field; the first answer counts, and the second person is told", async () => {
    const id = `${await api.start("release")}/ask:1`;
    await using ann = await visit();
    await using bob = await visit();
    for (const person of [ann, bob]) {
      await person.open(`/approvals?id=${encodeURIComponent(id)}`);
      const form = person.page.locator("form.answer");
      await form.getByLabel(/copies/).fill("3");
      await form.getByLabel(/street/).fill("Main");
      await form.getByLabel(/zip/).fill(person === ann ? "123" : "12345");
      await form.getByLabel("y", { exact: true }).check();
    }
    await bob.page.getByLabel("You are").selectOption("bob");
    await ann.sees(/publish may begin/);
    await ann.page.getByRole("button", { name: "Approve" }).click();
    await ann.page.locator(".form-field.faulty", { hasText: "zip" }).locator(".bad-text").waitFor();
    await ann.page.getByLabel(/zip/).fill("54321");
    // Bob's page hears nothing for a while, so that he answers, too.
    await bob.page.route("**/api/v1/approvals**", async (route) => {
      if (route.request().method() === "GET") await new Promise((resolve) => setTimeout(resolve, 1_500));
      await route.continue();
    });
    await ann.page.getByRole("button", { name: "Approve" }).click();
    await ann.page.locator("aside .state.good", { hasText: "approved" }).waitFor();
    await bob.page.getByRole("button", { name: "Reject" }).click();
    await bob.sees(/ann was first: your answer does not count/);
    await bob.page.unrouteAll({ behavior: "ignoreErrors" });
    await ann.open("/approvals?tab=answered");
    await ann.sees("Publish the <report>?");
    const { run } = await api.ended(id.split("/")[0]!, 20_000);
    expect(run.state).toBe("succeeded");
  });
});
