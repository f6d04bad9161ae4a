import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ownPackageFolder } from "./project/own-package.ts";

/** Runs the command line and resolves with the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === "--version") {
    const manifest = readFileSync(join(ownPackageFolder(), "package.json"), "utf8");
    console.log((JSON.parse(manifest) as { version: string }).version);
    return 0;
  }
  console.error(`Unknown command ${JSON.stringify(argv[0] ?? "")}.`);
  return 2;
}
