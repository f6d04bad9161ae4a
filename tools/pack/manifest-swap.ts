/**
 * npm packs the `package.json` that lies in the folder, and the published one differs from the repository's. So it is put
 * in its place while npm packs.
 *
 * M1: the repository's manifest lies beside it, whole, before the published one is written.
 * M2: it is put back by the `postpack` script, or by a watcher that outlives npm.
 * M3: the published manifest is written only while npm lives, so that one of the two comes after.
 */
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
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

/** Puts the repository's manifest back and removes what was built or borrowed. May be called twice. */
export function putBack(root: string, folder: string): void {
  if (existsSync(join(folder, backupName)))
    renameSync(join(folder, backupName), join(folder, "package.json"));
  rmSync(join(folder, "dist"), { recursive: true, force: true });
  for (const file of borrowed) {
    const mine = join(folder, file);
    if (existsSync(mine) && isCopy(join(root, file), mine)) rmSync(mine);
  }
}

/** Files of the root that belong into the package, too, where it has none of its own. */
export function borrow(root: string, folder: string): void {
  for (const file of borrowed) {
    const theirs = join(root, file);
    if (existsSync(theirs) && !existsSync(join(folder, file))) copyFileSync(theirs, join(folder, file));
  }
}

function isCopy(original: string, copy: string): boolean {
  return existsSync(original) && readFileSync(original).equals(readFileSync(copy));
}
