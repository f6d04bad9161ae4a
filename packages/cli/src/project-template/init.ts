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
import { canAsk, Questions } from "../terminal/ask.ts";
import { templateFiles, type Editor, type TemplateFile, type TemplateOptions } from "./files.ts";

export interface InitOptions {
  readonly name?: string;
  readonly editor?: Editor;
  /** Asks nothing. */
  readonly yes?: boolean;
}

export async function initProject(context: Context, folder: string, options: InitOptions): Promise<number> {
  if (options.name !== undefined) requireName(options.name);
  const wanted = { project: options.name ?? nameOf(folder), editor: options.editor ?? "vscode" };
  // Before anybody is asked in vain.
  refuseOverwriting(folder, wanted);
  const present = readManifest(folder);
  const chosen = options.yes !== true && canAsk() ? await askFor(options, wanted) : wanted;
  if (chosen === undefined) return exitCodes.interrupted;
  const { written, kept } = writeAll(folder, templateFiles(chosen));
  const { manifest, isWritten } = writeManifest(folder, chosen.project, present);
  tell(context, folder, chosen.project, [...written, ...(isWritten ? ["package.json"] : [])]);
  const { paint } = context.terminal;
  if (kept.length > 0)
    context.terminal.print(paint.dim(`  ${kept.join(", ")}: there before, left as it was`));
  for (const line of missingFrom(manifest)) context.terminal.print(`  ${paint.yellow("!")} ${line}`);
  tellNext(context, folder);
  return exitCodes.succeeded;
}

/** Two questions at most. `undefined` when the person leaves: then nothing was written. */
async function askFor(given: InitOptions, wanted: TemplateOptions): Promise<TemplateOptions | undefined> {
  using questions = new Questions();
  let { project, editor } = wanted;
  if (given.name === undefined) {
    const answer = await askUntil(questions, `The project's name? (${project}) `, (text) => {
      if (text === "" || namePattern.test(text)) return undefined;
      return nameRule;
    });
    if (answer === undefined) return undefined;
    project = answer === "" ? project : answer;
  }
  if (given.editor === undefined) {
    const answer = await askUntil(questions, "Set it up for VS Code and its like? (Y/n) ", (text) =>
      /^(?:|y|yes|n|no)$/i.test(text) ? undefined : "Answer y or n.",
    );
    if (answer === undefined) return undefined;
    editor = /^n/i.test(answer) ? "none" : "vscode";
  }
  return { project, editor };
}

/** Asks again while `fault` finds one. */
async function askUntil(
  questions: Questions,
  question: string,
  fault: (text: string) => string | undefined,
): Promise<string | undefined> {
  let hint = "";
  for (;;) {
    const answer = await questions.ask(`${hint}${question}`);
    if (answer === undefined) return undefined;
    const found = fault(answer);
    if (found === undefined) return answer;
    hint = `${found}\n`;
  }
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

function nameOf(folder: string): string {
  const cleaned = basename(folder)
    .replaceAll(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 100);
  return namePattern.test(cleaned) ? cleaned : "pipelines";
}

const nameRule =
  'A project\'s name has 1 to 128 letters, digits, ".", "_" or "-", and starts with a letter or a digit';

function requireName(name: string): void {
  if (namePattern.test(name)) return;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `${nameRule}; found ${JSON.stringify(name)}.`,
    advice: "Choose another with `--name`.",
  });
}

function refuseOverwriting(folder: string, options: TemplateOptions): void {
  const files = Object.entries(templateFiles(options)).filter(([, { mayStay }]) => !mayStay);
  const present = files.map(([path]) => path).filter((path) => existsSync(join(folder, path)));
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
/** For the editor: Node runs the files without. */
const nodeTypes = "^24";

function manifestOf(project: string) {
  return {
    name: project.toLowerCase(),
    private: true,
    type: "module",
    scripts: { dev: "millrace dev", test: testScript },
    dependencies: { millrace: ownVersion() },
    devDependencies: { "@types/node": nodeTypes },
  };
}

interface Written {
  readonly written: readonly string[];
  /** Those that were there. */
  readonly kept: readonly string[];
}

function writeAll(folder: string, files: { readonly [path: string]: TemplateFile }): Written {
  const paths = Object.keys(files);
  const kept = paths.filter((path) => existsSync(join(folder, path)));
  const written = paths.filter((path) => !kept.includes(path));
  orSay(folder, () => {
    for (const path of written) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), files[path]?.text ?? "", { flag: "wx" });
    }
    writeGitignore(folder);
  });
  return { written, kept };
}

/** One that npm alone made, or none, becomes a project's; any other is left to its owner. */
function writeManifest(
  folder: string,
  project: string,
  present: Manifest | undefined,
): { readonly manifest: Manifest; readonly isWritten: boolean } {
  if (present !== undefined && !isOfNpmAlone(present)) return { manifest: present, isWritten: false };
  const own = manifestOf(project);
  const manifest = {
    ...own,
    ...present,
    devDependencies: { ...own.devDependencies, ...present?.devDependencies },
  };
  orSay(folder, () => writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`));
  return { manifest, isWritten: true };
}

function orSay(folder: string, write: () => void): void {
  try {
    write();
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
  terminal.print(`  ${paint.cyan("npx millrace dev".padEnd(width))}  ${paint.dim("opens the page")}`);
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
