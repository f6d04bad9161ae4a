import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkCalls } from "./check-calls.ts";
import { checkErrorCodes, checkGenerated, checkLinks } from "./check-docs.ts";
import { checkEdges, checkLength, checkMachinePaths, checkNames, checkOwners } from "./check-files.ts";
import { checkCycles, checkDirections } from "./check-imports.ts";
import { checkLockFile, checkPackages } from "./check-packages.ts";
import { checks, formatFinding } from "./checks.ts";
import { gitTree, memoryTree, type Finding, type SourceTree } from "./source-tree.ts";

const core = `{"name":"@millrace/core","version":"1.0.0","exports":{".":"./src/index.ts"}}`;
const published = `{"name":"millrace","version":"1.0.0"}`;

/** What a check says about a tree of these files, as lines. */
function told(check: (tree: SourceTree) => Finding[], files: { readonly [file: string]: string }): string[] {
  return check(memoryTree(files)).map(formatFinding);
}

/** The check is content with `good` and bites on `bad`. */
function bites(
  check: (tree: SourceTree) => Finding[],
  good: { readonly [file: string]: string },
  bad: { readonly [file: string]: string },
  says: string,
): void {
  expect(told(check, good)).toEqual([]);
  const findings = told(check, bad);
  expect(findings).toHaveLength(1);
  expect(findings[0]).toContain(says);
}

describe("the repository", () => {
  const tree = gitTree(join(import.meta.dirname, "..", ".."));
  test.for(checks)("$rule", ({ run }) => {
    expect(run(tree).map(formatFinding)).toEqual([]);
  });
});

describe("the import table", () => {
  test("a package imports only what stands below it", () => {
    bites(
      checkDirections,
      { "packages/worker/src/a.ts": `import { x } from "@millrace/core";` },
      { "packages/worker/src/a.ts": `\nimport { x } from "@millrace/store";` },
      "packages/worker/src/a.ts:2: packages/worker may not import packages/store (a worker knows no database",
    );
  });
  test("a type counts as well", () => {
    const bad = { "packages/core/src/a.ts": `import type { X } from "@millrace/sdk";` };
    bites(checkDirections, {}, bad, "packages/core may not import packages/sdk");
  });
  test("tests may use the testkit, sources may not", () => {
    const text = `import { x } from "@millrace/testkit";`;
    bites(
      checkDirections,
      { "packages/store/test/a.test.ts": text },
      { "packages/store/src/a.ts": text },
      "testkit",
    );
  });
  test("nobody reaches into another package by a path", () => {
    bites(
      checkDirections,
      { "packages/worker/test/a.ts": `import "../src/b.ts";` },
      { "packages/worker/src/a.ts": `import "../../core/src/b.ts";` },
      "leaves the package packages/worker",
    );
  });
  test("nothing imports what stands above everything", () => {
    bites(
      checkDirections,
      {},
      { "packages/cli/src/a.ts": `import "@millrace/bench";` },
      "nothing imports bench",
    );
  });
  test("a package that is not in the table is told", () => {
    bites(checkDirections, {}, { "packages/extra/src/a.ts": "" }, "not in the import table");
  });
});

describe("circles", () => {
  test("values that import each other are a circle, types are none", () => {
    bites(
      checkCycles,
      { "tools/a.ts": `import type { b } from "./b.ts";`, "tools/b.ts": `import { a } from "./a.ts";` },
      { "tools/a.ts": `import { b } from "./b.ts";`, "tools/b.ts": `import { a } from "./a.ts";` },
      "tools/a.ts → tools/b.ts → tools/a.ts",
    );
  });
  test("a circle through a package's name is seen", () => {
    bites(
      checkCycles,
      {},
      {
        "packages/core/package.json": core,
        "packages/core/src/index.ts": `export { a } from "./a.ts";`,
        "packages/core/src/a.ts": `import { b } from "@millrace/core";`,
      },
      "packages/core/src/a.ts",
    );
  });
});

