import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert } from "@millrace/core";

/**
 * The folder of the package `millrace` that this code is part of: in a published package the one above `dist/`, in the
 * repository `packages/millrace`.
 */
export function ownPackageFolder(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    if (isOwn(folder)) return folder;
    const sibling = join(folder, "packages", "millrace");
    if (isOwn(sibling)) return sibling;
    assert(folder !== dirname(folder), `the package millrace is neither above ${start} nor beside it`);
  }
}

function isOwn(folder: string): boolean {
  const manifest = join(folder, "package.json");
  if (!existsSync(manifest)) return false;
  return (JSON.parse(readFileSync(manifest, "utf8")) as { name?: string }).name === "millrace";
}
