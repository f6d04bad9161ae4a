import { realpathSync } from "node:fs";
import type { MillraceError, ProjectDefinition } from "@millrace/core";
import type { BundleUpload } from "@millrace/protocol";
import { loadInChild, type LoadBounds } from "./loader/load.ts";

export interface ProjectDescription {
  /** What could be loaded; absent when nothing could. Deploy it only when there are no errors. */
  readonly definition?: ProjectDefinition;
  readonly errors: readonly MillraceError[];
  /** Files of which nothing is in the definition. */
  readonly brokenFiles: readonly string[];
}

/**
 * Loads a bundle in a bounded child process and returns its definitions as data. What the project's files do wrong comes
 * back as errors, each with its file; the promise rejects only when the child can't be started.
 */
export async function describeBundle(
  upload: BundleUpload,
  options: LoadBounds & { readonly root: string },
): Promise<ProjectDescription> {
  const { code, map, manifest } = upload;
  const root = realpathSync(options.root);
  const loaded = await loadInChild(
    { kind: "project", root, code, map, externals: manifest.externals },
    options,
  );
  return {
    errors: loaded.errors,
    brokenFiles: loaded.brokenFiles,
    ...(loaded.value === undefined ? {} : { definition: loaded.value as ProjectDefinition }),
  };
}
