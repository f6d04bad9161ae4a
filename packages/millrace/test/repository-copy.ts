import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const repository = join(import.meta.dirname, "..", "..", "..");

const copied = ["package.json", "tsconfig.json", "LICENSE", "README.md", "packages", "tools"];

/**
 * The parts of the repository that packing needs, in a folder of their own: packing swaps a manifest for a moment, which
 * other tests must not see. Packages from the registry are links to those of the repository.
 */
export function copyRepository(): string {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), "millrace-pack-")));
  for (const name of copied) {
    if (!existsSync(join(repository, name))) continue;
    cpSync(join(repository, name), join(copy, name), {
      recursive: true,
      filter: (path) => !/[\\/](?:node_modules|dist|test)$/.test(path),
    });
  }
  const modules = join(copy, "node_modules");
  mkdirSync(join(modules, "@millrace"), { recursive: true });
  for (const name of readdirSync(join(repository, "node_modules"))) {
    if (name === "@millrace" || name === "millrace" || name.startsWith(".package")) continue;
    symlinkSync(join(repository, "node_modules", name), join(modules, name));
  }
  for (const name of readdirSync(join(copy, "packages"))) {
    symlinkSync(
      join(copy, "packages", name),
      join(modules, name === "millrace" ? name : `@millrace/${name}`),
    );
  }
  return copy;
}
