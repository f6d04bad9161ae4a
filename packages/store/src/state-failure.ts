import { statfs } from "node:fs/promises";
import { MillraceError } from "@millrace/core";

const folderFailures: { readonly [code: string]: string } = {
  ENOSPC: "has no space left",
  EDQUOT: "is over its quota",
  EACCES: "is not writable",
  EPERM: "is not writable",
  EROFS: "is on a read-only file system",
  ENOTDIR: "is not a folder",
  EIO: "has a failing disk",
};

/** Turns an error of the file system into MILLRACE_STATE_FOLDER where the folder is the cause; else returns it as it is. */
export async function stateFolderFailure(folder: string, error: unknown): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const what = code === undefined ? undefined : folderFailures[code];
  if (what === undefined) return error;
  return describeStateFailure(folder, what, error);
}

/** The error for a state folder of which we know what is wrong; it names the free space. */
export async function describeStateFailure(
  folder: string,
  what: string,
  cause?: unknown,
): Promise<MillraceError> {
  const freeBytes = await freeSpace(folder);
  const free = freeBytes === undefined ? "" : ` (${Math.floor(freeBytes / 1024 / 1024)} MB free)`;
  return new MillraceError("MILLRACE_STATE_FOLDER", {
    message: `The state folder ${folder} ${what}${free}.`,
    fields: { folder, freeBytes },
    cause,
  });
}

async function freeSpace(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** Whether a text (a server's log, an error's message) says that the disk is full. */
export function saysDiskFull(text: string): boolean {
  return /No space left on device|Disk quota exceeded|could not extend file/i.test(text);
}
