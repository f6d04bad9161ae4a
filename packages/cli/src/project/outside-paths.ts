/**
 * esbuild names files outside of the project by their way from it (`../../elsewhere/x.ts`), which differs between
 * machines. Here those names become `node_modules/<package>/<path>` in the code's comments and keys and in the map.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { Metafile } from "esbuild";

export interface CodeAndMap {
  readonly code: string;
  readonly map: string;
}

export function placeOutsidePaths(root: string, metafile: Metafile, output: CodeAndMap): CodeAndMap {
  const names = new Map<string, string>();
  for (const input of Object.keys(metafile.inputs)) {
    if (input.startsWith("../")) names.set(input, placedName(resolve(root, input)));
  }
  if (names.size === 0) return output;
  const map = JSON.parse(output.map) as { sources: string[] };
  map.sources = map.sources.map((source) => names.get(source) ?? source);
  return { code: renameInCode(output.code, names), map: `${JSON.stringify(map, null, 2)}\n` };
}

/** Only whole comment lines and the keys of wrapped modules, which carry no mappings behind them. */
function renameInCode(code: string, names: ReadonlyMap<string, string>): string {
  return code
    .replaceAll(/^(\s*\/\/ )(\.\.\/.*)$/gm, (line, start: string, path: string) => {
      const name = names.get(path);
      return name === undefined ? line : start + name;
    })
    .replaceAll(
      /^(\s+(?:async )?)("\.\.\/.*")(\((?:exports|exports, module)?\) \{)$/gm,
      (line, start: string, key: string, rest: string) => {
        const name = names.get(JSON.parse(key) as string);
        return name === undefined ? line : start + JSON.stringify(name) + rest;
      },
    );
}

function placedName(path: string): string {
  const parts = path.split(sep);
  const installed = parts.lastIndexOf("node_modules");
  if (installed >= 0) return parts.slice(installed).join("/");
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest)) {
      const { name } = JSON.parse(readFileSync(manifest, "utf8")) as { name?: string };
      return ["node_modules", name ?? basename(folder), ...relative(folder, path).split(sep)].join("/");
    }
    if (folder === dirname(folder)) return `node_modules/${basename(path)}`;
  }
}
