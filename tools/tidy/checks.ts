import { checkCalls } from "./check-calls.ts";
import { checkErrorCodes, checkGenerated, checkLinks } from "./check-docs.ts";
import { checkEdges, checkLength, checkMachinePaths, checkNames, checkOwners } from "./check-files.ts";
import { checkCycles, checkDirections } from "./check-imports.ts";
import { checkLockFile, checkPackages } from "./check-packages.ts";
import type { Finding, SourceTree } from "./source-tree.ts";

export interface Check {
  /** What holds when there are no findings. */
  readonly rule: string;
  readonly run: (tree: SourceTree) => Finding[];
}

/** The repository's tests of itself. */
export const checks: readonly Check[] = [
  { rule: "imports follow the import table", run: checkDirections },
  { rule: "no files import each other in a circle", run: checkCycles },
  { rule: "manifests list exactly what is imported", run: checkPackages },
  {
    rule: "clock, chance, timers, environment, printing and SQL stay in their places",
    run: (tree) => checkCalls(tree),
  },
  { rule: "generated files are fresh", run: (tree) => checkGenerated(tree) },
  { rule: "error codes are documented and used", run: checkErrorCodes },
  { rule: "links in the documents lead somewhere", run: checkLinks },
  { rule: "every file has an owner", run: checkOwners },
  { rule: "index.ts stands at edges and lists names", run: checkEdges },
  { rule: "files are named for what they hold", run: checkNames },
  { rule: "files are short", run: checkLength },
  { rule: "the lock file holds no addresses", run: checkLockFile },
  { rule: "no file names a path of one machine", run: checkMachinePaths },
];

export function formatFinding({ file, line, message }: Finding): string {
  return `${file}${line === undefined ? "" : `:${line}`}: ${message}`;
}
