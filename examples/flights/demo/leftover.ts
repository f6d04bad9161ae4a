/**
 * Folders of demos that were killed before they could take them away. A folder is one when its name says whose it is, that process
 * has ended, it is older than any demo lasts, and no PostgreSQL runs in it.
 */
import { glob, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";

const name = /^millrace-demo-(\d+)-/;
/** A demo takes a minute. A process that this one can't see, in another container, has ended by then, too. */
const oldMs = 15 * 60_000;

/** What `mkdtemp` makes the name of this process's folder of. */
export function demoFolderPrefix(pid: number): string {
  return `millrace-demo-${pid}-`;
}

/** Takes them away from below `parent`. What can't be is left to the next demo. */
export async function sweepLeftovers(parent: string, now: number): Promise<void> {
  for (const entry of await readdir(parent).catch(() => [])) {
    const pid = name.exec(entry)?.[1];
    if (pid === undefined) continue;
    const folder = join(parent, entry);
    const isLeftover = await isOfNobody(folder, Number(pid), now).catch(() => false);
    if (isLeftover) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isOfNobody(folder: string, pid: number, now: number): Promise<boolean> {
  const { uid, mtimeMs } = await stat(folder);
  if (uid !== process.getuid?.() || now - mtimeMs < oldMs || isAlive(pid)) return false;
  for await (const file of glob("**/postmaster.pid", { cwd: folder })) {
    const [first = ""] = (await readFile(join(folder, file), "utf8")).split("\n");
    if (isAlive(Number(first))) return false;
  }
  return true;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's is alive, too.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
