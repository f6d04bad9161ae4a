import { glob } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { projectError } from "./project-error.ts";

/** More pipeline files than this are a mistake in the globs. */
const filesMax = 10_000;

const neverIncluded = new Set(["node_modules", ".git", ".millrace"]);

/** The files that the globs name, relative to `root` with `/`, in the order of their names. Declaration files are left out. */
export async function findIncludedFiles(root: string, include: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of include) {
    const matches = glob(pattern, { cwd: root, exclude: (name) => neverIncluded.has(lastPart(name)) });
    for await (const match of matches) {
      const file = relativeFile(root, resolve(root, match));
      if (file === undefined) {
        throw projectError(root, "MILLRACE_CONFIG_INVALID", {
          message: `\`include\` names ${JSON.stringify(pattern)}, which leads out of the project's root ${root}.`,
          advice: "Include only files below the folder of `millrace.config.ts`.",
        });
      }
      if (isSource(file)) found.add(file);
      if (found.size > filesMax) {
        throw projectError(root, "MILLRACE_CONFIG_INVALID", {
          message: `\`include\` ${JSON.stringify(include)} matches more than ${filesMax} files.`,
          advice: "Make the globs narrower: they name pipeline files, not the modules that those import.",
        });
      }
    }
  }
  return [...found].sort();
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf(sep) + 1);
}

function isSource(file: string): boolean {
  return (
    /\.[cm]?[jt]sx?$/.test(file) && !/\.d\.[cm]?ts$/.test(file) && !/\.(test|spec)\.[cm]?[jt]sx?$/.test(file)
  );
}

/** `path` relative to `root` with `/`, or `undefined` when it lies outside. */
export function relativeFile(root: string, path: string): string | undefined {
  const file = relative(root, path);
  if (file === "" || file.startsWith("..") || isAbsolute(file)) return undefined;
  return sep === "/" ? file : file.replaceAll(sep, "/");
}