describe("manifests", () => {
  const source = (text: string, manifest: object) => ({
    "packages/millrace/package.json": published,
    "packages/cli/package.json": JSON.stringify({ name: "@millrace/cli", version: "1.0.0", ...manifest }),
    "packages/cli/src/a.ts": text,
  });
  test("a source's import is a dependency", () => {
    const text = `import pg from "pg";\nimport "node:fs";\nimport "fs/promises";`;
    const dev = { devDependencies: { pg: "1.0.0" } };
    bites(
      checkPackages,
      source(text, { dependencies: { pg: "1.0.0" } }),
      source(text, dev),
      "imports pg, which",
    );
  });
  test("a type may come from a development dependency", () => {
    const text = `import type { X } from "pg";`;
    const types = { devDependencies: { "@types/pg": "1.0.0" } };
    bites(checkPackages, source(text, types), source(text, {}), "imports pg");
  });
  test("a version is exact", () => {
    const text = `import "pg";`;
    const exact = { dependencies: { pg: "1.0.0-beta.2" } };
    bites(
      checkPackages,
      source(text, exact),
      source(text, { dependencies: { pg: "^1.0.0" } }),
      "one exact version",
    );
  });
  test("a dependency that nothing names is left over", () => {
    const byPath = source(`require.resolve("pg/package.json");`, { dependencies: { pg: "1.0.0" } });
    bites(
      checkPackages,
      byPath,
      source("", { dependencies: { pg: "1.0.0" } }),
      "lists pg, which none of its files names",
    );
  });
  test("all packages have one version", () => {
    const other = source(`import "millrace";`, { version: "1.0.1", dependencies: { millrace: "1.0.0" } });
    bites(checkPackages, source("", {}), other, "has version 1.0.1");
    const wants = source(`import "millrace";`, { dependencies: { millrace: "0.9.0" } });
    bites(checkPackages, source("", {}), wants, "wants millrace 0.9.0");
  });
  test("the lock file holds no addresses", () => {
    bites(
      checkLockFile,
      { "package-lock.json": `{"resolved": "packages/core"}` },
      { "package-lock.json": `{\n"resolved": "https://example.org/x.tgz"}` },
      "package-lock.json:2: names an address",
    );
  });
});

describe("calls", () => {
  const check = (tree: SourceTree) => checkCalls(tree, []);
  test.for([
    ["Date.now()", "reads the clock"],
    ["new Date()", "reads the clock"],
    ["performance.now()", "reads the clock"],
    ["Math.random()", "draws at random"],
    ["crypto.randomUUID()", "draws at random"],
    ["setTimeout(f, 1)", "starts a timer"],
    ["setInterval(f, 1)", "starts a timer"],
    ["process.env.X", "reads the environment"],
    ["console.log(1)", "prints"],
  ] as const)("%s is for adapters", ([text, says]) => {
    const good = {
      "packages/server/src/a.ts": `// ${text}\nconst s = ${JSON.stringify(text)}; new Date(5); clock.setTimeout(f);`,
    };
    bites(check, good, { "packages/server/src/a.ts": `\n${text};` }, `packages/server/src/a.ts:2: `);
    expect(told(check, { "simulation/a.ts": text })[0]).toContain(says);
    expect(told(check, { "packages/server/test/a.test.ts": text })).toEqual([]);
  });
  test("core imports nothing of Node", () => {
    const text = `import "node:fs";`;
    bites(check, { "packages/store/src/a.ts": text }, { "packages/core/src/a.ts": text }, "core is pure");
  });
  test("timers by import are timers", () => {
    bites(
      check,
      {},
      { "packages/server/src/a.ts": `import { scheduler } from "node:timers/promises";` },
      "starts timers",
    );
  });
  test.for([
    "select a from b",
    "  insert into runs values (1)",
    "update runs set x = 1",
    "delete from runs",
    "create table x ()",
    "with due as (select 1)",
  ])("%s is for the store", (statement) => {
    const text = `query(\`${statement}\`);`;
    bites(check, { "packages/store/src/a.ts": text }, { "packages/server/src/a.ts": text }, "holds SQL");
  });
  test("prose that begins like a statement is none", () => {
    const text = `say("select a name from the list"); say("Update the pool"); say("delete it"); say("with care");`;
    expect(
      told(check, { "packages/server/src/a.ts": text.replace("select a name from the list", "selects") }),
    ).toEqual([]);
  });
  test("an allowance lets through, and one that nothing needs is told", () => {
    const allowed = [
      { path: "packages/server/src/clock.ts", uses: ["clock"], why: "it is the clock" },
    ] as const;
    bites(
      (tree) => checkCalls(tree, allowed),
      { "packages/server/src/clock.ts": "Date.now();" },
      { "packages/server/src/clock.ts": "" },
      "does not need the allowance",
    );
  });
});

