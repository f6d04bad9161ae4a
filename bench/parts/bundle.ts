/** Bundles the benchmarks' pipelines, and describes them: what `millrace deploy` does in a bounded child. */
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { canonicalJson, type Json, type ProjectDefinition } from "@millrace/core";
import type { BundleManifest, BundleUpload } from "@millrace/protocol";
import { loadProject } from "@millrace/sdk/internal";
import { build } from "esbuild";
import * as benchModule from "../project/pipelines/bench.ts";

const file = "pipelines/bench.ts";
const root = fileURLToPath(new URL("../project", import.meta.url));

export interface BenchBundle {
  readonly upload: BundleUpload;
  readonly definition: ProjectDefinition;
}

export async function benchBundle(): Promise<BenchBundle> {
  const loaded = loadProject({ [file]: benchModule }, { project: "bench", root });
  if (loaded.errors[0]) throw loaded.errors[0];
  return { upload: await bundle(), definition: loaded.definition };
}

async function bundle(): Promise<BundleUpload> {
  const entry = `
    import * as bench from "./${file}";
    export const modules = { ${JSON.stringify(file)}: bench };
    export const settings = { project: "bench", pools: {}, queues: [] };
    export { loadProject } from "millrace/internal";`;
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: root },
    outfile: "bundle.mjs",
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
    keepNames: true,
    sourcemap: "linked",
    logLevel: "silent",
  });
  const text = (suffix: string): string => outputFiles.find(({ path }) => path.endsWith(suffix))?.text ?? "";
  const code = text("bundle.mjs");
  const map = text(".map");
  const content = {
    formatVersion: 1,
    project: "bench",
    codeHash: sha256(code),
    mapHash: sha256(map),
    codeBytes: Buffer.byteLength(code),
    externals: {},
    platform: "any",
    nodeMajor: 24,
    projectRoot: "",
  } as const satisfies Json;
  const manifest: BundleManifest = { hash: sha256(canonicalJson(content)), ...content };
  return { manifest, code, map };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
