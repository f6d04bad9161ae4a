/** Manifests and the lock file: one version, exact pins, nothing unused, no addresses. */
import { checkManifests, manifestOf } from "./check-imports.ts";
import { scan } from "./scan.ts";
import { isTypeScript, packageFolderOf, type Finding, type SourceTree } from "./source-tree.ts";

/** Dependencies that no import names, by folder, with the reason. */
const usedOtherwise: { readonly [use: string]: string } = {
  "packages/millrace @millrace/cli": "bin/millrace.js starts it by its path, and the built package holds it",
};

export function checkPackages(tree: SourceTree): Finding[] {
  return [...checkManifests(tree), ...checkPins(tree), ...checkUnused(tree), ...checkVersions(tree)];
}

function manifests(tree: SourceTree): string[] {
  return tree.files.filter(
    (file) => /^(?:[^/]+\/)?(?:[^/]+\/)?package\.json$/.test(file) && !file.startsWith("bench/peers/"),
  );
}

function folderOf(manifest: string): string {
  return manifest === "package.json" ? "" : manifest.slice(0, -"/package.json".length);
}

function checkPins(tree: SourceTree): Finding[] {
  return manifests(tree).flatMap((file) => {
    const { dependencies, devDependencies, optionalDependencies } = manifestOf(tree, folderOf(file));
    return Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      .map(([name, version]) => ({
        file,
        message: `${name} is pinned as ${JSON.stringify(version)}: write one exact version`,
      }));
  });
}

/** A dependency that no import and no string (`require.resolve("vega-datasets/…")`) names is left over. */
function checkUnused(tree: SourceTree): Finding[] {
  const used = new Map<string, Set<string>>();
  for (const file of tree.files.filter(isTypeScript)) {
    const folder = packageFolderOf(file);
    if (folder === undefined) continue;
    const names = used.get(folder) ?? new Set<string>();
    for (const { text } of scan(tree.read(file)).strings) {
      const name = /^(?:@[^/\s]+\/)?[^/\s]+/.exec(text)?.[0];
      if (name !== undefined) names.add(name);
    }
    used.set(folder, names);
  }
  return manifests(tree).flatMap((file) => {
    const names = used.get(folderOf(file));
    if (!names) return [];
    return Object.keys(manifestOf(tree, folderOf(file)).dependencies ?? {})
      .filter((name) => !names.has(name) && !(`${folderOf(file)} ${name}` in usedOtherwise))
      .map((name) => ({ file, message: `lists ${name}, which none of its files names` }));
  });
}

function checkVersions(tree: SourceTree): Finding[] {
  const all = manifests(tree).map((file) => ({ file, manifest: manifestOf(tree, folderOf(file)) }));
  const version = all.find(({ manifest }) => manifest.name === "millrace")?.manifest.version;
  const ours = new Set(all.map(({ manifest }) => manifest.name));
  return all.flatMap(({ file, manifest }) => {
    const findings: Finding[] = [];
    if (manifest.version !== undefined && manifest.version !== version) {
      findings.push({ file, message: `has version ${manifest.version}, and millrace has ${version}` });
    }
    for (const [name, pin] of Object.entries(manifest.dependencies ?? {})) {
      if (ours.has(name) && pin !== version)
        findings.push({ file, message: `wants ${name} ${pin}, and it is ${version}` });
    }
    return findings;
  });
}

/** `omit-lockfile-registry-resolved` keeps addresses out, so that any registry serves the same lock file. */
export function checkLockFile(tree: SourceTree): Finding[] {
  return tree.files
    .filter((file) => file === "package-lock.json" || file.endsWith("/package-lock.json"))
    .flatMap((file) => {
      const lines = tree.read(file).split("\n");
      return lines.flatMap((text, index) =>
        /"resolved": "[a-z+]+:\/\//.test(text)
          ? [{ file, line: index + 1, message: "names an address" }]
          : [],
      );
    });
}
