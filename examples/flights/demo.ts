/** `npm run demo`: runs the flights pipeline as anybody would, with the command, and says what came of it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, rmSync } from "node:fs";
import { join, relative } from "node:path";

const project = import.meta.dirname;
const command = join(project, "..", "..", "packages", "millrace", "bin", "millrace.js");
const page = join(project, "out", "report", "index.html");

// What an earlier demo made must not look like a result of this one.
rmSync(join(project, "out"), { recursive: true, force: true });

const from = process.cwd();
const child = spawn(process.execPath, [command, "run", "flights", ...process.argv.slice(2)], {
  cwd: project,
  stdio: "inherit",
});
// Ctrl-C reaches the command by itself: it stops, and this process ends after it.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => child.kill("SIGTERM"));
const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);

if (process.exitCode === 0) {
  const here = (path: string): string => relative(from, path) || ".";
  const made = existsSync(page)
    ? `Made: ${here(page)}, a page with plots to open in a browser; airports.parquet and routes.parquet beside it.`
    : `Made: ${here(join(project, "out", "quarantine", "why.md"))}, which says why nothing was published.`;
  const enter = from === project ? "" : `cd ${here(project)} && `;
  console.log(`
${made}
Read: ${here(join(project, "pipelines", "flights.ts"))} is the whole pipeline. Its task load-names fails once in every run, and was retried.
Next: ${enter}npx millrace run flights -p droppedMax=0 (the check says no); npx millrace graph flights; npx millrace dev`);
}
