/** Options that hold JSON: the text itself, `@file`, or `-` for standard input. */
import { readFileSync } from "node:fs";
import { text as readAll } from "node:stream/consumers";
import { MillraceError, type Json } from "@millrace/core";
import { fromFolder, type Context } from "./environment.ts";

/** Throws MILLRACE_REQUEST_INVALID, which names the option. */
export async function readJsonOption(context: Context, option: string, given: string): Promise<Json> {
  const text =
    given === "-"
      ? await readAll(process.stdin)
      : given.startsWith("@")
        ? readFile(fromFolder(context, given.slice(1)), option)
        : given;
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `\`${option}\` is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
      advice: `A text is JSON in quotes: ${option} '"text"'.`,
      cause,
    });
  }
}

function readFile(path: string, option: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `The file of \`${option}\` can't be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      advice: "Write the path after the @ as seen from the working directory.",
      cause,
    });
  }
}
