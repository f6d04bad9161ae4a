/** What one look through a folder, and all below it, saw. */
import type { SourceProblem } from "@millrace/core";
import type { Look } from "./directory.ts";
import { FolderTroubles } from "./troubles.ts";

export interface Found {
  readonly key: string;
  readonly look: Look;
}

export interface Pass {
  files: number;
  known: number;
  waiting: number;
  entries: number;
  badNames: number;
  nameProblem: SourceProblem | undefined;
  readonly troubles: FolderTroubles;
}

export function newPass(): Pass {
  return {
    files: 0,
    known: 0,
    waiting: 0,
    entries: 0,
    badNames: 0,
    nameProblem: undefined,
    troubles: new FolderTroubles(),
  };
}
