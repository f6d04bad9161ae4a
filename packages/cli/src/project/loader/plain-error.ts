import type { SourceLocation } from "@millrace/core";
import { fileURLToPath } from "node:url";
import type { PlainError } from "./messages.ts";

/** Makes data of whatever was thrown in the child. `folder` holds the bundle. */
export function plainError(thrown: unknown, folder: string): PlainError {
  if (!(thrown instanceof Error) && !isErrorLike(thrown)) {
    return { name: "NonError", message: `it threw ${show(thrown)}, which is not an Error` };
  }
  const { name, message, stack, code, advice, fields, source } = thrown as Error & Partial<PlainError>;
  const place = isSource(source)
    ? { ...source, file: inProject(source.file, folder) }
    : stack === undefined
      ? undefined
      : sourceInStack(stack, folder);
  return {
    name,
    message: inProject(message, folder),
    ...(typeof stack === "string" ? { stack: inProject(stack, folder) } : {}),
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof advice === "string" ? { advice } : {}),
    ...(isJsonObject(fields) ? { fields } : {}),
    ...(place === undefined ? {} : { source: place }),
  };
}

/** Paths are told as the project's: the folder of the bundle is gone when somebody reads them. */
function inProject(text: string, folder: string): string {
  return text.replaceAll(`file://${folder}/`, "").replaceAll(`${folder}/`, "");
}

/** The first frame of a stack that lies in one of the project's own files. */
export function sourceInStack(stack: string, folder: string): SourceLocation | undefined {
  for (const line of stack.split("\n")) {
    const frame = /\(?((?:file:\/\/)?\/[^():]+):(\d+):(\d+)\)?$/.exec(line.trimEnd());
    if (!frame?.[1]) continue;
    const path = frame[1].startsWith("file://") ? fileURLToPath(frame[1]) : frame[1];
    if (!path.startsWith(`${folder}/`)) continue;
    const file = path.slice(folder.length + 1);
    if (!isOwnFile(file)) continue;
    return { file, line: Number(frame[2]), column: Number(frame[3]) };
  }
  return undefined;
}

/** Whether a path below the bundle's folder is one of the project's files, and not a package's or of the bundle itself. */
export function isOwnFile(file: string): boolean {
  return !file.startsWith("node_modules/") && file !== "bundle.mjs" && file !== "millrace-entry.js";
}

function isErrorLike(thrown: unknown): boolean {
  if (thrown === null || typeof thrown !== "object") return false;
  return (
    "message" in thrown &&
    typeof thrown.message === "string" &&
    "name" in thrown &&
    typeof thrown.name === "string"
  );
}

function isSource(source: unknown): source is SourceLocation {
  return source !== null && typeof source === "object" && "file" in source && "line" in source;
}

function isJsonObject(value: unknown): value is { readonly [name: string]: unknown } {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}

function show(thrown: unknown): string {
  try {
    return JSON.stringify(thrown)?.slice(0, 200) ?? String(thrown);
  } catch {
    return typeof thrown;
  }
}
