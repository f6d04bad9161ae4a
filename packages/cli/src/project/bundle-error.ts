import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { nearestName, type MillraceError, type SourceLocation } from "@millrace/core";
import type { BuildFailure, Message } from "esbuild";
import { packageNameOf } from "./native-packages.ts";
import { projectError } from "./project-error.ts";

/** How many of esbuild's messages an error carries. */
const messagesMax = 20;

/** The installed package in which a build failed, if the first failure lies in one. */
export function packageAtFault(root: string, failure: BuildFailure): string | undefined {
  const file = failure.errors[0]?.location?.file;
  if (file === undefined) return undefined;
  const path = resolve(root, file).replaceAll("\\", "/");
  const start = path.lastIndexOf("/node_modules/");
  return start < 0 ? undefined : packageNameOf(path.slice(start + "/node_modules/".length));
}

/** esbuild's failure as an error of ours, with place and code frame; what else it found is in `fields.others`. */
export function buildError(root: string, failure: BuildFailure): MillraceError {
  const [first, ...others] = failure.errors.slice(0, messagesMax);
  if (!first)
    return projectError(root, "MILLRACE_BUNDLE_FAILED", { message: failure.message, cause: failure });
  const untold = failure.errors.length - 1 - others.length;
  const fields = {
    ...(others.length === 0 ? {} : { others: others.map((one) => messageError(root, one, {})) }),
    ...(untold === 0 ? {} : { untold }),
  };
  return messageError(root, first, fields);
}

function messageError(
  root: string,
  message: Message,
  fields: { readonly [name: string]: unknown },
): MillraceError {
  const { source, length, advice, message: text } = describeMessage(root, message);
  return projectError(root, "MILLRACE_BUNDLE_FAILED", {
    message: `${where(source)}: ${text}`,
    fields,
    ...(source ? { source, length } : {}),
    ...(advice === undefined ? {} : { advice }),
  });
}

interface Described {
  readonly message: string;
  readonly source?: SourceLocation;
  readonly length: number;
  readonly advice?: string;
}

function describeMessage(root: string, message: Message): Described {
  const { location } = message;
  const advice = adviceFor(root, message);
  return {
    message: message.text,
    length: location?.length ?? 1,
    ...(location
      ? { source: { file: location.file, line: location.line, column: location.column + 1 } }
      : {}),
    ...(advice === undefined ? {} : { advice }),
  };
}

function where(source: SourceLocation | undefined): string {
  return source ? `${source.file}:${source.line}` : "The bundle failed";
}

function adviceFor(root: string, message: Message): string | undefined {
  const missing = /^Could not resolve "(.+)"$/.exec(message.text)?.[1];
  if (missing === undefined) return undefined;
  if (!/^[./]/.test(missing)) {
    const name = packageNameOf(missing);
    return name === undefined ? undefined : `Add the package to the project: \`npm install ${name}\`.`;
  }
  const folder = dirname(resolve(root, dirname(message.location?.file ?? ""), missing));
  if (!existsSync(folder)) return `There is no folder ${folder}.`;
  const near = nearestName(basename(missing), readdirSync(folder));
  return near === undefined ? undefined : `Did you mean \`${dirname(missing)}/${near}\`?`;
}
