/** `millrace init`: a small project that teaches. Nothing that is there is changed or overwritten. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { MillraceError } from "@millrace/core";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { ownVersion } from "../own-version.ts";
import { templateFiles } from "./files.ts";

export function initProject(context: Context, folder: string, name: string | undefined): number {
  const project = name ?? nameOf(folder);
  const files = templateFiles(project);
  refuseOverwriting(folder, Object.keys(files));
  const manifestNote = writeManifest(folder, project);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text, { flag: "wx" });
  }
  writeGitignore(folder);
  tell(context, folder, project, [...Object.keys(files), ...manifestNote]);
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

function refuseOverwriting(folder: string, paths: readonly string[]): void {
  const present = paths.filter((path) => existsSync(join(folder, path)));
  if (present.length === 0) return;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `${folder} already holds ${present.join(", ")}; nothing was written.`,
    advice: "Choose another folder: `millrace init NAME`.",
    fields: { folder, present },
  });
}

/** Makes a manifest, or says what one that is there lacks. */
function writeManifest(folder: string, project: string): string[] {
  const path = join(folder, "package.json");
  mkdirSync(folder, { recursive: true });
  if (existsSync(path)) return [];
  const manifest = {
    name: project.toLowerCase(),
    private: true,
    type: "module",
    scripts: { dev: "millrace dev" },
    dependencies: { millrace: ownVersion() },
  };
  writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`, { flag: "wx" });
  return ["package.json"];
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
  for (const line of missingFrom(folder)) terminal.print(`  ${paint.yellow("!")} ${line}`);
  terminal.print("Next:");
  const first = [...(place === "." ? [] : [`cd ${place}`]), "npm install"].join(" && ");
  const width = Math.max(first.length, 16);
  terminal.print(`  ${paint.cyan(first.padEnd(width))}  ${paint.dim("once")}`);
  terminal.print(
    `  ${paint.cyan("npx millrace dev".padEnd(width))}  ${paint.dim("then, in another terminal: npx millrace run hello")}`,
  );
}

/** What a manifest that was there before lacks. */
function missingFrom(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly type?: string;
    readonly dependencies?: { readonly [name: string]: string };
    readonly devDependencies?: { readonly [name: string]: string };
  };
  const lines: string[] = [];
  if (manifest.type !== "module")
    lines.push('package.json: set "type": "module", as pipelines are ES modules.');
  if (!manifest.dependencies?.["millrace"] && !manifest.devDependencies?.["millrace"]) {
    lines.push(`package.json: add the dependency: npm install millrace@${ownVersion()}`);
  }
  return lines;
}
