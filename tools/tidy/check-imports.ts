/** The import table, cycles, and bare imports against the manifests. */
import { builtinModules } from "node:module";
import { posix } from "node:path";
import { importTable, testsMayImport, topFolders, type ImportRule } from "./import-table.ts";
import { scan, type Import } from "./scan.ts";
import { isTest, isTypeScript, packageFolderOf, type Finding, type SourceTree } from "./source-tree.ts";

const builtins = new Set(builtinModules);

export function importsOf(tree: SourceTree, file: string): readonly Import[] {
  return scan(tree.read(file)).imports;
}

/** Each import of ours against the table; nobody reaches into another package by a relative path. */
export function checkDirections(tree: SourceTree): Finding[] {
  const findings: Finding[] = [];
  for (const file of tree.files.filter(isTypeScript)) {
    const folder = packageFolderOf(file);
    const rule = importTable.find((entry) => entry.folder === folder);
    if (!folder) continue;
    if (!rule) {
      findings.push({ file, message: `the package ${folder} is not in the import table` });
      continue;
    }
    for (const { specifier, line } of importsOf(tree, file)) {
      const message = directionFault(file, rule, specifier);
      if (message !== undefined) findings.push({ file, line, message });
    }
  }
  return findings;
}

function directionFault(file: string, rule: ImportRule, specifier: string): string | undefined {
  if (specifier.startsWith(".")) {
    const target = packageFolderOf(posix.join(posix.dirname(file), specifier));
    if (target === rule.folder || (rule.may === "*" && target === undefined)) return undefined;
    return `${specifier} leaves the package ${rule.folder}: import the other one by its name`;
  }
  const target = importTable.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  if (!target || target.folder === rule.folder) return undefined;
  if (topFolders.includes(target.folder)) return `nothing imports ${target.folder}`;
  if (rule.may === "*" || rule.may.includes(target.folder)) return undefined;
  if (isTest(file) && testsMayImport.includes(target.folder)) return undefined;
  return `${rule.folder} may not import ${target.folder} (${rule.why})`;
}

/** No circle of files that import each other's values. Types are erased and may go in circles. */
export function checkCycles(tree: SourceTree): Finding[] {
  const edges = new Map<string, string[]>();
  for (const file of tree.files.filter(isTypeScript)) {
    const targets = importsOf(tree, file)
      .filter(({ typeOnly, dynamic }) => !typeOnly && !dynamic)
      .map(({ specifier }) => resolveOurs(tree, file, specifier))
      .filter((target) => target !== undefined);
    edges.set(file, targets);
  }
  return findCircles(edges).map((circle) => ({
    file: circle[0] ?? "",
    message: `files import each other in a circle: ${[...circle, circle[0]].join(" → ")}`,
  }));
}

/** Depth first; each circle is told once, from where the walk closed it. */
function findCircles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const seenAt = path.indexOf(file);
    if (seenAt >= 0) {
      circles.push(path.slice(seenAt));
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of edges.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return circles;
}

/** The file that an import of ours means, by a relative path or through a package's `exports`. */
export function resolveOurs(tree: SourceTree, file: string, specifier: string): string | undefined {
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(file), specifier);
    return tree.has(target) ? target : undefined;
  }
  const rule = importTable.find(({ name }) => specifier === name || specifier.startsWith(`${name}/`));
  if (!rule || !tree.has(`${rule.folder}/package.json`)) return undefined;
  const { exports } = manifestOf(tree, rule.folder);
  const target = exports?.[`.${specifier.slice(rule.name.length)}`];
  return typeof target === "string" ? posix.join(rule.folder, target) : undefined;
}

export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly exports?: { readonly [path: string]: unknown };
  readonly dependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
  readonly optionalDependencies?: { readonly [name: string]: string };
}

export function manifestOf(tree: SourceTree, folder: string): Manifest {
  const file = folder === "" ? "package.json" : `${folder}/package.json`;
  return tree.has(file) ? (JSON.parse(tree.read(file)) as Manifest) : {};
}

/**
 * npm hoists, so a package that is missing in the manifest resolves all the same in this repository, and fails at the
 * user's. Sources need it under `dependencies`; types alone, and tests, may have it under `devDependencies`.
 */
export function checkManifests(tree: SourceTree): Finding[] {
  const findings: Finding[] = [];
  const shared = Object.keys(manifestOf(tree, "").devDependencies ?? {});
  for (const file of tree.files.filter(isTypeScript)) {
    const folder = packageFolderOf(file);
    if (folder === undefined) continue;
    const manifest = manifestOf(tree, folder);
    const needed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    const lenient = [...needed, ...Object.keys(manifest.devDependencies ?? {}), ...shared];
    const top = topFolders.includes(folder);
    for (const { specifier, line, typeOnly } of importsOf(tree, file)) {
      const name = bareName(specifier);
      if (name === undefined || name === manifest.name) continue;
      const allowed = typeOnly || top || isTest(file) ? [...lenient, ...testNames(file)] : needed;
      if (allowed.includes(name) || (typeOnly && lenient.includes(typesPackage(name)))) continue;
      findings.push({ file, line, message: `imports ${name}, which ${folder}/package.json does not list` });
    }
  }
  return findings;
}

/** What a test may import without its package depending on it: the import table judges it. */
function testNames(file: string): string[] {
  return isTest(file)
    ? importTable.filter(({ folder }) => testsMayImport.includes(folder)).map(({ name }) => name)
    : [];
}

function bareName(specifier: string): string | undefined {
  if (/^[./]|^node:|^#/.test(specifier) || builtins.has(specifier)) return undefined;
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0];
}

function typesPackage(name: string): string {
  return `@types/${name.replace(/^@/, "").replace("/", "__")}`;
}
