/** Whatever others say of themselves is text on the page: no script of theirs runs, nothing is asked of others. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { canonicalJson, noRetry, type NodeDefinition, type PipelineDefinition } from "@millrace/core";
import type { Page as ListPage, RunSummary } from "@millrace/protocol";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Api } from "./harness/api.ts";
import { startBrowser, Visit } from "./harness/browser.ts";
import { Stack } from "./harness/stack.ts";
import { until } from "./harness/until.ts";

const script = `<img src=x onerror="window.owned=1"><script>window.owned=1</script>`;
/** As a part of an address; no longer than names may be. */
const name = `"><img src=x onerror=window.owned=1>`;
/** Pages that are looked at besides those that are named here. */
const crawledMax = 20;

let stack: Stack;
let browser: Browser;
let api: Api;

beforeAll(async () => {
  stack = await Stack.make();
  ({ api } = await stack.server());
  await stack.worker({ url: api.url });
  await stack.deploy(api, { folder: join(import.meta.dirname, "page-security-project") });
  await deployNames();
  browser = await startBrowser();
  const labels = { [name]: script };
  await api.send("POST", "/runs", { pipeline: "asking", labels });
  const failed = await api.send<{ run: RunSummary }>("POST", "/runs", { pipeline: "evil", labels });
  await api.send("POST", "/runs", { pipeline: name, labels, params: { [script]: script } });
  await api.emit({
    specversion: "1.0",
    id: script,
    source: "javascript:window.owned=1",
    type: "evil.sent",
    subject: name,
    data: { [script]: script, link: "javascript:window.owned=1" },
  });
  await api.ended(failed.run.id, 30_000);
  await until("the run that the event starts", 30_000, async () => {
    const { items } = await api.send<ListPage<RunSummary>>("GET", "/runs?pipeline=evil&state=failed");
    return items.length >= 2;
  });
}, 120_000);

afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

/** What the SDK refuses to name so, others may deploy: a pipeline, its nodes, groups and queues. */
async function deployNames(): Promise<void> {
  const node: NodeDefinition = {
    id: name,
    kind: "task",
    name,
    description: script,
    input: { kind: "value", value: { [script]: script } },
    after: [],
    rule: "all_success",
    source: { file: script, line: 1 },
    options: { retry: noRetry, priority: 0, queue: name, env: [], connections: [] },
  };
  const pipeline: PipelineDefinition = {
    name,
    description: script,
    owner: script,
    tags: [script],
    paused: false,
    nodes: [node, { ...node, id: `${name}/in`, after: [{ node: name }] }],
    regions: [],
    source: { file: "javascript:window.owned=1", line: 1 },
  };
  const code = "// none";
  const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
  const content = {
    formatVersion: 1,
    project: name,
    codeHash: sha256(code),
    mapHash: sha256("{}"),
    codeBytes: code.length,
    externals: {},
    platform: "any",
    nodeMajor: 24,
    projectRoot: "",
  } as const;
  const hash = sha256(canonicalJson(content));
  await api.send("PUT", `/bundles/${hash}`, { manifest: { hash, ...content }, code, map: "{}" });
  const definition = { project: name, pipelines: [pipeline], pools: { [name]: 2 }, queues: [name] };
  await api.send("POST", "/deployments", { bundle: hash, definition });
}

/** Strings: they run in the page. */
const noteViolations = `
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective + " " + event.blockedURI));`;
const isSettled = `!/Reading/.test(document.querySelector("main")?.innerText ?? "Reading")`;
const findings = `[
  ...(window.owned ? ["a script ran"] : []),
  ...window.violations,
  ...[...document.querySelectorAll("main img[src=x], main script, main [onerror], main iframe:not([sandbox])")].map((one) => one.outerHTML),
  ...[...document.querySelectorAll("a[href], form[action]")].map((one) => one.href ?? one.action).filter((href) => /^(javascript|data|vbscript):/i.test(href)),
]`;

/** The policy lets no text be a program, not even a test's that waits in the page. */
function waitFor(page: Page, what: string, where = ""): Promise<unknown> {
  return until(`${where}: ${what}`, 10_000, () => page.evaluate<boolean>(what));
}

async function expectHarmless(page: Page, where: string): Promise<void> {
  await waitFor(page, isSettled, where);
  expect([where, await page.evaluate(findings)]).toEqual([where, []]);
}

