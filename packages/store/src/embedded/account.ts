import { readFile, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { MillraceError } from "@millrace/core";

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Under which user PostgreSQL runs. It refuses to run as root, so root switches to another user. */
export interface Account {
  /** The owner of the data folder's files. */
  readonly uid: number;
  /** Set when the server's process must change its user. */
  readonly switches?: SystemUser;
}

/** `millrace` first, so that an administrator can give PostgreSQL a user of its own. */
const preferredNames = ["millrace", "nobody", "postgres", "daemon"];

/** The account for a data folder; an existing folder's owner decides. */
export async function chooseAccount(dataOwnerUid: number | undefined): Promise<Account> {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { uid };
  const users = parsePasswd(await readFile("/etc/passwd", "utf8"));
  const user = pickUser(users, dataOwnerUid);
  if (user === undefined) {
    throw new MillraceError("MILLRACE_EMBEDDED_FAILED", {
      message: "PostgreSQL does not run as root, and /etc/passwd has no other user to run it under.",
      advice: "Start Millrace as another user, create a user named `millrace`, or set DATABASE_URL.",
      fields: { dataOwnerUid },
    });
  }
  return { uid: user.uid, switches: user };
}

export function pickUser(
  users: readonly SystemUser[],
  dataOwnerUid: number | undefined,
): SystemUser | undefined {
  const others = users.filter((user) => user.uid !== 0);
  if (dataOwnerUid !== undefined && dataOwnerUid !== 0) {
    return others.find((user) => user.uid === dataOwnerUid);
  }
  for (const name of preferredNames) {
    const user = others.find((candidate) => candidate.name === name);
    if (user !== undefined) return user;
  }
  return others[0];
}

export function parsePasswd(text: string): SystemUser[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":");
    if (name === undefined || uid === undefined || gid === undefined) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/** Whether a user may pass through every folder down to `path`, which exists. */
export async function isReachable(path: string, user: SystemUser): Promise<boolean> {
  let folder = await realpath(path);
  for (;;) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    const parent = dirname(folder);
    if (parent === folder) return true;
    folder = parent;
  }
}
