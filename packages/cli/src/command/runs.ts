import { nearestName } from "@millrace/core";
import { InvalidArgumentError, type Command } from "commander";
import type { RunState, RunSummary } from "@millrace/protocol";
import { requireServer } from "../api/find-server.ts";
import { requirePipeline } from "../api/find-pipeline.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, readCount, readTime } from "../stack/options.ts";
import { formatAgo, formatDuration, formatTable } from "../terminal/format.ts";
import { stateLabel } from "../terminal/marks.ts";

interface RunsOptions {
  readonly url?: string;
  readonly pipeline?: string;
  /** The runs' state. The state folder is MILLRACE_STATE's here. */
  readonly state?: RunState;
  readonly label?: string;
  readonly limit: number;
  readonly by?: "call" | "person" | "trigger";
  readonly since?: string;
  readonly until?: string;
  readonly oldest?: boolean;
  readonly json?: boolean;
}

const states: readonly RunState[] = [
  "queued",
  "running",
  "waiting",
  "succeeded",
  "failed",
  "cancelled",
  "superseded",
  "quarantined",
];

/** As the API names them. */
const beginnings: readonly string[] = ["trigger", "call", "person"];

export function define(command: Command, context: Context, finish: Finish): void {
  command
    .option("--pipeline <name>", "of this pipeline only")
    .option("--state <state>", `in this state only: ${states.join(", ")}`, readState)
    .option("--label <name=value>", "with this label only", readLabel)
    .option("--by <who>", `begun by this only: ${beginnings.join(", ")}`, readBeginning)
    .option("--since <time>", "made since this time, or so long ago: 2026-01-31T06:00:00Z, 2h, 7d", readTime)
    .option("--until <time>", "made before this time", readTime)
    .option("--oldest", "the oldest first")
    .option("--limit <count>", "how many", readCount, 20)
    .option("--json", "print JSON")
    .option("--url <url>", "the server's address (or MILLRACE_URL)")
    .addHelpText(
      "after",
      examples(
        ["millrace runs", "the newest"],
        ["millrace runs --state failed --limit 5", ""],
        ["millrace runs --label team=data", ""],
        ["millrace runs --by trigger --since 2h --oldest", ""],
        ["millrace runs --pipeline hello --json", "for scripts"],
      ),
    )
    .action(finish((options: RunsOptions) => listRuns(context, options)));
}

/** As the API writes it: the value may hold an `=`. */
function readLabel(text: string): string {
  const at = text.indexOf("=");
  if (at > 0) return `${text.slice(0, at)}:${text.slice(at + 1)}`;
  throw new InvalidArgumentError("Write it as name=value.");
}

async function listRuns(context: Context, options: RunsOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options.url === undefined ? {} : { url: options.url });
  const { pipeline, state, label, by, since, until, oldest, limit } = options;
  const filter = { pipeline, state, label, by, since, until };
  if (pipeline !== undefined) await requirePipeline(client, pipeline);
  const runs = await client.list("/runs", { ...filter, order: oldest ? "oldest" : undefined }, limit);
  if (options.json) {
    terminal.print(JSON.stringify({ runs }));
    return exitCodes.succeeded;
  }
  if (runs.length === 0) {
    const isFiltered = Object.values(filter).some((value) => value !== undefined);
    terminal.print(isFiltered ? "No such runs." : "No runs yet.");
    return exitCodes.succeeded;
  }
  const { paint } = terminal;
  const now = new Date();
  const rows = runs.map((run) => [
    stateLabel(run.state, paint),
    run.id,
    run.pipeline,
    paint.dim(formatAgo(new Date(run.createdAt), now)),
    paint.dim(tookOf(run, now)),
    paint.dim(noteOf(run)),
  ]);
  const align = ["left", "left", "left", "right", "right"] as const;
  for (const line of formatTable(rows, { align, width: terminal.lineWidth() })) terminal.print(line);
  return exitCodes.succeeded;
}

function tookOf(run: RunSummary, now: Date): string {
  if (run.startedAt === undefined) return "";
  const end = run.endedAt === undefined ? now.getTime() : Date.parse(run.endedAt);
  return formatDuration(end - Date.parse(run.startedAt));
}

function noteOf(run: RunSummary): string {
  const parts = Object.entries(run.labels).map(([name, value]) => `${name}=${value}`);
  if (run.generation > 1) parts.unshift(`generation ${run.generation}`);
  if (run.parent) parts.unshift(`called by ${run.parent.runId}`);
  return parts.join("  ");
}

function readBeginning(text: string): string {
  if (beginnings.includes(text)) return text;
  throw new InvalidArgumentError(`It is one of ${beginnings.join(", ")}.`);
}

function readState(text: string): RunState {
  const state = states.find((known) => known === text);
  if (state !== undefined) return state;
  const near = nearestName(text, states);
  throw new InvalidArgumentError(
    near === undefined ? `It is one of ${states.join(", ")}.` : `Did you mean ${near}?`,
  );
}