test("names, texts, events, errors and log lines are text on each page, and in what their links lead to", async () => {
  await using person = await Visit.begin(browser, api.url);
  await person.page.addInitScript(noteViolations);
  const { items } = await api.send<ListPage<RunSummary>>("GET", "/runs");
  const id = (pipeline: string): string => items.findLast((run) => run.pipeline === pipeline)!.id;
  const part = encodeURIComponent(name);
  const paths = [
    ["/", undefined],
    ["/pipelines", script],
    [`/pipelines/${part}`, script],
    [`/pipelines/${part}?tab=graph`, name],
    [`/pipelines/${part}?tab=definition`, script],
    ["/pipelines/evil", script],
    ["/runs", name],
    [`/runs/${id(name)}`, name],
    [`/runs/${id(name)}?tab=data`, script],
    [`/runs/${id("evil")}`, script],
    [`/runs/${id("evil")}?tab=logs`, script],
    [`/runs/${id("evil")}?tab=data`, script],
    [`/runs/${id("evil")}?node=write`, undefined],
    ["/events", name],
    ["/assets", script],
    ["/assets/lake%2Fevil", script],
    ["/triggers/evil", undefined],
    ["/approvals", script],
    ["/workers", name],
    ["/system", undefined],
  ] as const;
  const seen = new Set<string>(paths.map(([path]) => path));
  const more: string[] = [];
  for (const [path, text] of paths) {
    await person.open(path);
    if (text !== undefined) await person.sees(text);
    await expectHarmless(person.page, path);
    const links = await person.page.evaluate<string[]>(
      `[...document.querySelectorAll("main a[href^='/']")].map((one) => one.getAttribute("href"))`,
    );
    for (const link of links.filter((one) => !one.startsWith("/api/") && !seen.has(one))) {
      seen.add(link);
      more.push(link);
    }
  }
  for (const path of more.slice(0, crawledMax)) {
    await person.open(path);
    await expectHarmless(person.page, path);
  }
  person.expectCalm();
}, 90_000);

test("nothing in an address runs, neither where it is shown nor where it names nothing", async () => {
  await using person = await Visit.begin(browser, api.url);
  await person.page.addInitScript(noteViolations);
  const part = encodeURIComponent(script);
  for (const path of [
    `/${part}`,
    `/runs/${part}`,
    `/pipelines/${part}`,
    `/assets/${part}`,
    `/triggers/${part}`,
    `/runs?pipeline=${part}&label=${part}`,
    `/events?type=${part}&subject=${part}&source=${part}`,
    `/pipelines?find=${part}`,
    `/pipelines/evil?tab=${part}&run=${part}&node=${part}`,
    `/schedules?from=${part}&zone=${part}&find=${part}`,
    `/approvals?tab=${part}&id=${part}`,
    `/triggers/evil?tab=${part}&key=${part}&event=${part}`,
    `/#${part}`,
    `/?hours=javascript:window.owned=1#javascript:window.owned=1`,
    "//evil.example/%2e%2e",
    "/\\evil",
  ]) {
    await person.open(path);
    await expectHarmless(person.page, path);
    expect(new URL(person.page.url()).origin).toBe(api.url);
  }
  // What a person enters.
  for (const path of ["/pipelines", "/assets", "/triggers", "/events", "/schedules"]) {
    await person.open(path);
    await waitFor(person.page, isSettled);
    const box = person.page
      .locator("main input[type=search], main input[type=text], main input:not([type])")
      .first();
    if ((await box.count()) === 0) continue;
    await box.fill(script);
    await box.press("Enter");
    await expectHarmless(person.page, `the box of ${path}`);
  }
}, 60_000);

test("the policy would stop a script that came in all the same, and no other page may frame this one", async () => {
  await using person = await Visit.begin(browser, api.url);
  await person.page.addInitScript(noteViolations);
  await person.open("/");
  await person.page.evaluate(`(() => {
    const one = document.createElement("div");
    one.innerHTML = '<img src=x onerror="window.owned=1"><a href="javascript:window.owned=1">a</a>';
    document.body.append(one);
    one.querySelector("a").click();
    const inline = document.createElement("script");
    inline.textContent = "window.owned=1";
    document.body.append(inline);
    const other = document.createElement("script");
    other.src = "data:text/javascript,window.owned=1";
    document.body.append(other);
  })()`);
  await waitFor(person.page, "window.violations.length >= 3");
  expect(await person.page.evaluate("window.owned === undefined")).toBe(true);
  const framed = await person.context.newPage();
  await framed.setContent(`<iframe src="${api.url}/"></iframe>`);
  await framed.waitForTimeout(300);
  const [, frame] = framed.frames();
  expect(await frame?.evaluate("document.querySelector('#root, main') !== null").catch(() => false)).toBe(
    false,
  );
});
