/**
 * Tells which packages carry native code, and so can't go into a bundle. A package under `node_modules` is native when
 * its manifest or its files say so, or when it depends on a native package: bundling it would tear it from its binary.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, sep } from "node:path";

interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly gypfile?: boolean;
  readonly binary?: unknown;
  readonly napi?: unknown;
  readonly dependencies?: { readonly [name: string]: string };
  readonly optionalDependencies?: { readonly [name: string]: string };
}

/** Packages that exist to build or to find a native module. */
const nativeTools = new Set([
  "@mapbox/node-pre-gyp",
  "bindings",
  "nan",
  "node-addon-api",
  "node-gyp-build",
  "node-gyp-build-optional-packages",
  "node-pre-gyp",
  "pkg-prebuilds",
  "prebuild-install",
]);

const platformName =
  /(?:^|[-./])(?:linux|linuxmusl|darwin|win32|freebsd|android)-(?:x64|arm64|arm|ia32|riscv64|s390x|ppc64)/;

/** A package with more files than this is not searched to its end: its manifest has said what it is. */
const entriesMax = 20_000;
const depthMax = 8;

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** The real path. */
  readonly folder: string;
}

export class NativePackages {
  readonly #verdicts = new Map<string, boolean>();

  /** Judges the package and what it depends on; each folder is looked at once. */
  isNative(found: InstalledPackage): boolean {
    const known = this.#verdicts.get(found.folder);
    if (known !== undefined) return known;
    // Packages may depend on each other in a circle: while one is being judged it counts as innocent.
    this.#verdicts.set(found.folder, false);
    const verdict = this.#judge(found);
    this.#verdicts.set(found.folder, verdict);
    return verdict;
  }

  #judge(found: InstalledPackage): boolean {
    const manifest = readManifest(found.folder);
    if (!manifest) return false;
    if (manifest.gypfile === true || manifest.binary !== undefined || manifest.napi !== undefined)
      return true;
    const dependencies = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    if (dependencies.some((name) => nativeTools.has(name))) return true;
    if (Object.keys(manifest.optionalDependencies ?? {}).some((name) => platformName.test(name))) return true;
    if (existsSync(join(found.folder, "binding.gyp")) || existsSync(join(found.folder, "prebuilds")))
      return true;
    if (holdsNodeFile(found.folder)) return true;
    return dependencies.some((name) => {
      const dependency = findPackage(name, found.folder);
      return dependency !== undefined && this.isNative(dependency);
    });
  }
}

function holdsNodeFile(folder: string): boolean {
  let left = entriesMax;
  const search = (inside: string, depth: number): boolean => {
    for (const entry of readdirSync(inside, { withFileTypes: true })) {
      left -= 1;
      if (left < 0) return false;
      if (entry.isFile() && entry.name.endsWith(".node")) return true;
      if (!entry.isDirectory() || entry.name === "node_modules" || depth === depthMax) continue;
      if (search(join(inside, entry.name), depth + 1)) return true;
    }
    return false;
  };
  return search(folder, 0);
}

/** The package that `import "<name>"` means in a file in `folder`: Node's walk up through `node_modules`. */
export function findPackage(name: string, folder: string): InstalledPackage | undefined {
  for (let place = folder; ; place = dirname(place)) {
    const candidate = join(place, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) {
      const real = realpathSync(candidate);
      return { name, version: readManifest(real)?.version ?? "0.0.0", folder: real };
    }
    if (place === dirname(place)) return undefined;
  }
}

/** False for a linked package of the same repository: its sources are part of the project. */
export function isInstalled(found: InstalledPackage): boolean {
  return found.folder.includes(`${sep}node_modules${sep}`);
}

function readManifest(folder: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  } catch {
    return undefined;
  }
}

/** `@scope/name` or `name` of a bare specifier; `undefined` for paths, URLs and `#imports`. */
export function packageNameOf(specifier: string): string | undefined {
  return /^(?:@[a-z0-9~-][\w.~-]*\/)?[a-zA-Z0-9~_-][\w.~-]*(?=\/|$)/.exec(specifier)?.[0];
}
