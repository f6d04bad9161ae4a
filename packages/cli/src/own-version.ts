import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ownPackageFolder } from "./project/own-package.ts";

/** The version of the package `millrace` that this code is part of. */
export function ownVersion(): string {
  const manifest = readFileSync(join(ownPackageFolder(), "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}

/** The file that starts the command line in a process of its own. */
export function ownCommandFile(): string {
  return join(ownPackageFolder(), "bin", "millrace.js");
}

/** The built page: beside the code of a published package, in the repository where it is built. */
export function ownPageFolder(): string {
  const own = ownPackageFolder();
  const isPublished = import.meta.dirname.startsWith(join(own, "dist"));
  return isPublished ? join(own, "dist", "page") : join(own, "..", "ui", "dist");
}
