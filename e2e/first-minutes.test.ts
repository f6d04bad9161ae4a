/** The first five minutes, as a newcomer has them: init, dev, the page, the first edits, the first mistakes. */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { ProjectView } from "@millrace/protocol";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Api } from "./harness/api.ts";
import { startBrowser, Visit } from "./harness/browser.ts";
import type { Command } from "./harness/command.ts";
import { Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const repository = join(import.meta.dirname, "..");
/** What a save may take until the page shows it; machines that do much else take longer. */
const saveMs = 1_000;
const patienceMs = 20_000;

let stack: Stack;
let browser: Browser;
let dev: Command;
let api: Api;
let project: string;
let sample: string;

const hello = (): string => join(project, "pipelines", "hello.ts");

beforeAll(async () => {
  stack = await Stack.make();
  project = join(stack.folder, "shop");
  mkdirSync(join(project, "node_modules"), { recursive: true });
  symlinkSync(join(repository, "packages", "millrace"), join(project, "node_modules", "millrace"));
  const made = await stack.run(["init"], { folder: project });
  expect(made.code, made.err).toBe(0);
  sample = readFileSync(hello(), "utf8");
  dev = stack.command(["dev", "--port", "0", "--json"], { folder: project });
  api = new Api(String((await dev.event("ready"))["url"]));
  browser = await startBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

function save(text: string): void {
  writeFileSync(hello(), text);
}

function view(): Promise<ProjectView> {
  return api.send("GET", "/project");
}

/** As it was written at first, and in force. */
async function mended(): Promise<void> {
  const before = await view();
  if (existsSync(hello()) && readFileSync(hello(), "utf8") === sample && before.state === "current") return;
  save(sample);
  await until("the files to be loaded", patienceMs, async () => {
    const { state, change } = await view();
    return state === "current" && change?.at !== before.change?.at;
  });
}

async function broken(): Promise<ProjectView> {
  return until("an error", patienceMs, async () => {
    const now = await view();
    return now.state === "broken" && now;
  });
}

test("the page shows the sample's run, because of what and by which line, and two edits to try", async () => {
  await using person = await Visit.begin(browser, api.url);
  await person.open("/");
  const steps = person.page.getByRole("region", { name: "First steps" });
  await steps.getByText(/because its trigger/).waitFor();
  await steps.getByRole("link", { name: "file.arrived lisbon.json" }).waitFor();
  await steps.getByText("succeeded").waitFor();
  const line = sample.split("\n").findIndex((text) => text.includes("on: on.batch(")) + 1;
  const declared = steps.getByRole("link", { name: `pipelines/hello.ts:${line}` }).first();
  expect(await declared.getAttribute("href")).toBe(`vscode://file${hello()}:${line}:5`);
  await steps.getByText("> ").or(steps.locator(".meant")).first().waitFor();
  expect(await steps.getByRole("listitem").count()).toBe(2);
  await person.expectAccessible();

  save(sample.replace("max: 3", "max: 2"));
  await steps.getByText("max: 2 is in force.").waitFor();
  await person.sees(/^saved /);
  await person.sees("hello");
  save(sample.replace("max: 3", "max: 2").replace("write(readings);", "tell(write(readings));"));
  await steps.waitFor({ state: "detached" });
  await person.sees("+tell");
  const { change } = await view();
  expect(change).toMatchObject({
    files: ["pipelines/hello.ts"],
    pipelines: [
      { name: "hello", kind: "changed", addedNodes: ["tell"], removedNodes: [], isTriggerChanged: false },
    ],
  });
  await mended();
  person.expectCalm();
}, 60_000);

test("a save shows the changed graph within a second", async () => {
  await mended();
  await using person = await Visit.begin(browser, api.url);
  await person.open("/pipelines/hello?tab=graph");
  await person.sees("write");
  const took: number[] = [];
  for (let turn = 1; turn <= 10; turn += 1) {
    const began = performance.now();
    save(sample.replace('task("write"', `task("write-${turn}"`));
    await shows(person, `write-${turn}`);
    took.push(performance.now() - began);
  }
  took.sort((one, other) => one - other);
  const median = took[5] ?? 0;
  console.log(`from the save to the page, ms: ${took.map(Math.round).join(" ")}`);
  expect(median).toBeLessThan(saveMs * slowness());
  await mended();
  person.expectCalm();
}, 90_000);

/** Within a frame of its being there: a locator looks each half second. */
function shows(person: Visit, node: string): Promise<void> {
  return person.page.evaluate(
    (name) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          const names = Array.from(
            document.querySelectorAll("main svg title"),
            ({ textContent }) => textContent,
          );
          if (names.includes(name)) resolve();
          else requestAnimationFrame(look);
        };
        look();
      }),
    node,
  );
}

/** How much longer a turn of this machine takes than it should, by what else it does. */
function slowness(): number {
  const load = Number(readFileSync("/proc/loadavg", "utf8").split(" ")[0]);
  return Math.max(1, load / availableParallelism());
}

