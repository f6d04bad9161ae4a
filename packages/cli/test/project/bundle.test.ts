import { createHash } from "node:crypto";
import { readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, MillraceError } from "@millrace/core";
import { expect, test } from "vitest";
import { bundleProject } from "../../src/project/bundle.ts";
import { checkConfiguration } from "../../src/project/configuration-check.ts";
import { describeBundle } from "../../src/project/describe.ts";
import { fakePackage, installInto, pipelineFile, projectFolder } from "./project-folder.ts";

const settings = checkConfiguration("/", "millrace.config.ts", { project: "shop", pools: { warehouse: 3 } });

async function refusal(promise: Promise<unknown>): Promise<MillraceError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof MillraceError)) throw new Error("it was not refused", { cause: outcome });
  return outcome;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

test("two folders with the same files give the same bytes and the same hash", async () => {
  const files = {
    "pipelines/a.ts": pipelineFile(
      "a",
      `import { shared } from "../lib/shared.ts";\nexport const s = shared;\n`,
    ),
    "pipelines/deep/b.ts": pipelineFile("b", `import pack from "pack";\nexport const p = pack;\n`),
    "lib/shared.ts": `export const shared: number = 7;\n`,
  };
  const roots = [projectFolder(files), projectFolder(files, "elsewhere/and/deeper")];
  const bundles = [];
  for (const root of roots) {
    fakePackage(
      root,
      { name: "pack", version: "1.0.0", main: "index.cjs" },
      { "index.cjs": "module.exports = 1;" },
    );
    bundles.push(await bundleProject(root, settings));
  }
  const [first, second] = bundles;
  expect(first?.code).toBe(second?.code);
  expect(first?.map).toBe(second?.map);
  expect(first?.manifest).toEqual(second?.manifest);
  const { sources } = JSON.parse(first?.map ?? "") as { sources: readonly string[] };
  expect(sources.filter((source) => source.startsWith(".."))).toEqual([]);
});

test("the manifest's hashes are those of the contract", async () => {
  const root = projectFolder({ "pipelines/a.ts": pipelineFile("a") });
  const { manifest, code, map } = await bundleProject(root, settings);
  const { hash, ...content } = manifest;
  expect(hash).toBe(sha256(canonicalJson({ ...content })));
  expect(manifest.codeHash).toBe(sha256(code));
  expect(manifest.mapHash).toBe(sha256(map));
  expect(manifest).toMatchObject({
    project: "shop",
    platform: "any",
    nodeMajor: 24,
    projectRoot: "",
    externals: {},
  });
});

