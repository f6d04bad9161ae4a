/**
 * `millrace init`: a small project that teaches. Nothing that somebody wrote is changed or overwritten; a manifest that `npm install`
 * alone has made, of dependencies and nothing else, gets the rest.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { MillraceError } from "@millrace/core";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { ownVersion } from "../own-version.ts";
import { templateFiles } from "./files.ts";

export function initProject(context: Context, folder: string, name: string | undefined): number {
  const project = name === undefined ? nameOf(folder) : requireName(name);
  const files = templateFiles(project);
  refuseOverwriting(folder, Object.keys(files));
  const present = readManifest(folder);
  const isNpms = present !== undefined && isOfNpmAlone(present);
  const manifest = isNpms ? { ...manifestOf(project), ...present } : (present ?? manifestOf(project));
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  const written = { ...files, ...(present === undefined ? { "package.json": text } : {}) };
  writeAll(folder, written);
  if (isNpms) writeFileSync(join(folder, "package.json"), text);
  tell(context, folder, project, [...Object.keys(written), ...(isNpms ? ["package.json"] : [])]);
  for (const line of missingFrom(manifest))
    context.terminal.print(`  ${context.terminal.paint.yellow("!")} ${line}`);
  tellNext(context, folder);
  return exitCodes.succeeded;
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

function nameOf(folder: string): string {
  const cleaned = basename(folder)
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 100);
  return namePattern.test(cleaned) ? cleaned : "pipelines";
}

function requireName(name: string): string {
  if (namePattern.test(name)) return name;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `A project's name has 1 to 128 letters, digits, ".", "_" or "-", and starts with a letter or a digit; found ${JSON.stringify(name)}.`,
    advice: "Choose another with `--name`.",
  });
}

function refuseOverwriting(folder: string, paths: readonly string[]): void {
  const present = paths.filter((path) => existsSync(join(folder, path)));
  if (present.length === 0) return;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `${folder} already holds ${present.join(", ")}; nothing was written.`,
    advice: "Choose another folder: `millrace init NAME`.",
    fields: { folder, present },
  });
}

interface Manifest {
  readonly type?: string;
  readonly scripts?: { readonly [name: string]: string };
  readonly dependencies?: { readonly [name: string]: string };
  readonly devDependencies?: { readonly [name: string]: string };
}

/** The manifest that is there before. */
function readManifest(folder: string): Manifest | undefined {
  const path = join(folder, "package.json");
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Manifest;
  } catch (cause) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `${path} can't be read: ${(cause as Error).message}. Nothing was written.`,
      advice: "Mend it, or choose another folder: `millrace init NAME`.",
      cause,
    });
  }
}

/** `npm install PACKAGE` in an empty folder makes one of dependencies, and nothing else. */
function isOfNpmAlone(manifest: Manifest): boolean {
  return Object.keys(manifest).every((name) => name === "dependencies" || name === "devDependencies");
}

const testScript = "node --test";

function manifestOf(project: string) {
  return {
    name: project.toLowerCase(),
    private: true,
    type: "module",
    scripts: { dev: "millrace dev", test: testScript },
    dependencies: { millrace: ownVersion() },
  };
}

function writeAll(folder: string, files: { readonly [path: string]: string }): void {
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text, { flag: "wx" });
    }
    writeGitignore(folder);
  } catch (cause) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `Can't make a project in ${folder}: ${(cause as Error).message}.`,
      advice: "Choose a folder that you may write to: `millrace init NAME`.",
      cause,
    });
  }
}

function writeGitignore(folder: string): void {
  const path = join(folder, ".gitignore");
  const wanted = ["node_modules/", ".millrace/"];
  const present = existsSync(path) ? readFileSync(path, "utf8") : "";
  const known = present.split(/\r?\n/).map((line) => line.trim().replaceAll(/^\/|\/$/g, ""));
  const missing = wanted.filter((line) => !known.includes(line.replace(/\/$/, "")));
  if (missing.length === 0) return;
  const start = present === "" || present.endsWith("\n") ? present : `${present}\n`;
  writeFileSync(path, `${start}${missing.join("\n")}\n`);
}

function tell(
  { terminal, folder: from }: Context,
  folder: string,
  project: string,
  written: readonly string[],
): void {
  const { paint } = terminal;
  const place = relative(from, folder) || ".";
  terminal.print(`${paint.green("●")} Made the project ${paint.bold(project)} in ${place}`);
  for (const path of written) terminal.print(paint.dim(`    ${path}`));
  terminal.print("");
}

function tellNext({ terminal, folder: from }: Context, folder: string): void {
  const { paint } = terminal;
  const place = relative(from, folder);
  const first = [...(place === "" ? [] : [`cd ${shellWord(place)}`]), "npm install"].join(" && ");
  const width = Math.max(first.length, 16);
  terminal.print("Next:");
  terminal.print(`  ${paint.cyan(first.padEnd(width))}  ${paint.dim("once")}`);
  terminal.print(
    `  ${paint.cyan("npx millrace dev".padEnd(width))}  ${paint.dim("then, in another terminal: npx millrace run hello")}`,
  );
}

/** A path as one word for a shell. */
function shellWord(path: string): string {
  return /^[\w./@%+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

/** What a manifest that was there before lacks. */
function missingFrom(manifest: Manifest): string[] {
  const lines: string[] = [];
  if (manifest.type !== "module")
    lines.push('package.json: set "type": "module", as pipelines are ES modules.');
  const test = manifest.scripts?.["test"];
  // What npm itself writes only says that there is none.
  if (test === undefined || test.includes("no test specified"))
    lines.push(
      `package.json: set the script "test": "${testScript}", which runs the tests beside your pipelines.`,
    );
  if (!manifest.dependencies?.["millrace"] && !manifest.devDependencies?.["millrace"]) {
    lines.push(`package.json: add the dependency: npm install millrace@${ownVersion()}`);
  }
  return lines;
}
