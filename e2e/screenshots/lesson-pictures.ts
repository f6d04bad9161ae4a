/** The pictures of `docs/learning`: made at the places of the page at which they stand, by doing what it says until there. */
import { mkdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { RunSummary } from "@millrace/protocol";
import type { Browser } from "playwright-core";
import { Visit } from "../harness/browser.ts";
import { Lesson, lessonSteps } from "../harness/lesson.ts";
import { Stack } from "../harness/stack.ts";
import { until } from "../harness/until.ts";
import { Rest } from "./rest.ts";

const page = "docs/learning/first-hybrid-pipeline.md";
const repository = join(import.meta.dirname, "..", "..");
const size = { width: 1_120, height: 640 };
const patienceMs = 30_000;

/** What is looked at, by the picture's name: the address, once it is as the page says. */
const looks: { readonly [name: string]: (lesson: Lesson) => Promise<string> } = {
  "first-contact": async (lesson) => {
    await newestRun(lesson, "hello", "succeeded");
    return "/";
  },
  "briefing-waits": async (lesson) => `/runs/${await newestRun(lesson, "briefing", "waiting")}`,
  "briefing-ended": async (lesson) => `/runs/${await newestRun(lesson, "briefing", "succeeded")}`,
  "broken-file": async (lesson) => {
    await lesson.mistake("pipelines/brief.ts", "compose();", "compose(;");
    return "/pipelines/briefing?tab=graph";
  },
};

/** Tells each picture that it made. */
export async function lessonPictures(browser: Browser, tell: (file: string) => void): Promise<void> {
  await using stack = await Stack.make();
  const lesson = new Lesson(stack);
  for (const step of lessonSteps(page)) {
    await lesson.play(step);
    if (step.kind !== "picture") continue;
    const name = basename(step.file, ".png");
    const look = looks[name];
    if (!look) throw new Error(`nobody knows what ${step.file} shows`);
    const path = await look(lesson);
    await using visit = await Visit.begin(browser, lesson.api.url, { width: size.width });
    const rest = new Rest(visit.page);
    await visit.page.setViewportSize(size);
    await visit.open(path);
    await visit.page.locator("main h1").first().waitFor();
    await rest.come();
    const file = join(repository, step.file);
    mkdirSync(dirname(file), { recursive: true });
    await visit.page.screenshot({ path: file });
    tell(file);
  }
}

async function newestRun(lesson: Lesson, pipeline: string, state: string): Promise<string> {
  return until(`a run of ${pipeline} that is ${state}`, patienceMs, async () => {
    const [newest]: RunSummary[] = await lesson.api.runs(`pipeline=${pipeline}`);
    return newest?.state === state && newest.id;
  });
}
