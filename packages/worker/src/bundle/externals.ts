import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { MillraceError } from "@millrace/core";
import type { BundleManifest } from "@millrace/protocol";

/**
 * The folder from which all external packages of a bundle resolve in their exact versions: where the bundle was made, if
 * that is this machine, else the worker's own folder.
 */
export async function findExternals(manifest: BundleManifest, workFolder: string): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  if (manifest.platform !== "any" && manifest.platform !== platform) {
    throw missing(manifest, `it was made for ${manifest.platform}, and this worker runs on ${platform}`);
  }
  const roots = [...new Set([manifest.projectRoot, workFolder])].filter((root) => root !== "");
  const reasons: string[] = [];
  for (const root of roots) {
    const lacking = await lackingIn(root, manifest.externals);
    if (lacking.length === 0) return root;
    reasons.push(`${root} has not ${lacking.join(", ")}`);
  }
  throw missing(manifest, reasons.join("; "));
}

async function lackingIn(root: string, externals: BundleManifest["externals"]): Promise<string[]> {
  const lacking: string[] = [];
  for (const [name, version] of Object.entries(externals)) {
    const found = await installedVersion(root, name);
    if (found !== version) lacking.push(`${name}@${version}${found === undefined ? "" : ` (but ${found})`}`);
  }
  return lacking;
}

/** As Node looks for a package: in `node_modules` of the folder and of those above it. */
async function installedVersion(root: string, name: string): Promise<string | undefined> {
  for (let folder = root; ; folder = dirname(folder)) {
    try {
      const text = await readFile(join(folder, "node_modules", name, "package.json"), "utf8");
      return (JSON.parse(text) as { version?: string }).version;
    } catch {
      if (dirname(folder) === folder) return undefined;
    }
  }
}

function missing(manifest: BundleManifest, why: string): MillraceError {
  return new MillraceError("MILLRACE_PACKAGE_MISSING", {
    message: `bundle ${manifest.hash} needs packages that this worker does not have: ${why}`,
    fields: { bundle: manifest.hash, externals: manifest.externals },
  });
}
