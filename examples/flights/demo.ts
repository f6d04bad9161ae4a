/**
 * `npm run demo`: streams and batches in one, with real flights, in a minute.
 *
 * A real server on PostgreSQL and a real worker; flights are replayed over HTTP. At the end the server is asked what
 * happened: exit code 1 when something of the claim did not.
 */
import { mkdir, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { Director } from "./demo/director.ts";
import { explainingCommands, followLateFlight } from "./demo/late-flight.ts";
import { observe } from "./demo/observation.ts";
import { Paper } from "./demo/paper.ts";
import { feeds, readReplay } from "./demo/replay.ts";
import { DemoServer } from "./demo/server.ts";
import { timeline } from "./demo/timeline.ts";
import { judge } from "./demo/verdict.ts";

const project = import.meta.dirname;
const from = process.cwd();
// Tasks and the replay find their files from the project's folder.
process.chdir(project);

if (process.argv.length > 2) {
  console.error("The demo takes no options. Its report alone: npx millrace run flights, in examples/flights");
  process.exit(2);
}

const stopped = new AbortController();
let stoppedBy: NodeJS.Signals | undefined;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    // One Ctrl-C may arrive twice: from the terminal, and passed on by npm.
    if (stoppedBy !== undefined) return;
    stoppedBy = name;
    if (process.stdout.writable) paper.news("Stopping");
    stopped.abort(new Error("stopped"));
  });
}
// A reader that goes away, such as `head`, ends it, too.
process.stdout.on("error", () => process.emit("SIGTERM", "SIGTERM"));

const hasColors = process.env["NO_COLOR"] === undefined && process.stdout.isTTY && process.stdout.hasColors();
const paper = new Paper((line) => console.log(line), {
  isColored: hasColors,
  columns: process.stdout.columns,
});
try {
  process.exitCode = (await play(stopped.signal)) ? 0 : 1;
} catch (error) {
  if (stoppedBy === undefined) {
    console.error(error);
    process.exitCode = 1;
  } else {
    paper.news("Stopped");
    process.exitCode = stoppedBy === "SIGINT" ? 130 : 143;
  }
}

/** Whether all of the claim has happened. */
async function play(signal: AbortSignal): Promise<boolean> {
  paper.title("Millrace: streams and batches in one, in a minute");
  paper.text(
    "Two days of real flights are replayed as live events, some out of order and one a day late, to a real server on PostgreSQL.",
  );
  paper.title("Live");
  // What an earlier demo made must not look like a result of this one.
  await rm(join(project, "out"), { recursive: true, force: true });
  await mkdir(join(project, "out", "live", "hours"), { recursive: true });
  paper.news("A server, a worker and a PostgreSQL of their own are starting");
  const reading = readReplay(signal);
  // It is awaited below; until then its failure is nobody's.
  reading.catch(() => undefined);
  const server = await DemoServer.start(signal);
  try {
    const replay = await reading;
    paper.news(`Ready: ${server.url}`);
    const { flights, outOfOrder } = replay;
    paper.news(`${feeds.length} feeds, one for each airport: ${feeds.join(", ")}`);
    paper.news(`${flights} flights will be reported, ${outOfOrder} of them out of order`);
    const director = new Director({ server, paper, replay, signal });
    await director.play();

    const seen = await observe(server, director.asked);
    const late = await followLateFlight(server, seen, replay);
    paper.title("What happened, when, in which run");
    for (const entry of timeline(seen, late)) paper.entry(entry);
    paper.title("From the late event to the published day, as the command explains it");
    await showCommands(server, explainingCommands(late));
    if (seen.calledRun !== undefined) {
      paper.title("The report over three million flights");
      await showCommands(server, [["show", seen.calledRun.id]]);
    }
    paper.title("The claim");
    const claims = judge(seen, replay);
    for (const claim of claims) paper.claim(claim);
    const isAll = claims.every(({ isTrue }) => isTrue);
    paper.title(isAll ? "All of it happened" : "Not all of it happened: exit code 1");
    for (const line of closing((...parts) => relative(from, join(project, ...parts)))) paper.text(line);
    paper.text(`Gone  the server at ${server.url} and its state, with this demo`);
    return isAll;
  } finally {
    await server.stop();
  }
}

/** Commands as somebody would enter them, with all that they print; they run side by side. */
async function showCommands(server: DemoServer, commands: readonly (readonly string[])[]): Promise<void> {
  const texts = await Promise.all(commands.map((args) => server.millrace(...args)));
  for (const [index, args] of commands.entries())
    paper.output(`millrace ${args.join(" ")}`, texts[index] ?? "");
}

function closing(here: (...parts: readonly string[]) => string): readonly string[] {
  const enter = here() === "" ? "" : `cd ${here()} && `;
  return [
    `Made  ${here("out", "report", "index.html")}  a page with plots, for a browser`,
    `      ${here("out", "live", "days")}  a Parquet file of each day`,
    `Read  ${here("pipelines", "live.ts")}  the live pipelines`,
    `      ${here("pipelines", "flights.ts")}  the report; load-names fails once`,
    `Next  ${enter}npx millrace run flights -p droppedMax=0`,
    `      (the report's check says no)`,
  ];
}