test.skipIf(process.platform !== "linux")("no process of the bundler is left after a build", async () => {
  await bundleProject(projectFolder({ "pipelines/a.ts": pipelineFile("a") }), settings);
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(" ");
  const commands = children
    .filter((pid) => pid !== "")
    .map((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8"));
  expect(commands.filter((command) => command.includes("esbuild"))).toEqual([]);
});

test("a changed source changes the hash", async () => {
  const one = await bundleProject(projectFolder({ "pipelines/a.ts": pipelineFile("a") }), settings);
  const two = await bundleProject(projectFolder({ "pipelines/a.ts": pipelineFile("b") }), settings);
  expect(one.manifest.hash).not.toBe(two.manifest.hash);
});

test("a package that depends on native code stays outside, with its exact version, and is found from the project", async () => {
  const root = projectFolder({
    "pipelines/a.ts": pipelineFile(
      "a",
      `import duckdb from "@duckdb/node-api";\nexport const v = duckdb.version();\n`,
    ),
  });
  installInto(root, { "@duckdb/node-api": "link" });
  const bundle = await bundleProject(root, settings);
  expect(bundle.manifest.externals).toEqual({ "@duckdb/node-api": "1.5.5-r.5" });
  expect(bundle.manifest.platform).toBe(`${process.platform}-${process.arch}`);
  expect(bundle.manifest.projectRoot).toBe(root);
  const { definition, errors } = await describeBundle(bundle, { root });
  expect(errors).toEqual([]);
  expect(definition?.pipelines.map(({ name }) => name)).toEqual(["a"]);
});

test.for([
  ["binding.gyp", {}, { "binding.gyp": "{}" }],
  ["a .node file", {}, { "build/Release/x.node": "" }],
  ["prebuilds", {}, { "prebuilds/x.txt": "" }],
  ["optional packages per platform", { optionalDependencies: { "x-linux-arm64": "1.0.0" } }, {}],
  ["node-gyp-build", { dependencies: { "node-gyp-build": "4.0.0" } }, {}],
] as const)("a package with %s stays outside", async ([, manifest, files]) => {
  const root = projectFolder({ "pipelines/a.ts": pipelineFile("a", `import "native";\n`) });
  fakePackage(
    root,
    { name: "native", version: "2.3.4", main: "i.js", ...manifest },
    { "i.js": "", ...files },
  );
  const bundle = await bundleProject(root, settings);
  expect(bundle.manifest.externals).toEqual({ native: "2.3.4" });
});

test("a native package that the project's root does not see is refused with what to install", async () => {
  const root = projectFolder({
    "pipelines/a.ts": pipelineFile("a", `import "../lib/x.ts";\n`),
    "lib/x.ts": `import "native";\n`,
  });
  fakePackage(
    join(root, "lib"),
    { name: "native", version: "2.0.0", main: "i.js" },
    { "i.js": "", "binding.gyp": "" },
  );
  fakePackage(root, { name: "native", version: "1.0.0", main: "i.js" }, { "i.js": "", "binding.gyp": "" });
  const error = await refusal(bundleProject(root, settings));
  expect(error.code).toBe("MILLRACE_BUNDLE_FAILED");
  expect(error.message).toContain("npm install native@2.0.0");
  expect(error.source).toMatchObject({ file: "lib/x.ts", line: 1 });
});

test("a package that can't be bundled stays outside", async () => {
  const root = projectFolder({
    "pipelines/a.ts": pipelineFile("a", `import odd from "odd";\nexport const o = odd;\n`),
  });
  const files = { "i.js": `module.exports = () => require("./x.weird");`, "x.weird": "?" };
  fakePackage(root, { name: "odd", version: "1.2.3", main: "i.js" }, files);
  const bundle = await bundleProject(root, settings);
  expect(bundle.manifest.externals).toEqual({ odd: "1.2.3" });
});

test("the configuration can keep a package outside", async () => {
  const root = projectFolder({ "pipelines/a.ts": pipelineFile("a", `import "plain/part";\n`) });
  fakePackage(root, { name: "plain", version: "3.0.0" }, { "part.js": "" });
  const bundle = await bundleProject(root, { ...settings, external: ["plain"] });
  expect(bundle.manifest.externals).toEqual({ plain: "3.0.0" });
});

test("CommonJS packages work inside: require of a built-in, __dirname, and a project that declares those names itself", async () => {
  const root = projectFolder({
    "pipelines/a.ts": pipelineFile(
      "a",
      `import { createRequire } from "node:module";
import old from "old";
const require = createRequire(import.meta.url);
const __dirname = "mine";
if (old.base !== "y" || typeof old.folder !== "string") throw new Error(JSON.stringify(old));
if (require("node:path").basename("x/z") !== "z" || __dirname !== "mine") throw new Error("names are mixed up");
`,
    ),
  });
  const code = `const name = "path"; module.exports = { base: require(name).basename("x/y"), folder: __dirname };`;
  fakePackage(root, { name: "old", version: "1.0.0", main: "i.cjs" }, { "i.cjs": code });
  const { errors } = await describeBundle(await bundleProject(root, settings), { root });
  expect(errors).toEqual([]);
});

test("two classes of one name keep it, as retry policies match names", async () => {
  const root = projectFolder({
    "pipelines/a.ts": pipelineFile(
      "a",
      `import "../one.ts";\nimport { Same } from "../two.ts";\nif (Same.name !== "Same") throw new Error(Same.name);\n`,
    ),
    "one.ts": `export class Same extends Error {}\nif (Same.name !== "Same") throw new Error(Same.name);\n`,
    "two.ts": `export class Same extends Error {}\n`,
  });
  const { errors } = await describeBundle(await bundleProject(root, settings), { root });
  expect(errors).toEqual([]);
});

test("a syntax error is told with file, line and the lines of code", async () => {
  const root = projectFolder({ "pipelines/a.ts": "const one = 1;\nconst two = ;\n" });
  const error = await refusal(bundleProject(root, settings));
  expect(error.code).toBe("MILLRACE_BUNDLE_FAILED");
  expect(error.source).toEqual({ file: "pipelines/a.ts", line: 2, column: 13 });
  expect(error.fields["frame"]).toBe("  1 | const one = 1;\n> 2 | const two = ;\n    |             ^\n  3 |");
});

test("a missing import is told with its place and the nearest file, a missing package with what to install", async () => {
  const relative = projectFolder({ "pipelines/a.ts": `import "../lib/sharde.ts";\n`, "lib/shared.ts": "" });
  const near = await refusal(bundleProject(relative, settings));
  expect(near.source).toMatchObject({ file: "pipelines/a.ts", line: 1 });
  expect(near.advice).toBe("Did you mean `../lib/shared.ts`?");
  const bare = projectFolder({ "pipelines/a.ts": `import "@acme/thing/x";\n` });
  expect((await refusal(bundleProject(bare, settings))).advice).toContain("npm install @acme/thing");
});

test("globs that match nothing, or lead out of the project, are refused", async () => {
  const root = projectFolder({ "other/a.ts": pipelineFile("a"), "b.ts": "" });
  expect((await refusal(bundleProject(root, settings))).code).toBe("MILLRACE_CONFIG_INVALID");
  const out = await refusal(bundleProject(join(root, "other"), { ...settings, include: ["../**/*.ts"] }));
  expect(out.message).toContain("leads out of the project's root");
});

test("a project that is reached through a link is bundled as in its real place", async () => {
  const root = projectFolder({ "real/pipelines/a.ts": pipelineFile("a") });
  symlinkSync(join(root, "real"), join(root, "link"));
  const real = await bundleProject(join(root, "real"), settings);
  const linked = await bundleProject(join(root, "link"), settings);
  expect(linked.manifest).toEqual(real.manifest);
});
