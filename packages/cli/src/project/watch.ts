/** Tells when the files of a project change: its configuration, its pipeline files, and all that they import. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { watch, type FSWatcher } from "chokidar";
import { configurationFiles } from "./configuration.ts";

export interface ProjectWatcher {
  /** Call it after each bundling: the imports may have changed. Absolute paths. */
  watchInputs(inputs: readonly string[]): void;
  /** Waits until nothing is watched any more; may be called twice. */
  stop(): Promise<void>;
}

export interface WatchOptions {
  /** The globs' fixed beginnings are watched as folders, so that new files are seen. */
  readonly include: readonly string[];
  /** How long it must be quiet before `onChange` is called, in ms. */
  readonly quietMs?: number;
}

const quietMsDefault = 40;

/** Calls `onChange` with the changed paths, once the files have been quiet for a moment. Resolves when it watches. */
export async function watchProject(
  root: string,
  options: WatchOptions,
  onChange: (changed: readonly string[]) => void,
): Promise<ProjectWatcher> {
  const quietMs = options.quietMs ?? quietMsDefault;
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(
    [...configurationFiles.map((file) => join(root, file)), ...foldersOf(root, options.include)],
    {
      ignoreInitial: true,
      ignored: (path) => /[\\/](?:node_modules|\.git|\.millrace)(?:[\\/]|$)/.test(path.slice(root.length)),
    },
  );
  watcher.on("all", (_event, path) => {
    changed.add(path);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const paths = [...changed].sort();
      changed.clear();
      onChange(paths);
    }, quietMs);
  });
  await ready(watcher);
  let stopping: Promise<void> | undefined;
  return {
    watchInputs: (inputs) => {
      watcher.add(inputs.filter((input) => !/[\\/]node_modules[\\/]/.test(input)));
    },
    stop: () => {
      clearTimeout(timer);
      stopping ??= watcher.close();
      return stopping;
    },
  };
}

async function ready(watcher: FSWatcher): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    watcher.once("ready", resolve);
    watcher.once("error", reject);
  });
}

/** The folders that globs begin with: `pipelines` of `pipelines/**` + `/*.ts`; where there is none yet, the next one upward. */
function foldersOf(root: string, include: readonly string[]): string[] {
  const folders = include.map((pattern) => {
    const parts = pattern.split("/");
    const wild = parts.findIndex((part) => /[*?[\]{}!()]/.test(part));
    let place = join(root, ...parts.slice(0, wild < 0 ? parts.length : wild));
    while (place !== root && !existsSync(place)) place = dirname(place);
    return place;
  });
  return [...new Set(folders)];
}
