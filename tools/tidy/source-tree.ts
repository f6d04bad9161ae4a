import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A repository's files as the checks see them. Paths are relative to its root, with `/`, sorted. */
export interface SourceTree {
  readonly files: readonly string[];
  read(file: string): string;
  has(file: string): boolean;
}

export interface Finding {
  readonly file: string;
  /** From 1; absent: the file as a whole. */
  readonly line?: number;
  readonly message: string;
}

/** What git tracks or would track; what is ignored is nobody's business. */
export function gitTree(root: string): SourceTree {
  const list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  const files = [...new Set(list.split("\0"))]
    .filter((file) => file !== "" && existsSync(join(root, file)))
    .sort();
  const texts = new Map<string, string>();
  const known = new Set(files);
  return {
    files,
    has: (file) => known.has(file),
    read: (file) => {
      const text = texts.get(file) ?? readFileSync(join(root, file), "utf8");
      texts.set(file, text);
      return text;
    },
  };
}

/** A tree that exists only in memory: the checks' own tests use it. */
export function memoryTree(texts: { readonly [file: string]: string }): SourceTree {
  return {
    files: Object.keys(texts).sort(),
    has: (file) => Object.hasOwn(texts, file),
    read: (file) => {
      const text = texts[file];
      if (text === undefined) throw new Error(`no file ${file}`);
      return text;
    },
  };
}

export function isTypeScript(file: string): boolean {
  return /\.[cm]?tsx?$/.test(file);
}

/** Tests, their fixtures and benchmarks of a package: `packages/core/test/…`, `….test.ts`. */
export function isTest(file: string): boolean {
  return /\.(test|types)\.[cm]?tsx?$/.test(file) || /^packages\/[^/]+\/test\//.test(file);
}

/** `packages/core`, `tools`: the folder with the manifest that `file` belongs to; none for what `npm ci` does not install. */
export function packageFolderOf(file: string): string | undefined {
  if (file.startsWith("bench/peers/")) return undefined;
  const [first, second] = file.split("/");
  if (first === "packages" && second !== undefined) return `packages/${second}`;
  return first !== undefined && ["simulation", "bench", "e2e", "examples", "tools"].includes(first)
    ? first
    : undefined;
}
