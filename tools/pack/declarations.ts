/** One set of type declarations: what tsc makes of the public sources, with all imports between them relative. */
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";

/** `packages/sdk/src/task.d.ts` becomes `sdk/task.d.ts`. */
function placed(file: string): string {
  return file.replace(/^packages\/([^/]+)\/src\//, "$1/");
}

/** Where users' imports of the published package lead. */
const entries: readonly string[] = ["millrace/index.d.ts", "millrace/internal.d.ts", "millrace/testing.d.ts"];

/**
 * Writes the declarations that the entries reach below `target`. `edges` gives the source file of each import of ours:
 * `@millrace/sdk` → `packages/sdk/src/index.ts`.
 */
export function writeDeclarations(root: string, target: string, edges: ReadonlyMap<string, string>): void {
  const emitted = mkdtempSync(join(tmpdir(), "millrace-types-"));
  try {
    const project = join(root, "packages", "millrace", "tsconfig.declarations.json");
    const tsc = join(root, "node_modules", ".bin", "tsc");
    const result = spawnSync(tsc, ["-p", project, "--outDir", emitted], { encoding: "utf8", cwd: root });
    if (result.status !== 0) throw new Error(`tsc failed:\n${result.stdout}${result.stderr}`);
    const texts = new Map<string, string>();
    for (const file of globSync("packages/**/*.d.ts", { cwd: emitted })) {
      texts.set(placed(file), relativeImports(file, readFileSync(join(emitted, file), "utf8"), edges));
    }
    for (const file of reachable(texts)) {
      const path = join(target, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, texts.get(file) ?? "");
    }
  } finally {
    rmSync(emitted, { recursive: true, force: true });
  }
}

function reachable(texts: ReadonlyMap<string, string>): Set<string> {
  const found = new Set<string>(entries);
  for (const file of found) {
    const text = texts.get(file);
    if (text === undefined) throw new Error(`no declarations were made for ${file}`);
    for (const [, , specifier = ""] of text.matchAll(importPattern)) {
      if (!specifier.startsWith(".")) continue;
      found.add(posix.join(posix.dirname(file), specifier).replace(/\.js$/, ".d.ts"));
    }
  }
  return found;
}

const importPattern = /(\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g;

export function relativeImports(file: string, text: string, edges: ReadonlyMap<string, string>): string {
  return text.replaceAll(importPattern, (all, start: string, specifier: string) => {
    if (specifier.startsWith(".")) return `${start}"${specifier.replace(/\.ts$/, ".js")}"`;
    const edge = edges.get(specifier);
    if (edge === undefined) return all;
    const way = posix.relative(posix.dirname(placed(file)), placed(edge)).replace(/\.ts$/, ".js");
    return `${start}"${way.startsWith(".") ? way : `./${way}`}"`;
  });
}
