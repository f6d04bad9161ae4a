import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { describeStateFailure } from "./state-failure.ts";

/**
 * Makes a folder of the state and those above it; false when it is there already. Throws MILLRACE_STATE_FOLDER where it
 * can't be. Node's recursive mkdir never ends on a file system that says ENOENT below a folder that exists, as `/proc` does.
 */
export async function makeFolder(path: string): Promise<boolean> {
  try {
    return await makeLast(path);
  } catch (error) {
    if (!isMissing(error) || dirname(path) === path) throw error;
  }
  await makeFolder(dirname(path));
  try {
    return await makeLast(path);
  } catch (error) {
    throw isMissing(error) ? await describeStateFailure(path, "can't be made there", error) : error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

async function makeLast(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    // A link that leads nowhere exists, too.
    if (!(await stat(path)).isDirectory()) throw await describeStateFailure(path, "is not a folder", error);
    return false;
  }
}
