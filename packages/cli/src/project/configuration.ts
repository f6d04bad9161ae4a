/** Finds `millrace.config.ts`, has it evaluated in the bounded child, and validates what it exports. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { MillraceError } from "@millrace/core";
import { bundleEntry, entryOf } from "./bundle.ts";
import { checkConfiguration, type ProjectConfiguration } from "./configuration-check.ts";
import { loadInChild, type LoadBounds } from "./loader/load.ts";

export const configurationFiles = [
  "millrace.config.ts",
  "millrace.config.mjs",
  "millrace.config.js",
] as const;

export interface LoadedConfiguration {
  /** The folder of the configuration file, as a real path: the project's root. */
  readonly root: string;
  /** The configuration file's name. */
  readonly file: string;
  readonly configuration: ProjectConfiguration;
  /** Absolute paths of the configuration file and of what it imports. */
  readonly inputs: readonly string[];
}

/** Where the project of `from` has its configuration: the nearest folder upward that holds one. */
export function findConfiguration(from: string): { root: string; file: string } {
  const start = existsSync(from) ? realpathSync(resolve(from)) : resolve(from);
  for (let folder = start; ; folder = dirname(folder)) {
    const file = configurationFiles.find((name) => existsSync(join(folder, name)));
    if (file !== undefined) return { root: folder, file };
    if (folder === dirname(folder)) break;
  }
  throw new MillraceError("MILLRACE_CONFIG_INVALID", {
    message: `There is no \`${configurationFiles[0]}\` in ${start} or a folder above it.`,
    advice: "Go to the project's folder, or make a project here with `millrace init`.",
    fields: { searchedFrom: start },
  });
}

/** Loads the configuration of the project that `from` lies in. Refuses with MILLRACE_CONFIG_INVALID. */
export async function loadConfiguration(from: string, bounds?: LoadBounds): Promise<LoadedConfiguration> {
  const { root, file } = findConfiguration(from);
  const bundled = await bundleEntry(root, entryOf([file]), []).catch((error: unknown) => {
    throw asConfigurationError(error);
  });
  const load = { code: bundled.code, map: bundled.map, externals: bundled.externals, root };
  const result = await loadInChild({ ...load, kind: "configuration" }, bounds);
  const [error] = result.errors;
  if (error) throw asConfigurationError(error);
  return { root, file, configuration: checkConfiguration(root, file, result.value), inputs: bundled.inputs };
}

/** A failure of the configuration file keeps its message and place, under the configuration's code. */
function asConfigurationError(error: unknown): unknown {
  if (!(error instanceof MillraceError)) return error;
  return new MillraceError("MILLRACE_CONFIG_INVALID", {
    message: error.message,
    advice: error.advice,
    fields: { ...error.fields, reason: error.code },
    cause: error,
    ...(error.source ? { source: error.source } : {}),
  });
}
