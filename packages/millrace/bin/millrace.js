#!/usr/bin/env node
// Plain JavaScript that old versions of Node can read: it brings the command to a Node that can run it.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import module from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const neededMajor = 24;
const here = dirname(fileURLToPath(import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= neededMajor) {
  // Before the first import, so that nothing is compiled, or stripped of its types, twice.
  module.enableCompileCache();
  const { main } = await import(pathToFileURL(entry()).href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  runOnNewerNode();
}

/** In the repository the sources, else what was built from them. */
function entry() {
  const command = join(here, "..", "..", "cli");
  const manifest = join(command, "package.json");
  const inRepository =
    existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === "@millrace/cli";
  return inRepository ? join(command, "src", "main.ts") : join(here, "..", "dist", "cli.js");
}

/** npm's package `node` brings a Node of its own. */
function runOnNewerNode() {
  const node = [process.cwd(), here].map(nearestNode).find((found) => found !== undefined);
  if (node === undefined || process.env.MILLRACE_NODE_FOUND !== undefined) {
    process.stderr.write(
      `Millrace needs Node ${neededMajor} or newer, and this is Node ${process.versions.node}.\n` +
        `Install it from https://nodejs.org, or into this project alone: npm install --save-dev node@${neededMajor}\n`,
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, MILLRACE_NODE_FOUND: node },
  });
  // A terminal signals the whole group; what is sent to this process alone is passed on.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
  });
}

function nearestNode(start) {
  for (let folder = start; ; folder = dirname(folder)) {
    const node = join(folder, "node_modules", "node", "bin", "node");
    if (existsSync(node)) return node;
    if (folder === dirname(folder)) return undefined;
  }
}
