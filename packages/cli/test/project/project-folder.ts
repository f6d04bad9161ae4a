import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const repository = fileURLToPath(new URL("../../../..", import.meta.url));

/** A project in a folder of its own, which goes with the test. Keys are paths, values the files' texts. */
export function projectFolder(files: { readonly [path: string]: string }, below = ""): string {
  const made = realpathSync(mkdtempSync(join(tmpdir(), "millrace-test-")));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  const root = join(made, below);
  mkdirSync(root, { recursive: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

/** Puts packages of the repository's `node_modules` into a project, as links or, when they are small, as copies. */
export function installInto(root: string, packages: { readonly [name: string]: "link" | "copy" }): void {
  for (const [name, way] of Object.entries(packages)) {
    const target = join(root, "node_modules", name);
    mkdirSync(dirname(target), { recursive: true });
    const source = realpathSync(join(repository, "node_modules", name));
    if (way === "link") symlinkSync(source, target);
    else cpSync(source, target, { recursive: true });
  }
}

/** A package of a few files in a project's `node_modules`. */
export function fakePackage(
  root: string,
  manifest: { readonly name: string; readonly version: string; readonly [key: string]: unknown },
  files: { readonly [path: string]: string },
): void {
  const folder = join(root, "node_modules", manifest.name);
  for (const [path, text] of Object.entries({ "package.json": JSON.stringify(manifest), ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

export const config = `export default { project: "shop" };\n`;

/** A pipeline file with one task. */
export function pipelineFile(name: string, before = ""): string {
  return `${before}import { pipeline, task } from "millrace";
const work = task("work", async (input: { n: number }) => ({ doubled: input.n * 2 }));
export const flow = pipeline(${JSON.stringify(name)}, () => {
  work({ n: 21 });
});
`;
}
