/** The `prepack` script of the package `millrace`. */
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { buildPackage, ourManifests } from "./build-package.ts";
import { borrow, putBack, putPublished } from "./manifest-swap.ts";
import { publishedManifest } from "./published-manifest.ts";

const root = join(import.meta.dirname, "..", "..");
const folder = join(root, "packages", "millrace");

putBack(root, folder);
const npm = npmAbove();
if (npm === undefined) throw new Error("this is the prepack script of millrace: run `npm pack -w millrace`");
putBackAfter(npm);
try {
  await buildPackage(root, join(folder, "dist"));
  borrow(root, folder);
  const manifests = ourManifests(root);
  const source = manifests.get("millrace");
  if (!source) throw new Error("packages/millrace has no manifest");
  const { folder: _folder, ...manifest } = source;
  if (npmAbove() !== npm) throw new Error("npm ended before the package was built");
  putPublished(folder, publishedManifest(manifest, manifests));
} catch (error) {
  putBack(root, folder);
  throw error;
}

/** npm does not call `postpack` when it fails or is killed: a process of ours waits for its end and puts the manifest back. */
function putBackAfter(npm: number): void {
  const script = join(import.meta.dirname, "restore.ts");
  spawn(process.execPath, [script, String(npm)], { detached: true, stdio: "ignore" }).unref();
}

/** The process id of the npm that runs this script; `undefined` when it has died. */
function npmAbove(): number | undefined {
  for (let pid = process.ppid; pid > 1;) {
    const { stdout } = spawnSync("ps", ["-o", "ppid=,args=", "-p", String(pid)], { encoding: "utf8" });
    const [, parent, command] = /^\s*(\d+)\s+(.*)$/m.exec(stdout) ?? [];
    if (parent === undefined || command === undefined) return undefined;
    // `sh -c "npm …"` is not npm: the shell ends first.
    if (!/^\S*sh -c/.test(command) && /\bnpm\b/.test(command)) return pid;
    pid = Number(parent);
  }
  return undefined;
}
