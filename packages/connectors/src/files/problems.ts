/** What a file system says, as errors of the catalogue. */
import { catalogue, MillraceError, type ErrorCode, type SourceProblem } from "@millrace/core";

export function folderMissing(folder: string): MillraceError {
  return new MillraceError("MILLRACE_FOLDER_MISSING", {
    message: `The folder ${folder} does not exist.`,
    fields: { folder },
  });
}

export function noFolder(folder: string): MillraceError {
  return new MillraceError("MILLRACE_FOLDER_FAILED", {
    message: `${folder} is no folder.`,
    fields: { folder },
  });
}

/** What was thrown while a folder was read. */
export function folderError(folder: string, cause: unknown): MillraceError {
  const { code } = cause as { readonly code?: unknown };
  if (code === "ENOENT" || code === "ENOTDIR") return folderMissing(folder);
  const isRefused = code === "EACCES" || code === "EPERM";
  return new MillraceError(isRefused ? "MILLRACE_FOLDER_REFUSED" : "MILLRACE_FOLDER_FAILED", {
    message: isRefused
      ? `The folder ${folder} may not be read by the server's user (${code}).`
      : `The folder ${folder} can't be read: ${textOf(cause)}.`,
    fields: { folder },
    cause,
  });
}

export function isOfFileSystem(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

export function unwatched(folder: string, cause: unknown): SourceProblem {
  return problem(
    "MILLRACE_FOLDER_UNWATCHED",
    `The system does not tell of changes in ${folder}: ${textOf(cause)}.`,
  );
}

export function badNames(count: number, folder: string): SourceProblem {
  const what = count === 1 ? "1 file has a name" : `${count} files have names`;
  return problem("MILLRACE_FILE_NAME", `${what} that can't be told; the last one is in ${folder}.`);
}

export function problemOf({ code, message, advice }: MillraceError): SourceProblem {
  return { code, message, advice };
}

function problem(code: ErrorCode, message: string): SourceProblem {
  return { code, message, advice: catalogue[code].advice };
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
