/** Builds what the published package holds beside its manifest and `bin/`: JavaScript, declarations, migrations. */
import { cpSync, existsSync, globSync, readFileSync, rmSync } from "node:fs";
import { join, posix } from "node:path";
import { build, type Plugin } from "esbuild";
import { build as buildWithVite } from "vite";
import { writeDeclarations } from "./declarations.ts";
import type { Manifest } from "./published-manifest.ts";

/** Files of `dist/`, all in one folder: each of them finds those that it starts by their name beside it. */
const entries: { readonly [name: string]: string } = {
  index: "packages/millrace/src/index.ts",
  internal: "packages/millrace/src/internal.ts",
  testing: "packages/millrace/src/testing.ts",
  cli: "packages/cli/src/main.ts",
  "millrace-loader": "packages/cli/src/project/loader/child.ts",
  "millrace-runner": "packages/worker/src/child/runner.ts",
};

export async function buildPackage(root: string, dist: string): Promise<void> {
  rmSync(dist, { recursive: true, force: true });
  const manifests = ourManifests(root);
  await build({
    entryPoints: Object.entries(entries).map(([out, path]) => ({ in: join(root, path), out })),
    absWorkingDir: root,
    outdir: dist,
    bundle: true,
    splitting: true,
    chunkNames: "chunk-[hash]",
    format: "esm",
    platform: "node",
    target: "node24",
    charset: "utf8",
    legalComments: "none",
    keepNames: true,
    logLevel: "warning",
    plugins: [thirdPartyOutside(new Set(manifests.keys()))],
  });
  writeDeclarations(root, join(dist, "types"), edgesOf(root, manifests));
  await buildPage(join(root, "packages", "ui"), join(dist, "page"));
  cpSync(join(root, "packages", "store", "sql"), join(dist, "sql"), {
    recursive: true,
    filter: (path) => !path.endsWith(".snapshot.sql"),
  });
}

async function buildPage(folder: string, outDir: string): Promise<void> {
  await buildWithVite({
    root: folder,
    logLevel: "warn",
    build: { outDir, emptyOutDir: true },
  });
}

/** Our own packages go in; what comes from the registry is left to npm. */
function thirdPartyOutside(ours: ReadonlySet<string>): Plugin {
  return {
    name: "third-party-outside",
    setup(plugin) {
      plugin.onResolve({ filter: /^[@\w]/ }, ({ path, kind }) => {
        const name = /^(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path;
        return kind === "entry-point" || ours.has(name) ? undefined : { path, external: true };
      });
    },
  };
}

/** The manifests of `packages/*`, by name. */
export function ourManifests(root: string): ReadonlyMap<string, Manifest & { readonly folder: string }> {
  const found = new Map<string, Manifest & { readonly folder: string }>();
  for (const file of globSync("packages/*/package.json", { cwd: root }).sort()) {
    const manifest = JSON.parse(readFileSync(join(root, file), "utf8")) as Manifest;
    found.set(manifest.name, { ...manifest, folder: posix.dirname(file) });
  }
  return found;
}

function edgesOf(root: string, manifests: ReturnType<typeof ourManifests>): ReadonlyMap<string, string> {
  const edges = new Map<string, string>();
  for (const { name, folder, exports } of manifests.values()) {
    for (const [path, file] of Object.entries((exports ?? {}) as { [path: string]: string })) {
      const source = posix.join(folder, file);
      if (existsSync(join(root, source))) edges.set(posix.join(name, path), source);
    }
  }
  return edges;
}
