/**
 * Who owns a state folder. One process at a time; others learn who and where it is.
 *
 * S1: The owner is the living process in the file with the highest number below `owner/`.
 * S2: A number is never used by two owners: a file appears complete and by an exclusive link, and its number never
 *     falls (release renames the file to `N.released`). Who made a file and then finds a higher one has lost.
 * S3: A dead owner needs no clean-up: its process id with its start time shows that it is gone.
 */
import { randomUUID } from "node:crypto";
import { chmod, link, open, readFile, readdir, realpath, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MillraceError } from "@millrace/core";
import { makeFolder } from "../make-folder.ts";
import { stateFolderFailure } from "../state-failure.ts";
import { isSameProcessAlive, ownIdentity, type ProcessIdentity } from "./process-identity.ts";

/** What the owner of a state folder tells others about itself. */
export interface ServerFile {
  readonly pid: number;
  /** Where its HTTP API answers. */
  readonly url: string;
}

/** A state folder that this process owns. */
export interface StateFolderClaim {
  /** The folder's real path. */
  readonly folder: string;
  /** Tells others where this process answers. */
  publish(server: { readonly url: string }): Promise<void>;
  /** Gives the folder back. May be called twice. */
  release(): Promise<void>;
}

const attemptsMax = 50;

/**
 * Makes this process the owner of a state folder, which is created if it is missing.
 * Throws MILLRACE_STATE_IN_USE with `{ pid, url }` of the living owner (`url` once that one has published it), or
 * MILLRACE_STATE_FOLDER when the folder can't be used.
 */
export async function claimStateFolder(folder: string): Promise<StateFolderClaim> {
  const path = resolve(folder);
  try {
    await makeStateFolder(path);
    const real = await realpath(path);
    const number = await claimNumber(real);
    return new HeldClaim(real, number);
  } catch (error) {
    throw await stateFolderFailure(path, error);
  }
}

/** What the living owner of a state folder published; `undefined` when nobody owns it or it did not publish yet. */
export async function readServerFile(folder: string): Promise<ServerFile | undefined> {
  const owner = await livingOwner(folder);
  if (owner === undefined) return undefined;
  const server = await readJson<ServerFile & { readonly owner: ProcessIdentity }>(
    join(folder, "server.json"),
  );
  if (server === undefined || server.owner.startedAt !== owner.startedAt || server.pid !== owner.pid) {
    return undefined;
  }
  return { pid: server.pid, url: server.url };
}

class HeldClaim implements StateFolderClaim {
  readonly folder: string;
  readonly #number: number;
  #released = false;

  constructor(folder: string, number: number) {
    this.folder = folder;
    this.#number = number;
  }

  async publish(server: { readonly url: string }): Promise<void> {
    const owner = await ownIdentity();
    await writeWhole(join(this.folder, "server.json"), { pid: process.pid, url: server.url, owner });
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await rm(join(this.folder, "server.json"), { force: true });
    // A rename needs no space: a full disk can be given back, too.
    const path = ownerPath(this.folder, this.#number);
    await rename(path, path.replace(/json$/, "released")).catch((error: NodeJS.ErrnoException) => {
      // Somebody removed the whole folder: there is nothing left to give back.
      if (error.code !== "ENOENT") throw error;
    });
  }
}

async function makeStateFolder(path: string): Promise<void> {
  const isNew = await makeFolder(path);
  await makeFolder(join(path, "owner"));
  // PostgreSQL runs under another user when we are root: it must pass, and see nothing else.
  if (isNew && process.getuid?.() === 0) await chmod(path, 0o711);
  const probe = join(path, `.writable-${randomUUID()}`);
  await writeFile(probe, "");
  await rm(probe);
}

async function claimNumber(folder: string): Promise<number> {
  const draft = join(folder, "owner", `draft-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(await ownIdentity()));
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const highest = await highestNumber(folder);
      if (highest > 0) await refuseIfHeld(folder, highest);
      const number = highest + 1;
      if (!(await linkExclusively(draft, ownerPath(folder, number)))) continue;
      if (await holdsHighest(folder, number)) {
        await removeLower(folder, number);
        return number;
      }
      await rm(ownerPath(folder, number), { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
  throw new MillraceError("MILLRACE_STATE_IN_USE", {
    message: `Too many processes try to use the state folder ${folder} at once.`,
    fields: { folder },
  });
}

async function refuseIfHeld(folder: string, number: number): Promise<void> {
  const owner = await livingOwnerOf(folder, number);
  if (owner === undefined) return;
  const server = await readServerFile(folder);
  const where = server === undefined ? "" : ` at ${server.url}`;
  throw new MillraceError("MILLRACE_STATE_IN_USE", {
    message: `The state folder ${folder} is in use by process ${owner.pid}${where}.`,
    fields: { folder, pid: owner.pid, url: server?.url },
  });
}

async function livingOwner(folder: string): Promise<ProcessIdentity | undefined> {
  const number = await highestNumber(folder).catch(() => 0);
  return number === 0 ? undefined : livingOwnerOf(folder, number);
}

async function livingOwnerOf(folder: string, number: number): Promise<ProcessIdentity | undefined> {
  const owner = await readJson<ProcessIdentity>(ownerPath(folder, number));
  return owner !== undefined && (await isSameProcessAlive(owner)) ? owner : undefined;
}

/** False when a higher owner came before, or when this number was used and released already. */
async function holdsHighest(folder: string, number: number): Promise<boolean> {
  const names = await readdir(join(folder, "owner"));
  return names.filter((name) => numberOf(name) >= number).length === 1;
}

async function highestNumber(folder: string): Promise<number> {
  const names = await readdir(join(folder, "owner"));
  return names.reduce((highest, name) => Math.max(highest, numberOf(name)), 0);
}

async function removeLower(folder: string, number: number): Promise<void> {
  for (const name of await readdir(join(folder, "owner"))) {
    const lower = numberOf(name);
    if (lower > 0 && lower < number) await rm(join(folder, "owner", name), { force: true });
  }
}

function numberOf(name: string): number {
  return /^\d+\.(json|released)$/.test(name) ? Number.parseInt(name, 10) : 0;
}

function ownerPath(folder: string, number: number): string {
  return join(folder, "owner", `${String(number).padStart(8, "0")}.json`);
}

async function linkExclusively(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch {
    return undefined;
  }
}

async function writeWhole(path: string, value: unknown): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, "wx", 0o600);
  await file.writeFile(JSON.stringify(value));
  await file.close();
  await rename(draft, path);
}
