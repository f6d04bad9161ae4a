/** The files of a project as they were bundled: out of the bundle's source map, the latest few at hand. */
import { findBundle, type Database } from "@millrace/store";
import { sourceBundlesKept, sourceFilesMax, sourceKeptCharactersMax } from "./limits.ts";

/** By their paths below the project's root, in the order of these. */
export type SourceFiles = ReadonlyMap<string, string>;

/** What is not the project's own: packages, and what the bundler puts before all. */
const foreign = /^(?:node_modules\/|millrace-entry\.js$)|:/;

export class BundleSources {
  /** The one that was asked for last stands at the end. */
  readonly #kept = new Map<string, SourceFiles>();

  /** Nothing where the bundle is not kept any more, or has no map. */
  async filesOf(database: Database, hash: string): Promise<SourceFiles | undefined> {
    const known = this.#kept.get(hash);
    const files = known ?? (await readFiles(database, hash));
    if (!files) return undefined;
    this.#kept.delete(hash);
    if (charactersOf(files) <= sourceKeptCharactersMax / sourceBundlesKept) this.#kept.set(hash, files);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > sourceBundlesKept && oldest !== undefined) this.#kept.delete(oldest);
    return files;
  }
}

async function readFiles(database: Database, hash: string): Promise<SourceFiles | undefined> {
  const bundle = await findBundle(database, hash);
  if (!bundle) return undefined;
  const map = parse(bundle.map);
  if (!map) return undefined;
  const files = map.sources.flatMap((file, at): [string, string][] => {
    const text = map.sourcesContent[at];
    return typeof file !== "string" || typeof text !== "string" || foreign.test(file) ? [] : [[file, text]];
  });
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, sourceFilesMax));
}

function parse(
  text: string,
): { readonly sources: readonly unknown[]; readonly sourcesContent: readonly unknown[] } | undefined {
  try {
    const { sources, sourcesContent } = JSON.parse(text) as { sources?: unknown; sourcesContent?: unknown };
    return Array.isArray(sources) && Array.isArray(sourcesContent) ? { sources, sourcesContent } : undefined;
  } catch {
    return undefined;
  }
}

function charactersOf(files: SourceFiles): number {
  let characters = 0;
  for (const text of files.values()) characters += text.length;
  return characters;
}
