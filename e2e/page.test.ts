/** The page as a person uses it: in a real browser, at a real server with real runs. */
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { startBrowser, Visit, type VisitOptions } from "./harness/browser.ts";
import { freePort, isLong, Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const projectFolder = join(import.meta.dirname, "page-project");

let stack: Stack;
let browser: Browser;
let api: Api;
/** By pipeline. */
const runs = new Map<string, string>();

function start(pipeline: string, params: object = {}): Promise<string> {
  return api.start(pipeline, { params });
}

async function ended(run: string): Promise<void> {
  await until(`the end of ${run}`, 30_000, async () => {
    const detail = await api.run(run);
    return ["succeeded", "failed", "waiting"].includes(detail.run.state);
  });
}

beforeAll(async () => {
  stack = await Stack.make();
  const server = await stack.server();
  api = server.api;
  await stack.worker({ url: api.url });
  browser = await startBrowser();
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

function visit(options: VisitOptions = {}): Promise<Visit> {
  return Visit.begin(browser, api.url, options);
}

describe("with nothing there", () => {
  test.each(["/runs", "/pipelines", "/events"])("%s teaches what would be there", async (path) => {
    await using person = await visit();
    await person.open(path);
    await person.sees(/Here stand/);
    await person.expectAccessible();
    person.expectCalm();
  });
});

describe("with runs", () => {
  beforeAll(async () => {
    await stack.deploy(api, { folder: projectFolder });
    runs.set("orders", await start("orders"));
    runs.set("failed", await start("orders", { most: 1 }));
    runs.set("shipped", await start("shipped"));
    await api.emit({
      specversion: "1.0",
      id: "1",
      source: "/shop",
      type: "order.paid",
      subject: "7",
      data: { note: "<script>alert(1)</script>" },
    });
    for (const run of runs.values()) await ended(run);
  }, 60_000);

  test.each([
    ["light", 1_280, 0],
    ["dark", 1_920, 1],
  ] as const)(
    "every page can be read: %s, %i wide",
    async (scheme, width, turn) => {
      await using person = await visit({ scheme, width });
      const pages = [
        ["/", /needs? (?:a person|you)/],
        ["/pipelines/orders", "Prices orders & checks their <sum>"],
        ["/pipelines/orders?tab=graph", "price"],
        ["/pipelines/orders?tab=durations", "Durations"],
        ["/pipelines/orders?tab=definition", /shop\.ts/],
        ["/triggers", "paid"],
        ["/triggers/paid", /order\.paid/],
        ["/assets", /Assets/],
        ["/schedules", /Schedules/],
        ["/approvals", /Approvals/],
        ["/workers", /slots/],
        ["/system", /PostgreSQL/],
        ["/runs", /all of them, newest first/i],
        ["/pipelines", "Prices orders & checks their <sum>"],
        ["/events", "order.paid"],
        [`/runs/${runs.get("orders")}`, /Succeeded at/],
        [`/runs/${runs.get("failed")}`, /<img src=x onerror=alert\(1\)> the sum/],
        [`/runs/${runs.get("failed")}?tab=logs`, "the sum is looked at"],
        [`/runs/${runs.get("failed")}?tab=data`, "Parameters"],
        [`/runs/${runs.get("shipped")}`, /Waiting for an event goods.sent/],
      ] as const;
      // Each page in one of the two; in the long form in both.
      const looked = isLong ? pages : pages.filter((_, at) => at % 2 === turn);
      for (const [path, text] of looked) {
        await person.open(path);
        await person.sees(text);
        await person.expectAccessible({ contrast: true });
      }
      person.expectCalm();
    },
    90_000,
  );

  test("a failed run shows its failed node, its error and its last lines at once", async () => {
    await using person = await visit();
    await person.open(`/runs/${runs.get("failed")}`);
    const detail = person.page.getByRole("complementary", { name: "check" });
    await detail.getByText("the sum 15 is above 1").first().waitFor();
    await detail.getByText("the sum is looked at").waitFor();
    person.expectCalm();
  });

  test("from a run to the event that started it, and back", async () => {
    await using person = await visit();
    await person.open("/runs?pipeline=paid");
    await person.page.getByRole("link", { name: /^r0/ }).click();
    await person.page.getByRole("link", { name: "order.paid 7" }).click();
    await person.sees(/Entry \d+ of the log/);
    const there = person.path;
    expect(there).toMatch(/^\/events\?event=/);
    await person.page.goBack();
    await person.sees("because");
    expect(person.path).toMatch(/^\/runs\/r0/);
    // An address that is sent to somebody shows the same.
    await person.open(there);
    await person.sees(/Entry \d+ of the log/);
    await person.page.getByRole("link", { name: /^r0/ }).click();
    await person.sees(/Succeeded at/);
    person.expectCalm();
  });

  test("what happens shows without a reload, in two tabs over one connection", async () => {
    await using person = await visit();
    await person.open("/runs?pipeline=slow");
    await person.sees("No run is like that.");
    const second = await person.context.newPage();
    await second.goto(`${api.url}/runs?pipeline=slow`);
    const run = await start("slow");
    await person.sees(run);
    await second.getByText(run).waitFor();
    await person.page.getByRole("link", { name: run }).click();
    await person.sees(/Running since/);
    await person.sees(/% part \d+/);
    await person.sees(/Succeeded at/);
    await second.getByRole("row").getByText("succeeded").waitFor();
    person.expectCalm();
  });

  test("log lines come as they are written, and can be searched", async () => {
    await using person = await visit();
    const run = await start("slow");
    await person.open(`/runs/${run}?tab=logs`);
    await person.sees("part 3 of 20");
    await person.sees("part 20 of 20");
    await person.page.getByLabel("find in lines").fill("part 7");
    await person.sees("1 line");
    expect(person.path).toContain("find=part");
    person.expectCalm();
  });

  test("the keyboard alone leads to a failed run", async () => {
    await using person = await visit();
    await person.open("/events");
    await person.sees("order.paid");
    await person.page.keyboard.press("g");
    await person.page.keyboard.press("r");
    await person.sees("All of them, newest first.");
    await person.page.keyboard.press("/");
    await person.page.keyboard.type("orders");
    await person.page.keyboard.press("Enter");
    await person.sees("Those of orders, newest first.");
    expect(person.path).toBe("/runs?pipeline=orders");
    person.expectCalm();
  });

  test("a run is run again from its page", async () => {
    const run = await start("orders", { most: 2 });
    await ended(run);
    await using person = await visit();
    await person.open(`/runs/${run}`);
    await person.page.getByRole("button", { name: "Rerun what failed…" }).click();
    await person.sees("What did not succeed and all that comes after it runs again");
    await person.page.getByRole("button", { name: "Rerun what failed", exact: true }).click();
    await until("its second generation", 20_000, async () => {
      const detail = await api.run(run);
      return detail.run.generation === 2 && detail.run.state === "failed";
    });
    await person.sees(/Failed at/);
    person.expectCalm();
  });
});

test("a lost server is told, and the page goes on when it is there again", async () => {
  await using own = await Stack.make();
  const port = await freePort();
  const first = await own.server({ port });
  await using person = await Visit.begin(browser, first.api.url);
  await person.open("/runs");
  await person.sees("● live");
  await first.command.stop();
  await person.sees(/no link to the server/);
  await own.server({ port });
  await person.sees("● live");
}, 90_000);

test("a server with a token asks for it, and shows nothing before", async () => {
  await using own = await Stack.make();
  const { api: guarded } = await own.server({ token: "a-secret-token" });
  await using person = await Visit.begin(browser, guarded.url);
  await person.open("/runs");
  await person.sees("This server asks for its token");
  await person.page.getByLabel("Token").fill("wrong");
  await person.page.getByRole("button", { name: "Open" }).click();
  await person.sees("The token that this browser has is not this server's.");
  await person.page.getByLabel("Token").fill("a-secret-token");
  await person.page.getByRole("button", { name: "Open" }).click();
  await person.sees(/Here stand the runs/);
  await person.sees("● live");
}, 60_000);