describe("documents", () => {
  test("links and anchors lead somewhere", () => {
    const target = { "docs/b.md": "# Two words: yes\n" };
    const good = {
      ...target,
      "docs/a.md": "[x](b.md#two-words-yes) [y](https://example.org) `[z](no.md)`\n```\n[q](no.md)\n```\n",
    };
    bites(checkLinks, good, { ...target, "docs/a.md": "\n[x](c.md)" }, "docs/a.md:2: links to c.md");
    bites(checkLinks, good, { ...target, "docs/a.md": "[x](b.md#other)" }, "no such heading");
  });
  test("generated files are fresh", () => {
    const generated = [{ file: "docs/x.md", generate: () => "new" }];
    const check = (tree: SourceTree) => checkGenerated(tree, generated);
    bites(check, { "docs/x.md": "new" }, { "docs/x.md": "old" }, "is stale");
    bites(check, { "docs/x.md": "new" }, {}, "is stale");
  });
  test("error codes are documented, used, and not invented", () => {
    const files = (catalogue: string, page: string, source: string) => ({
      "packages/core/src/error/catalogue.ts": `export const catalogue = {\n  ${catalogue}: entry(),\n};`,
      "docs/reference/errors.md": `## ${page}\n`,
      "packages/server/src/a.ts": `throw new MillraceError("${source}", {});`,
    });
    const good = files("MILLRACE_ONE", "MILLRACE_ONE", "MILLRACE_ONE");
    const unused = { ...good, "packages/server/src/a.ts": "" };
    bites(checkErrorCodes, good, unused, "MILLRACE_ONE is used nowhere");
    bites(
      checkErrorCodes,
      good,
      { ...good, "docs/reference/errors.md": "" },
      "does not explain MILLRACE_ONE",
    );
    bites(
      checkErrorCodes,
      good,
      { ...good, "docs/x.md": "see `MILLRACE_TWO`" },
      "MILLRACE_TWO is not in the catalogue",
    );
    const stale = { ...good, "docs/reference/errors.md": "## MILLRACE_ONE\n## MILLRACE_OLD\n" };
    bites(checkErrorCodes, good, stale, "MILLRACE_OLD is not in the catalogue");
  });
});

describe("files", () => {
  test("each has an owner", () => {
    bites(checkOwners, { "docs/a.md": "", "README.md": "" }, { "stray/a.ts": "" }, "has no owner");
    bites(checkOwners, {}, { "notes.txt": "" }, "has no owner");
  });
  test("index.ts stands at edges and lists names", () => {
    const good = { "packages/core/src/index.ts": `export { a } from "./a.ts";` };
    bites(checkEdges, good, { "packages/core/src/run/index.ts": "" }, "only at a package's edge");
    bites(checkEdges, good, { "packages/core/src/index.ts": `export * from "./a.ts";` }, "one by one");
  });
  test("names say what files hold", () => {
    bites(checkNames, { "tools/read-file.test.ts": "" }, { "tools/utils.ts": "" }, "nothing in particular");
    bites(checkNames, {}, { "tools/readFile.ts": "" }, "kebab-case");
  });
  test("sources are short", () => {
    const long = { "packages/core/src/a.ts": "\n".repeat(501) };
    bites(checkLength, { "packages/core/test/a.test.ts": "\n".repeat(501) }, long, "has 502 lines");
  });
  test("no path of one machine", () => {
    const good = { "docs/a.md": "`/usr/bin/x`, `https://example.org/root/x`, `./home/me/x`" };
    bites(
      checkMachinePaths,
      good,
      { "docs/a.md": ["", "home", "me", "x"].join("/") },
      "a path of one machine",
    );
    bites(checkMachinePaths, good, { "docs/a.md": ["see ", "root", "x"].join("/") }, "a path of one machine");
  });
});
