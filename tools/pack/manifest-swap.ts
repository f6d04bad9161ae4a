/**
 * npm packs the `package.json` that lies in the folder, and the published one differs from the repository's. So it is put
 * in its place while npm packs.
 *
 * M1: the repository's manifest lies beside it, whole, before the published one is written.
 * M2: whoever comes next puts it back: the `postpack` script, a watcher that outlives npm, or the next `prepack`.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const backupName = ".package.repository.json";
const borrowed = ["LICENSE", "README.md"];

export function putPublished(folder: string, manifest: object): void {
  const current = join(folder, "package.json");
  writeFileSync(join(folder, backupName), readFileSync(current));
  const fresh = join(folder, ".package.published.json");
  writeFileSync(fresh, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(fresh, current);
}

/** Puts the repository's manifest back and removes what was built. May be called twice. */
export function putBack(folder: string): void {
  if (!existsSync(join(folder, backupName))) return;
  renameSync(join(folder, backupName), join(folder, "package.json"));
  rmSync(join(folder, "dist"), { recursive: true, force: true });
  for (const file of borrowed) rmSync(join(folder, file), { force: true });
}

/** Files of the root that belong into the package, too. */
export function borrow(root: string, folder: string): void {
  for (const file of borrowed) {
    if (existsSync(join(root, file))) writeFileSync(join(folder, file), readFileSync(join(root, file)));
  }
}
