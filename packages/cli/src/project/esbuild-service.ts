/**
 * esbuild works in a process of its own, which its library starts at the first build and keeps. This module owns that
 * process: it ends with the last build that is under way, so that nothing lingers between builds.
 */
import { build, stop, type BuildOptions, type BuildResult } from "esbuild";

let building = 0;

/** Builds without writing; a build that fails rejects with esbuild's `BuildFailure`. */
export async function runEsbuild<Options extends BuildOptions>(
  options: Options,
): Promise<BuildResult<Options>> {
  building += 1;
  try {
    return await build<Options>(options as never);
  } finally {
    building -= 1;
    if (building === 0) await stop();
  }
}
