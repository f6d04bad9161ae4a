/** What was set up is taken down, whatever came between: here a folder, in earnest a cluster or a temporary schema. */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline, task } from "millrace";
import { z } from "zod";

const makeFolder = task("make-folder", async () => ({
  folder: await mkdtemp(join(tmpdir(), "millrace-example-")),
}));

const fill = task("fill", async (input: { folder: string; breaks: boolean }) => {
  const file = join(input.folder, "numbers.txt");
  await writeFile(file, "1 2 3");
  if (input.breaks) throw new Error("the power went out");
  return { file };
});

const sum = task("sum", async (input: { file: string }) => {
  const text = await readFile(input.file, "utf8");
  return text.split(" ").reduce((total, number) => total + Number(number), 0);
});

const removeFolder = task("remove-folder", async (input: { folder: string }) => {
  await rm(input.folder, { recursive: true, force: true });
  return { removed: !existsSync(input.folder) };
});

export const scratch = pipeline(
  "scratch",
  { params: z.object({ breaks: z.boolean().default(false) }) },
  ({ params }) => {
    const made = makeFolder();
    const filled = fill({ folder: made.folder, breaks: params.breaks });
    const total = sum({ file: filled.file });

    // Runs when `make-folder` succeeded and all that came of it has ended: also after a failure, also on cancel.
    // A teardown does not decide the run: with `breaks`, the run fails because of `fill`, and the folder is gone.
    removeFolder({ folder: made.folder }, { teardown: made });
    return total;
  },
);
