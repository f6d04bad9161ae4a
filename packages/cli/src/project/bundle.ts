/**
 * Makes a bundle of a project: one ES module and its source map, addressed by content. `docs/design/bundles.md` is the
 * contract with those who load it.
 *
 * B1: the same files give the same bytes, wherever the project's folder is.
 * B2: a package with native code stays outside, with its exact version in the manifest.
 * B3: a pipeline file's code runs only when its own lazy import is called.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { canonicalJson, type Json } from "@millrace/core";
import type { BundleManifest, BundleUpload } from "@millrace/protocol";
import type { BuildFailure, Metafile } from "esbuild";
import { buildError, packageAtFault } from "./bundle-error.ts";
import type { ProjectConfiguration } from "./configuration-check.ts";
import { runEsbuild } from "./esbuild-service.ts";
import { externalPackages } from "./external-packages.ts";
import { findIncludedFiles } from "./include.ts";
import { projectError } from "./project-error.ts";
import { placeOutsidePaths } from "./outside-paths.ts";

export const bundleFileName = "bundle.mjs";
export const nodeMajor = 24;

/** How often a package that esbuild can't bundle is put outside before the build is given up. */
const rebuildsMax = 20;

/** What CommonJS packages expect to find. `var`, as a module of the project may declare the same names. */
const banner = [
  `import { createRequire as __millraceRequire } from "node:module";`,
  `import { fileURLToPath as __millracePath } from "node:url";`,
  `var require = __millraceRequire(import.meta.url);`,
  `var __filename = __millracePath(import.meta.url), __dirname = __millracePath(new URL(".", import.meta.url));`,
].join("\n");

export interface BundledModule {
  readonly code: string;
  readonly map: string;
  /** Exact versions of the packages that stayed outside. */
  readonly externals: { readonly [name: string]: string };
  /** Every file that went in, as an absolute path. */
  readonly inputs: readonly string[];
}

export interface ProjectBundle extends BundleUpload {
  /** The pipeline files, relative to the root. */
  readonly files: readonly string[];
  /** Every file that went in, as an absolute path. */
  readonly inputs: readonly string[];
}

/** Bundles the files that the configuration includes. Refuses with MILLRACE_BUNDLE_FAILED. */
export async function bundleProject(
  root: string,
  configuration: ProjectConfiguration,
): Promise<ProjectBundle> {
  const folder = realpathSync(root);
  const files = await findIncludedFiles(folder, configuration.include);
  if (files.length === 0) {
    throw projectError(folder, "MILLRACE_CONFIG_INVALID", {
      message: `No file in ${folder} matches \`include\` ${JSON.stringify(configuration.include)}.`,
      advice: "Put a pipeline file there, or correct `include` in `millrace.config.ts`.",
    });
  }
  const settings = {
    project: configuration.project,
    pools: configuration.pools,
    queues: configuration.queues,
  };
  const entry = [
    entryOf(files),
    `export const settings = ${canonicalJson(settings)};`,
    `export { loadProject } from "millrace/internal";`,
  ].join("\n");
  const bundled = await bundleEntry(folder, entry, configuration.external);
  const manifest = manifestOf(folder, configuration.project, bundled);
  return { manifest, code: bundled.code, map: bundled.map, files, inputs: bundled.inputs };
}

/** The upload alone, as it goes over the wire. */
export function uploadOf(bundle: BundleUpload): BundleUpload {
  return { manifest: bundle.manifest, code: bundle.code, map: bundle.map };
}

/** The part of a bundle's entry that imports files lazily, one after the other (B3). */
export function entryOf(files: readonly string[]): string {
  const lines = files.map(
    (file) => `  [${JSON.stringify(file)}, () => import(${JSON.stringify(`./${file}`)})],`,
  );
  return `const files = [
${lines.join("\n")}
];
export async function modules(observer = {}) {
  const loaded = {};
  for (const [file, load] of files) {
    if (observer.skip?.includes(file)) continue;
    observer.starting?.(file);
    try {
      loaded[file] = await load();
    } catch (error) {
      if (!observer.failed) throw error;
      observer.failed(file, error);
    }
  }
  return loaded;
}`;
}

/** Bundles one generated entry below `root`, which must be a real path. */
export async function bundleEntry(
  root: string,
  entry: string,
  external: readonly string[],
): Promise<BundledModule> {
  const forced = new Set(external);
  for (let round = 1; ; round += 1) {
    try {
      return await buildOnce(root, entry, forced);
    } catch (error) {
      if (!isBuildFailure(error)) throw error;
      const guilty = packageAtFault(root, error);
      if (guilty === undefined || forced.has(guilty) || round > rebuildsMax) throw buildError(root, error);
      forced.add(guilty);
    }
  }
}

async function buildOnce(root: string, entry: string, forced: ReadonlySet<string>): Promise<BundledModule> {
  const outside = externalPackages(root, forced);
  const result = await runEsbuild({
    stdin: { contents: entry, resolveDir: root, sourcefile: "millrace-entry.js", loader: "js" },
    absWorkingDir: root,
    outfile: bundleFileName,
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    target: `node${nodeMajor}`,
    charset: "utf8",
    legalComments: "none",
    // Retry policies and logs name classes and functions.
    keepNames: true,
    sourcemap: "linked",
    metafile: true,
    logLevel: "silent",
    banner: { js: banner },
    loader: { ".sql": "text", ".txt": "text", ".md": "text", ".html": "text" },
    plugins: [outside.plugin],
  });
  const text = (suffix: string): string =>
    result.outputFiles.find((file) => file.path.endsWith(suffix))?.text ?? "";
  const placed = placeOutsidePaths(root, result.metafile, { code: text(bundleFileName), map: text(".map") });
  return { ...placed, externals: outside.found(), inputs: inputsOf(root, result.metafile) };
}

function inputsOf(root: string, metafile: Metafile): string[] {
  return Object.keys(metafile.inputs)
    .filter((input) => input !== "millrace-entry.js")
    .map((input) => resolve(root, input));
}

function manifestOf(root: string, project: string, bundled: BundledModule): BundleManifest {
  const native = Object.keys(bundled.externals).length > 0;
  const content = {
    formatVersion: 1,
    project,
    codeHash: sha256(bundled.code),
    mapHash: sha256(bundled.map),
    codeBytes: Buffer.byteLength(bundled.code),
    externals: bundled.externals,
    platform: native ? `${process.platform}-${process.arch}` : "any",
    nodeMajor,
    projectRoot: native ? root : "",
  } as const satisfies Json;
  return { hash: sha256(canonicalJson(content)), ...content };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
}
