import { createHash } from "node:crypto";
import { chown, lstat, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { MillraceError } from "@millrace/core";
import type { Account } from "./account.ts";

/**
 * The private folder of the server's socket. It is short because the path of a socket holds 107 bytes, and it is
 * all the access control there is: who reaches it is let in without a password.
 */
export async function makeSocketFolder(data: string, account: Account): Promise<string> {
  const folder = socketFolderOf(data, account);
  try {
    await mkdir(folder, { mode: 0o700 });
    if (account.switches !== undefined) await chown(folder, account.uid, account.switches.gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if (!(await isPrivate(folder, account))) {
    throw new MillraceError("MILLRACE_EMBEDDED_FAILED", {
      message: `${folder}, the place of PostgreSQL's socket, exists and is not a private folder of user ${account.uid}.`,
      advice: "See who made it, and remove it.",
      fields: { folder, uid: account.uid },
    });
  }
  return folder;
}

/** Whether a folder can hold the socket of a server that we trust. */
export async function isPrivate(folder: string, account: Account): Promise<boolean> {
  const found = await lstat(folder).catch(() => undefined);
  return (
    found !== undefined && found.isDirectory() && found.uid === account.uid && (found.mode & 0o077) === 0
  );
}

export async function removeSocketFolder(data: string, account: Account): Promise<void> {
  await rm(socketFolderOf(data, account), { recursive: true, force: true });
}

function socketFolderOf(data: string, account: Account): string {
  const hash = createHash("sha256").update(data).digest("hex").slice(0, 16);
  return join("/tmp", `millrace-${account.uid}-${hash}`);
}
