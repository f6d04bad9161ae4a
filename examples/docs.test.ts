/**
 * The code in the documentation is checked by the compiler. A block marked `ts` is a module of its own; `ts follows` goes on
 * with the block before it. `docs/design` is left out: it shows shapes, not programs.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync, globSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
/** Below `examples`, so that `millrace` and `zod` are found as for an example. */
const folder = mkdtempSync(join(import.meta.dirname, ".snippets-"));

interface Snippet {
  readonly page: string;
  readonly line: number;
  readonly code: string;
}

/** Pages whose blocks are files of one project: `e2e/learning.test.ts` does what they say, in their order. */
const playedPages = ["docs/learning/first-hybrid-pipeline.md"];

/** The blocks of one page. */
function snippetsOf(page: string, text: string): Snippet[] {
  const snippets: Snippet[] = [];
  for (const match of text.matchAll(/^```ts( follows)?\n([\s\S]*?)^```$/gm)) {
    const [, follows, code = ""] = match;
    const line = text.slice(0, match.index).split("\n").length;
    const before = follows === undefined ? undefined : snippets.pop();
    snippets.push(before ? { ...before, code: `${before.code}${code}` } : { page, line, code });
  }
  return snippets;
}

/** What the documentation must show, in code that examples run. */
const words: { readonly [what: string]: readonly RegExp[] } = {
  "every atom": ["event", "updated", "reached", "window", "finished", "cron", "every", "at", "probe"].map(
    (atom) => new RegExp(`\\bon\\s*\\.${atom}[(<]`),
  ),
  "every operator": [
    "all",
    "any",
    "atLeast",
    "sequence",
    "unless",
    "absent",
    "count",
    "batch",
    "session",
    "debounce",
    "throttle",
  ].map((operator) => new RegExp(`\\bon\\s*\\.${operator}\\(`)),
  "what every condition may have": [/\bwithin: "/, /\.by\(/, /\.as\("/],
  "every policy": [
    /policy: "coalesce"/,
    /policy: "latest"/,
    /late: "revise"/,
    /late: "ignore"/,
    /late: \{ debounce/,
    /orAfter: "/,
    /onResume: "all"/,
    /onResume: "latest"/,
    /onResume: "none"/,
    /onResume: \{ limit/,
    /catchUp: "all"/,
    /catchUp: "latest"/,
    /catchUp: "none"/,
    /catchUp: \{ limit/,
  ],
  "every wait": [
    /\bwait\(/,
    /\bapprove\(/,
    /ctx\.waitFor\(/,
    /ctx\.sleep\(/,
    /ctx\.sleepUntil\(/,
    /ctx\.approve\(/,
    /ctx\.call\(/,
    /ctx\.step\(/,
    /\bprobe\(/,
  ],
  "every kind of partition": [
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "windows",
    "staticPartitions",
    "dynamicPartitions",
    "tuplePartitions",
  ].map((kind) => new RegExp(`\\b${kind}\\(`)),
  "every mapping": ["identity", "windows", "last", "all", "table", "cel", "dimensions"].map(
    (kind) => new RegExp(`kind: "${kind}"`),
  ),
  "conditions over partitions": [
    /partitions: \{ latest: /,
    /\beach: /,
    /\{ all: /,
    /\ball: true/,
    /\.materialized\(/,
    /\.unchanged\(/,
    /\.observed\(/,
    /\.progress\(/,
    /\.addPartition\(/,
  ],
  "every file protocol": [/protocol: "rename"/, /protocol: "marker"/, /\bsettle: \{/, /gone: true/],
};

/** Pages that show an example, or parts of it, as they are run. */
const shownExamples: readonly (readonly [page: string, file: string, from: string, to: string])[] = [
  [
    "docs/learning/approvals.md",
    "approvals/pipelines/approvals.ts",
    "/** Task code asks, too",
    "const remind = task(",
  ],
  ["docs/recipes/files.md", "files/pipelines/files.ts", "// Whoever writes here", "// Here a file gets"],
  [
    "docs/learning/waits-in-code.md",
    "waits-in-code/pipelines/waits-in-code.ts",
    "import {",
    "/** Its first attempt dies",
  ],
];

const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root })].filter(
  (page) => !page.startsWith("docs/design/"),
);
const snippets = pages.flatMap((page) => snippetsOf(page, readFileSync(join(root, page), "utf8")));

/** What the compiler says, with the page and line in place of the file that was made for it. */
async function compile(checked: readonly Snippet[]): Promise<string[]> {
  const files = checked.map((snippet, index) => {
    const file = `snippet-${index}.ts`;
    writeFileSync(join(folder, file), `${snippet.code}\nexport {};\n`);
    return file;
  });
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({ extends: "../../tsconfig.json", include: files }),
  );
  const output = await new Promise<string>((resolve) => {
    const tsc = join(root, "node_modules", ".bin", "tsc");
    execFile(tsc, ["--noEmit", "--pretty", "false", "-p", folder], (_, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    );
  });
  return output
    .split("\n")
    .filter((text) => text !== "")
    .map((text) =>
      text.replace(/^.*snippet-(\d+)\.ts\((\d+),\d+\)/, (_, index: string, line: string) => {
        const snippet = checked[Number(index)];
        return `${snippet?.page}:${(snippet?.line ?? 0) + Number(line)}`;
      }),
    );
}

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the documentation", () => {
  test("shows code on every page about authoring", () => {
    const learning = pages.filter((page) => page.startsWith("docs/learning/") && !playedPages.includes(page));
    const without = learning.filter((page) => !snippets.some((snippet) => snippet.page === page));
    expect(learning.length).toBeGreaterThan(5);
    expect(without).toEqual([]);
  });

  test("shows only code that compiles", async () => {
    expect(await compile(snippets)).toEqual([]);
  });

  /** What the examples consist of, which other tests run. */
  const run = globSync("examples/*/{pipelines,test}/*.ts", { cwd: root })
    .map((file) => readFileSync(join(root, file), "utf8"))
    .join("\n");

  test.each(Object.entries(words))("shows %s by examples that are run", (_what, patterns) => {
    const missing = (code: string): string[] =>
      patterns.filter((pattern) => !pattern.test(code)).map((pattern) => pattern.source);
    expect(missing(snippets.map(({ code }) => code).join("\n"))).toEqual([]);
    expect(missing(run)).toEqual([]);
  });

  test("has every atom and operator in the headings of the page about conditions", () => {
    const headings = readFileSync(join(root, "docs", "reference", "conditions.md"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("### "))
      .join("\n")
      .replaceAll("`", " ");
    const patterns = [...words["every atom"]!, ...words["every operator"]!];
    const names = patterns.map((pattern) => /\.(\w+)/.exec(pattern.source.replaceAll("\\", ""))![1]!);
    expect(names.filter((name) => !new RegExp(`\\bon\\.${name}\\b`).test(headings))).toEqual([]);
    expect(names.length).toBe(20);
  });

  test.each(shownExamples)("%s shows a part of %s", (page, file, from, to) => {
    const text = readFileSync(join(root, "examples", file), "utf8");
    const part = text.slice(text.indexOf(from), text.indexOf(to)).trim();
    expect(part.length).toBeGreaterThan(50);
    expect(readFileSync(join(root, page), "utf8")).toContain(part);
  });

  test("would be told of code that does not", async () => {
    const wrong = 'import { task } from "millrace";\nexport const t = task("t", { retires: 3 }, () => 1);';
    const [finding] = await compile([{ page: "page.md", line: 10, code: wrong }]);
    expect(finding).toMatch(/^page\.md:12: error TS/);
  });
});
