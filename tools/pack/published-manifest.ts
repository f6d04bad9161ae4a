/** The manifest of the published package: one self-contained package in which third-party packages stay dependencies. */

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Versions;
  readonly optionalDependencies?: Versions;
  readonly [key: string]: unknown;
}

type Versions = { readonly [name: string]: string };

/** `ours` are the manifests of all packages of this repository, by name. Throws when two pins of one package differ. */
export function publishedManifest(source: Manifest, ours: ReadonlyMap<string, Manifest>): Manifest {
  const needed = reachable(source, ours);
  const { scripts: _scripts, devDependencies: _development, ...kept } = source;
  const optional = union(needed.map(({ optionalDependencies }) => optionalDependencies ?? {}));
  return {
    ...kept,
    exports: Object.fromEntries(
      Object.entries(source["exports"] as { [path: string]: string }).map(([path, file]) => {
        const name = file.replace(/^\.\/src\//, "").replace(/\.ts$/, "");
        return [path, { types: `./dist/types/millrace/${name}.d.ts`, default: `./dist/${name}.js` }];
      }),
    ),
    sideEffects: false,
    dependencies: union(needed.map(({ dependencies }) => thirdParty(dependencies ?? {}, ours))),
    optionalDependencies: optional,
  };
}

/** `source` and the packages of ours that it depends on, however deep. */
function reachable(source: Manifest, ours: ReadonlyMap<string, Manifest>): Manifest[] {
  const found = new Map([[source.name, source]]);
  const visit = (manifest: Manifest) => {
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const next = ours.get(name);
      if (!next || found.has(name)) continue;
      found.set(name, next);
      visit(next);
    }
  };
  visit(source);
  return [...found.values()];
}

function thirdParty(versions: Versions, ours: ReadonlyMap<string, Manifest>): Versions {
  return Object.fromEntries(Object.entries(versions).filter(([name]) => !ours.has(name)));
}

function union(all: readonly Versions[]): Versions {
  const together = new Map<string, string>();
  for (const [name, version] of all.flatMap((versions) => Object.entries(versions))) {
    const other = together.get(name);
    if (other !== undefined && other !== version)
      throw new Error(`${name} is pinned as ${other} and as ${version}`);
    together.set(name, version);
  }
  return Object.fromEntries([...together].sort(([a], [b]) => (a < b ? -1 : 1)));
}
