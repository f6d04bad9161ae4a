import { chmod, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/** A folder for one test, and what must end before it is removed. */
export interface TemporaryFolder extends AsyncDisposable {
  readonly root: string;
  /** A state folder below it, which is not there yet. */
  readonly state: string;
  /** Runs at the end of the test, the last first. */
  defer(end: () => Promise<void>): void;
}

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const root = await mkdtemp("/tmp/millrace-embedded-");
  // Passable, so that root's server can have its data below it.
  await chmod(root, 0o711);
  const ends: (() => Promise<void>)[] = [];
  return {
    root,
    state: join(root, "state"),
    defer: (end) => void ends.push(end),
    [Symbol.asyncDispose]: async () => {
      for (const end of ends.reverse()) await end();
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
