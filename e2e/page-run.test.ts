/** The page of one run, as a person uses it: in a real browser, at a real server with real runs. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Download } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { startBrowser, Visit, type VisitOptions } from "./harness/browser.ts";
import { isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

let stack: Stack;
let browser: Browser;
let api: Api;
const runs = { story: "", failed: "", after: "", lines: "", kept: "", held: "" };

const shopClosed = {
  specversion: "1.0",
  id: "1",
  source: "/shop",
  type: "shop.closed",
  subject: "bonn",
  data: {},
};

async function runOf(pipeline: string): Promise<string> {
  let found: string | undefined;
  await until(`a run of ${pipeline}`, 20_000, async () => {
    const { items } = await api.send<{ items: { id: string; pipeline: string }[] }>(
      "GET",
      `/runs?pipeline=${pipeline}`,
    );
    found = items[0]?.id;
    return found !== undefined;
  });
  return found!;
}

async function ended(run: string): Promise<void> {
  await until(`the end of ${run}`, 30_000, async () => {
    const detail = await api.run(run);
    return ["succeeded", "failed"].includes(detail.run.state);
  });
}

beforeAll(async () => {
  stack = await Stack.make();
  const server = await stack.server();
  api = server.api;
  await stack.worker({ url: api.url });
  await stack.deploy(api, { folder: join(import.meta.dirname, "run-project") });
  await api.emit(shopClosed);
  runs.story = await runOf("story");
  await ended(runs.story);
  runs.after = await runOf("after");
  runs.kept = await api.start("kept");
  runs.lines = await api.start("lines");
  runs.failed = await api.start("story", { params: { fails: true } });
  runs.held = await api.start("held");
  browser = await startBrowser();
  for (const run of [runs.after, runs.kept, runs.lines, runs.failed]) await ended(run);
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

function visit(options: VisitOptions = {}): Promise<Visit> {
  return Visit.begin(browser, api.url, options);
}

async function contentOf(download: Download): Promise<string> {
  return readFile(await download.path(), "utf8");
}

describe("the graph of a run", () => {
  test("shows states, items as one node, the longest way, and folds groups; what is selected stays in other tabs", async () => {
    await using person = await visit();
    await person.open(`/runs/${runs.story}?tab=graph`);
    const { page } = person;
    await page.getByRole("button", { name: "clean/clean: succeeded; 12 succeeded" }).waitFor();
    await person.sees(/The longest way: extract .* → load .* % of the run/);
    expect(await page.locator(".vertex.critical").count()).toBeGreaterThanOrEqual(4);
    await page.getByRole("button", { name: "Fold audit" }).click();
    await page.getByRole("button", { name: "audit: succeeded; 2 succeeded; opens" }).waitFor();
    expect(person.path).toContain("fold=audit");
    await page.getByRole("button", { name: "load: succeeded", exact: true }).click();
    await page.getByRole("complementary", { name: "load" }).getByText("2 attempts").waitFor();
    await person.expectAccessible();
    await page.getByRole("link", { name: "Timeline" }).click();
    const row = page.getByRole("row", { name: /load/ }).and(page.locator("[aria-selected=true]"));
    await row.getByRole("img", { name: /ran .*between attempts, ran .*longest way/ }).waitFor();
    person.expectCalm();
  });

  test("changes as the run does", async () => {
    await using person = await visit({ scheme: "dark" });
    await person.open(`/runs/${runs.held}?tab=graph`);
    await person.page.getByRole("button", { name: "goods: waiting" }).waitFor();
    await person.page.getByRole("button", { name: "goods: waiting" }).click();
    await person.sees(/It waits for an event goods\.sent, until/);
    await person.expectAccessible();
    await api.emit({ ...shopClosed, id: "2", type: "goods.sent" });
    await person.page.getByRole("button", { name: "tell: succeeded" }).waitFor();
    person.expectCalm();
  });

  test("and its timeline are saved as files that other viewers show", async () => {
    await using person = await visit({ scheme: "dark" });
    const { page } = person;
    for (const [tab, name] of [
      ["graph", "graph"],
      ["nodes", "timeline"],
    ] as const) {
      await person.open(`/runs/${runs.story}?tab=${tab}`);
      const save = page.getByRole("button", { name: "save as SVG" });
      await save.waitFor();
      const [download] = await Promise.all([page.waitForEvent("download"), save.click()]);
      expect(download.suggestedFilename()).toBe(`${runs.story}-${name}.svg`);
      const svg = await contentOf(download);
      expect(svg).not.toMatch(/var\(|light-dark|color-mix|foreignObject|class=/);
      const path = join(stack.folder, `${name}.svg`);
      await download.saveAs(path);
      const viewer = await browser.newPage();
      await viewer.goto(pathToFileURL(path).href);
      const texts = await viewer.locator("text").allTextContents();
      expect(texts).toEqual(expect.arrayContaining(["extract", "clean/clean", "load", "look"]));
      const paper = await viewer.locator("rect").first().getAttribute("fill");
      expect(paper).toBe("#11161b");
      await viewer.close();
    }
    person.expectCalm();
  });
});

test("a rerun from a node and a mark tell what they would affect before they act", async () => {
  await using person = await visit();
  const { page } = person;
  await person.open(`/runs/${runs.failed}?node=load`);
  await page.getByRole("button", { name: "Rerun from here…" }).click();
  const rerun = page.getByRole("dialog", { name: "Rerun load and all that comes after it?" });
  await rerun.getByText("3 task runs of 3 nodes start afresh").waitFor();
  await rerun.getByText("15 others of 4 nodes keep what they have").waitFor();
  expect(await rerun.getByRole("listitem").allTextContents()).toHaveLength(3);
  await person.expectAccessible();
  await rerun.getByRole("button", { name: "Leave it" }).click();
  await person.open(`/runs/${runs.failed}?node=look`);
  await page.getByRole("button", { name: "Mark…" }).click();
  const mark = page.getByRole("dialog", { name: "Mark look?" });
  await mark.getByText("Nothing else is decided again").waitFor();
  await mark.getByText("It makes generation 2 of this run").waitFor();
  const { run } = await api.run(runs.failed);
  expect(run.generation).toBe(1);
  await mark.getByRole("button", { name: "Mark it succeeded" }).click();
  await person.sees(/Succeeded at/);
  person.expectCalm();
});

describe("the log of a run", () => {
  test("is read from its end or beginning, leads to its first error, and is looked through", async () => {
    await using person = await visit();
    const { page } = person;
    await person.open(`/runs/${runs.lines}?tab=logs`);
    await person.sees(/^line 2999 of speaker/);
    await page.getByRole("button", { name: "beginning" }).click();
    await person.sees(/^line 0 of speaker/);
    await page.getByRole("button", { name: "first error" }).click();
    await page.locator(".marked").getByText("line 1500 is <b>bad</b>").waitFor();
    expect(person.path).toContain("at=");
    await page.getByRole("button", { name: "next error" }).click();
    await person.sees("there is no further error");
    await person.expectAccessible();
    await page.getByLabel("find in lines").fill("LINE 77 of");
    await person.sees("2 lines");
    await page.getByLabel("raw").check();
    await page.getByLabel("wrap").check();
    await person.sees("line 77 of speaker 0, with a little to read in it");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "NDJSON" }).click(),
    ]);
    const lines = (await contentOf(download)).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { text: string }).text).sort()).toEqual([
      "line 77 of speaker 0, with a little to read in it",
      "line 77 of speaker 1, with a little to read in it",
    ]);
    person.expectCalm();
  });
});

test("artifacts are shown; html can reach neither the page, nor the network, nor the API", async () => {
  await using person = await visit();
  const { page } = person;
  const asked: string[] = [];
  await person.open(`/runs/${runs.kept}?tab=data`);
  await page.getByRole("link", { name: "rows", exact: true }).click();
  await page.getByRole("table", { name: "rows" }).getByText("<b>Köln</b>").waitFor();
  await page.getByRole("link", { name: "dot.png", exact: true }).click();
  await page.getByRole("img", { name: "dot.png" }).waitFor();
  await person.expectAccessible();
  person.expectCalm();
  page.on("request", (request) => asked.push(request.url()));
  page.on("response", (response) => asked.push(response.url()));
  await page.getByRole("link", { name: "report.html", exact: true }).click();
  const frame = page.frameLocator("iframe[title='report.html']");
  await frame.getByRole("heading", { name: "A report" }).waitFor();
  // It looks as it was written.
  expect(await frame.getByText("in red").evaluate((element) => getComputedStyle(element).color)).toBe(
    "rgb(200, 0, 0)",
  );
  await frame.getByText("away", { exact: true }).click();
  await frame.getByRole("button", { name: "send" }).click();
  await frame.getByText("script", { exact: true }).click();
  expect(
    await frame.locator("body").evaluate(async () => {
      const reached: string[] = [];
      try {
        if (parent.document.title) reached.push("page");
      } catch {}
      await fetch("/api/v1/info").then(
        () => reached.push("api"),
        () => undefined,
      );
      return [...reached, origin, document.querySelectorAll("script, iframe, meta").length];
    }),
  ).toEqual(["null", 0]);
  expect(await frame.getByText("taken over").count()).toBe(0);
  expect(await page.title()).toMatch(/^kept /);
  const answered = asked.filter((url) => !/artifact-frame\.html|\/blobs\/|\/mark\.svg/.test(url));
  // What its policy refuses is told as asked for, and never is.
  expect(answered.filter((url) => !url.endsWith("/seen.png") && !url.endsWith("/info"))).toEqual([]);
  const blob = await page.evaluate(async (run) => {
    const { items } = (await (await fetch(`/api/v1/runs/${run}/artifacts`)).json()) as {
      items: { name: string; blob: string }[];
    };
    const { headers } = await fetch(
      `/api/v1/blobs/${items.find(({ name }) => name === "report.html")?.blob}`,
    );
    return ["content-type", "content-disposition", "content-security-policy", "x-content-type-options"].map(
      (name) => headers.get(name),
    );
  }, runs.kept);
  expect(blob).toEqual(["application/octet-stream", "attachment", "sandbox", "nosniff"]);
});

test("causes lead back to the outside world, and effects on to what they started", async () => {
  await using person = await visit({ width: 1_280 });
  const { page } = person;
  await person.open(`/runs/${runs.after}?tab=chain`);
  const above = page.getByRole("list", { name: "What led to it" });
  await above.getByText("the outside world, as /shop").waitFor();
  const steps = await above.getByRole("listitem").allTextContents();
  const wanted = [
    "outside world",
    "shop.closed bonn",
    "trigger of story",
    "load of story",
    "report.loaded 7",
  ];
  for (const [at, text] of [...wanted, "trigger of after", "this run"].entries())
    expect(steps[at]).toContain(text);
  await person.expectAccessible();
  await above.getByRole("link", { name: "story", exact: true }).click();
  await person.sees(/^so /);
  await page.getByRole("link", { name: "Causes & effects" }).click();
  const below = page.getByRole("list", { name: "What came of it" });
  await below.getByRole("link", { name: runs.after }).click();
  await person.page.waitForURL(`**/runs/${runs.after}`);
  await person.sees(/^because/);
  person.expectCalm();
});

test("each attempt stands with its reason, and what went in and out as a tree", async () => {
  await using person = await visit();
  await person.open(`/runs/${runs.story}?node=load`);
  const detail = person.page.getByRole("complementary", { name: "load" });
  await detail.getByText("Error: the warehouse was busy", { exact: true }).waitFor();
  await detail.getByText("attempt 2 succeeded").waitFor();
  await detail.getByRole("heading", { name: "Input" }).waitFor();
  await detail.getByText("prices:").waitFor();
  await detail.getByRole("heading", { name: "Output" }).waitFor();
  await person.open(`/runs/${runs.story}?node=clean%2Fclean&item=3`);
  await person.page.getByText("12 items").waitFor();
  await person.page.getByRole("complementary").getByText("3.5").waitFor();
  await person.expectAccessible();
  person.expectCalm();
});

test.runIf(isLong)(
  "5,000 nodes and 10,000 items freeze nothing",
  async () => {
    await stack.deploy(api, { folder: join(import.meta.dirname, "run-large-project") });
    const [wide, many] = [await api.start("wide"), await api.start("many")];
    await using person = await visit();
    const { page } = person;
    await page.addInitScript(() => {
      const long: number[] = [];
      Object.assign(globalThis, { long });
      new PerformanceObserver((list) =>
        long.push(...list.getEntries().map(({ duration }) => duration)),
      ).observe({
        type: "longtask",
      });
    });
    await person.open(`/runs/${many}?tab=graph`);
    await page.getByRole("button", { name: /^part: .*10000 succeeded/ }).waitFor({ timeout: 180_000 });
    await page.getByRole("button", { name: /^part: / }).click();
    await page.getByRole("row", { name: /\[17\]/ }).click();
    await page.getByText("part[17]").waitFor();
    await person.open(`/runs/${wide}?tab=graph`);
    await page
      .getByRole("button", { name: /^g0-0: .*succeeded; 50 succeeded/ })
      .waitFor({ timeout: 180_000 });
    await page.getByRole("button", { name: "unfold all" }).click();
    await page.getByRole("button", { name: "all", exact: true }).click();
    await page.locator(".crowd").waitFor();
    await page.getByRole("link", { name: "Timeline" }).click();
    await page.getByRole("row", { name: /g0-0\/part-3 / }).waitFor();
    const longest = await page.evaluate(() =>
      Math.max(0, ...(globalThis as unknown as { long: number[] }).long),
    );
    expect(longest).toBeLessThan(1_500);
    person.expectCalm();
  },
  400_000,
);
