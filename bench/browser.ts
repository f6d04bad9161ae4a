import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";
import { openHistory } from "./history/open.ts";
import { busy, lattice } from "./history/project.ts";
import { resultOf, type Bench } from "./parts/result.ts";
import { quantile, round, summarize } from "./parts/statistics.ts";

const places = [process.env["MILLRACE_CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"];
const patienceMs = 30_000;
const frameMs = 1_000 / 60;

/** The bars: the first page within 1 s, each other one within 200 ms, 60 frames a second, 250 KB of JavaScript. */
export const browser: Bench = {
  name: "browser",
  measures:
    "the page in Chromium over a long history: the first page with nothing cached, from the navigation until it shows what is asked for and its thread rests; each other page from the click until it shows it (the durations); frames while a grid of 1,000 runs of 50 nodes scrolls",
  doesNotMeasure: [
    "a machine for each part: Chromium, server and database share the same cores",
    "a graphics processor: there is none",
    "the network: it is loopback",
  ],
  run: async (options) => {
    const rounds = options.short ? 1 : 5;
    await using history = await openHistory(options);
    const { stack, server, sizes } = history;
    const chromiumPath = places.find((place) => place !== undefined && existsSync(place));
    if (chromiumPath === undefined)
      throw new Error("Chromium is not installed: install it, or name one in MILLRACE_CHROMIUM.");
    const chrome = await chromium.launch({
      executablePath: chromiumPath,
      args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
    });
    try {
      // The server reads and packs its files when they are first asked for.
      await firstPage(chrome, server.url, "/");
      const first: FirstPage[] = [];
      for (let turn = 0; turn < rounds; turn += 1) first.push(await firstPage(chrome, server.url, "/"));
      const visits = await navigations(chrome, server.url, rounds);
      const grid = await scrollGrid(chrome, server.url, options.short ? 120 : 600);
      const numbers = {
        ...summarize(Object.values(visits).flat()),
        runs: sizes.runs,
        firstPageMs: summarize(first.map(({ usableMs }) => usableMs)),
        scriptKilobytes: first[0]!.scriptKilobytes,
        allKilobytes: first[0]!.allKilobytes,
        slowest: Object.entries(visits)
          .map(([name, durations]) => ({ name, ...summarize(durations) }))
          .toSorted((a, b) => b.median - a.median)
          .slice(0, 5),
        grid,
      };
      return await resultOf(stack, "browser", numbers, "none: no task runs");
    } finally {
      await chrome.close();
    }
  },
};

/** As strings: they run in the page. A page is there when it shows more than what it waits for, and the one before is gone. */
const isThere = `(() => {
  const main = document.querySelector("main");
  const text = main?.innerText ?? "";
  return text.length > 20 && !/Reading…|Looking…/.test(text) && main.querySelector("[data-left]") === null;
})()`;
/** Resolves at the frame in which it is there. */
const whenThere = (path: string): string => `new Promise((resolve) => {
  const look = () => location.pathname + location.search === ${JSON.stringify(path)} && ${isThere}
    ? resolve(performance.now())
    : requestAnimationFrame(look);
  look();
})`;
const noteLongTasks = `
  window.longTasksEnd = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.longTasksEnd = Math.max(window.longTasksEnd, entry.startTime + entry.duration);
  }).observe({ type: "longtask", buffered: true });`;

interface FirstPage {
  readonly usableMs: number;
  readonly scriptKilobytes: number;
  readonly allKilobytes: number;
}

/** In a context of its own: nothing is cached. */
async function firstPage(chrome: Browser, url: string, path: string): Promise<FirstPage> {
  const context = await chrome.newContext({ viewport: { width: 1_440, height: 900 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(patienceMs);
    await page.addInitScript(noteLongTasks);
    await page.goto(`${url}${path}`, { waitUntil: "commit" });
    const there = await page.evaluate<number>(whenThere(path));
    await page.waitForTimeout(400);
    const { rest, scripts, all } = await page.evaluate<{
      rest: number;
      scripts: number;
      all: number;
    }>(`(() => {
      const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
      const sum = (some) => some.reduce((total, { transferSize }) => total + transferSize, 0);
      return {
        rest: window.longTasksEnd,
        scripts: sum(entries.filter(({ name }) => /[.]js$/.test(name))),
        all: sum(entries.filter(({ name }) => !name.includes("/api/"))),
      };
    })()`);
    return {
      usableMs: round(Math.max(there, rest)),
      scriptKilobytes: round(scripts / 1_024),
      allKilobytes: round(all / 1_024),
    };
  } finally {
    await context.close();
  }
}

/** From one page to the next by the links of the frame, then into one thing of each list: by name, ms of each click. */
async function navigations(
  chrome: Browser,
  url: string,
  rounds: number,
): Promise<{ readonly [name: string]: number[] }> {
  const context = await chrome.newContext({ viewport: { width: 1_440, height: 900 } });
  const found: { [name: string]: number[] } = {};
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(patienceMs);
    await page.goto(url);
    await page.evaluate(whenThere("/"));
    const frame = await page.evaluate<string[]>(
      `[...document.querySelectorAll("nav[aria-label=Pages] a")].map((link) => link.getAttribute("href"))`,
    );
    for (let turn = 0; turn < rounds; turn += 1) {
      // Each page from each other one would be a hundred clicks a turn: each turn goes round by another step.
      const step = 1 + (turn % Math.max(1, frame.length - 1));
      for (let at = 0; at < frame.length; at += 1) {
        const to = frame[(at * step + 1) % frame.length]!;
        await click(page, `nav[aria-label=Pages] a[href="${to}"]`, to, found);
      }
      for (const to of [`/pipelines/${busy}`, `/pipelines/${lattice}`, "/triggers/load-0"]) {
        const list = `/${to.split("/")[1]}`;
        await click(page, `nav[aria-label=Pages] a[href="${list}"]`, list, found);
        await click(page, `main a[href="${to}"]`, to, found);
      }
      await click(page, 'nav[aria-label=Pages] a[href="/runs"]', "/runs", found);
      const run = await page.evaluate<string | null>(
        `[...document.querySelectorAll('main a[href^="/runs/r"]')].at(-1)?.getAttribute("href") ?? null`,
      );
      if (run !== null) await click(page, `main a[href="${run}"]`, run, found, "/runs/:id");
    }
    return found;
  } finally {
    await context.close();
  }
}

async function click(
  page: Page,
  selector: string,
  to: string,
  found: { [name: string]: number[] },
  name = to,
): Promise<void> {
  const link = JSON.stringify(selector);
  const isListed = await page.evaluate<boolean>(
    `document.querySelector(${link}) !== null && location.pathname !== ${JSON.stringify(to)}`,
  );
  if (!isListed) return;
  const ms = await page.evaluate<number>(`(async () => {
    document.querySelector("main > *")?.setAttribute("data-left", "");
    const from = performance.now();
    document.querySelector(${link}).click();
    return (await ${whenThere(to)}) - from;
  })()`);
  (found[name] ??= []).push(ms);
  // What the page does afterwards is not the next one's.
  await page.waitForTimeout(100);
}

interface Frames {
  readonly median: number;
  readonly p95: number;
  readonly max: number;
  readonly frames: number;
  /** Those that came a frame or more too late. */
  readonly dropped: number;
}

/** To and fro over all its runs, some hundred pixels each frame. */
async function scrollGrid(chrome: Browser, url: string, frames: number): Promise<Frames> {
  const context = await chrome.newContext({ viewport: { width: 1_440, height: 900 } });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(patienceMs);
    await page.goto(`${url}/pipelines/${lattice}`);
    await page.locator(".cells").waitFor();
    // Older runs are asked for as their end is neared: first all of them.
    await page.evaluate(`(async () => {
      const cells = document.querySelector(".cells");
      for (let still = 0, width = 0; still < 20; still += 1) {
        cells.scrollLeft = still % 2 === 0 ? 0 : cells.scrollWidth;
        await new Promise((resolve) => setTimeout(resolve, 100));
        if (cells.scrollWidth !== width) still = Math.min(still, 1);
        width = cells.scrollWidth;
      }
    })()`);
    const times = await page.evaluate<number[]>(`new Promise((resolve) => {
      const cells = document.querySelector(".cells");
      const times = [];
      let way = -60;
      let down = 7;
      const step = (now) => {
        times.push(now);
        if (times.length > ${frames}) return resolve(times);
        const before = cells.scrollLeft;
        cells.scrollLeft += way;
        if (cells.scrollLeft === before) way = -way;
        const top = cells.scrollTop;
        cells.scrollTop += down;
        if (cells.scrollTop === top) down = -down;
        requestAnimationFrame(step);
      };
      requestAnimationFrame(step);
    })`);
    const durations = times.slice(1).map((time, at) => time - times[at]!);
    const sorted = durations.toSorted((a, b) => a - b);
    return {
      median: round(quantile(sorted, 0.5)),
      p95: round(quantile(sorted, 0.95)),
      max: round(sorted.at(-1) ?? Number.NaN),
      frames: durations.length,
      dropped: durations.filter((ms) => ms > 1.5 * frameMs).length,
    };
  } finally {
    await context.close();
  }
}
