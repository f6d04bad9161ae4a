import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const configurationFiles = ["millrace.config.ts", "millrace.config.mjs", "millrace.config.js"];

/** The nearest folder upward that holds a configuration, found without loading what can bundle it. */
export function findProjectRoot(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (configurationFiles.some((name) => existsSync(join(folder, name)))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
