import { errorsPage } from "./errors-page.ts";

export interface GeneratedFile {
  readonly file: string;
  /** The whole text. Pure: the same sources give the same text. */
  readonly generate: () => string;
}

/** Files that are committed and made by a program; a check compares them. */
export const generatedFiles: readonly GeneratedFile[] = [
  { file: "docs/reference/errors.md", generate: errorsPage },
];