const faults: readonly (readonly [
  what: string,
  make: (text: string) => string,
  code: string,
  says: RegExp,
])[] = [
  [
    "a syntax error",
    (text) => text.replace("list(firing.members.files);", "list(firing.members.files;"),
    "MILLRACE_BUNDLE_FAILED",
    /Expected "\)"/,
  ],
  [
    "a throw at import",
    (text) => `${text}\nthrow new Error("half a thought");\n`,
    "MILLRACE_LOAD_FAILED",
    /half a thought/,
  ],
  [
    "an import of what is not there",
    (text) => `import "./gone.ts";\n${text}`,
    "MILLRACE_BUNDLE_FAILED",
    /Could not resolve "\.\/gone\.ts"/,
  ],
  [
    "two nodes of one name",
    (text) =>
      text.replace(
        "return write(readings);",
        'write(readings, { id: "x" });\n    return write(readings, { id: "x" });',
      ),
    "MILLRACE_GRAPH_DUPLICATE_ID",
    /x/,
  ],
];

test.each(faults)(
  "%s shows on the page and in the terminal with its line, and the last version goes on",
  async (_what, make, code, says) => {
    await mended();
    const before = await view();
    await using person = await Visit.begin(browser, api.url);
    await person.open("/runs");
    await person.sees("● live");
    const told = dev.events.filter(({ event }) => event === "broken").length;
    save(make(sample));
    const banner = person.page.getByRole("alert", { name: "The project can't be loaded" });
    await banner.getByText(says).first().waitFor();
    await banner.getByText(/still running the version from/).waitFor();
    const now = await broken();
    const [error] = now.errors;
    expect(error).toMatchObject({ code, place: { file: "pipelines/hello.ts" } });
    expect(error?.frame).toContain(`> ${String(error?.place?.line)}`.slice(0, 2));
    const link = banner.getByRole("link", { name: `pipelines/hello.ts:${error?.place?.line}` });
    expect(await link.first().getAttribute("href")).toMatch(
      new RegExp(`^vscode://file.*hello\\.ts:${error?.place?.line}:\\d+$`),
    );
    await person.expectAccessible();
    await until(
      "the terminal's word",
      patienceMs,
      () => dev.events.filter(({ event }) => event === "broken").length > told,
    );
    expect(dev.events.findLast(({ event }) => event === "broken")).toMatchObject({
      error: { code, source: { line: error?.place?.line } },
      stillRunning: before.running?.deployment,
    });
    const run = await api.start("hello");
    expect((await api.ended(run, patienceMs)).run.state).toBe("succeeded");
    save(sample);
    await banner.waitFor({ state: "detached" });
    expect((await view()).errors).toEqual([]);
    person.expectCalm();
  },
  60_000,
);

test("a second error takes the place of the first, errors of two files are told together, and a file that is gone is no error", async () => {
  await mended();
  await using person = await Visit.begin(browser, api.url);
  await person.open("/");
  const banner = person.page.getByRole("alert", { name: "The project can't be loaded" });
  save(`${sample}\nthrow new Error("the first");\n`);
  await banner.locator("strong", { hasText: "the first" }).waitFor();
  save(`${sample}\nthrow new Error("the second");\n`);
  await banner.locator("strong", { hasText: "the second" }).waitFor();
  await banner.locator("strong", { hasText: "the first" }).waitFor({ state: "detached" });
  const other = join(project, "pipelines", "other.ts");
  writeFileSync(other, 'throw new Error("the other");\n');
  await banner.getByText("1 more error").click();
  await banner.locator("strong", { hasText: "the other" }).waitFor();
  const { errors } = await view();
  expect(
    errors.map(({ place }) => place?.file ?? "").toSorted((one, other) => one.localeCompare(other)),
  ).toEqual(["pipelines/hello.ts", "pipelines/other.ts"]);
  rmSync(other);
  await banner.getByText("1 more error").waitFor({ state: "detached" });
  await mended();
  await banner.waitFor({ state: "detached" });
  rmSync(hello());
  await person.sees(/No file in .* matches/);
  await mended();
  await banner.waitFor({ state: "detached" });
  person.expectCalm();
}, 60_000);

test("a configuration that is wrong is told with its place, and read again once it is mended", async () => {
  await mended();
  const file = join(project, "millrace.config.ts");
  const text = readFileSync(file, "utf8");
  writeFileSync(file, text.replace("project:", "projekt:"));
  const [error] = (await broken()).errors;
  expect(error).toMatchObject({ code: "MILLRACE_CONFIG_INVALID", place: { file: "millrace.config.ts" } });
  const told = (): number => dev.events.filter(({ event }) => event === "broken").length;
  const before = told();
  // Another file does not make it right.
  save(`${sample}\n`);
  await until("the save to be seen", patienceMs, () => told() > before);
  expect((await view()).errors[0]?.code).toBe("MILLRACE_CONFIG_INVALID");
  writeFileSync(file, text);
  await until("the project to be loaded", patienceMs, async () => (await view()).state === "current");
}, 60_000);

test("a tab that comes later sees the error, too, and other servers follow no files", async () => {
  save(`${sample}\nthrow new Error("early");\n`);
  await broken();
  await using person = await Visit.begin(browser, api.url);
  await person.open("/events");
  await person.sees(/early/);
  const second = await person.context.newPage();
  await second.goto(`${api.url}/assets`);
  await second.getByText(/early/).first().waitFor();
  await mended();
  await person.page.getByText(/early/).first().waitFor({ state: "detached" });
  await second.getByText(/early/).first().waitFor({ state: "detached" });

  await using own = await Stack.make();
  const server = await own.server();
  await expect(server.api.send("GET", "/project")).rejects.toMatchObject({ status: 404 });
  await using guest = await Visit.begin(browser, server.api.url);
  await guest.open("/");
  await guest.sees("● live");
  guest.expectCalm();
}, 60_000);
