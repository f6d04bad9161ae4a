import type { Command } from "commander";
import type { PipelineSummary } from "@millrace/protocol";
import { requirePipeline } from "../api/find-pipeline.ts";
import { requireServer, requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { formatAgo, formatTable, plural } from "../terminal/format.ts";
import { stateLabel } from "../terminal/marks.ts";
import type { Colors } from "../terminal/terminal.ts";

interface PipelinesOptions extends ServerOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--all", "also those that are retired")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace pipelines", "list them"],
        ["millrace pipelines pause report", "start no more runs"],
        ["millrace pipelines resume report", ""],
      ),
    )
    .action(finish((options: PipelinesOptions) => listPipelines(context, options)));
  for (const action of ["pause", "resume"] as const) {
    command
      .command(`${action} <name>`)
      .description(action === "pause" ? "start no more runs of it" : "start runs of it again")
      .addHelpText("after", examples([`millrace pipelines ${action} report`, ""]))
      .action(
        finish((name: string, _own: object, inner: Command) =>
          changePipeline(context, name, action, inner.optsWithGlobals<PipelinesOptions>()),
        ),
      );
  }
}

async function listPipelines(context: Context, options: PipelinesOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const all = await client.list<PipelineSummary>("/pipelines");
  const pipelines = options.all ? all : all.filter(({ retired }) => !retired);
  if (options.json) {
    terminal.print(JSON.stringify({ pipelines }));
    return exitCodes.succeeded;
  }
  if (pipelines.length === 0) {
    terminal.print(
      "No pipelines yet. Bring a project with `millrace deploy`, or work on one with `millrace dev`.",
    );
    return exitCodes.succeeded;
  }
  const now = new Date();
  const rows = pipelines.map((pipeline) => rowOf(pipeline, terminal.paint, now));
  for (const line of formatTable(rows, { width: terminal.lineWidth(), yields: columnYields }))
    terminal.print(line);
  return exitCodes.succeeded;
}

/** Columns of `rowOf`: a narrow terminal keeps state, name and last run longest. */
const columnYields = [6, 5, 3, 2, 4, 1];

function rowOf(pipeline: PipelineSummary, paint: Colors, now: Date): string[] {
  const { lastRun, source } = pipeline;
  const state = pipeline.retired
    ? paint.dim("– retired")
    : pipeline.paused
      ? paint.yellow(`‖ paused${pipeline.pausedByOperator ? "" : " (in the code)"}`)
      : paint.green("● active");
  const last = lastRun
    ? `${stateLabel(lastRun.state, paint)} ${paint.dim(formatAgo(new Date(lastRun.createdAt), now))}`
    : paint.dim("no runs");
  const about = [
    pipeline.description,
    pipeline.owner && `by ${pipeline.owner}`,
    pipeline.tags.map((tag) => `#${tag}`).join(" "),
  ];
  return [
    state,
    paint.bold(pipeline.name),
    paint.dim(pipeline.project),
    paint.dim(plural(pipeline.nodes, "node")),
    last,
    paint.dim(source ? `${source.file}:${source.line}` : ""),
    about.filter(Boolean).join("  "),
  ];
}

async function changePipeline(
  context: Context,
  name: string,
  action: "pause" | "resume",
  options: PipelinesOptions,
): Promise<number> {
  const client = await requireServerToChange(context, options);
  await requirePipeline(client, name);
  const changed = await client.post<PipelineSummary>(`/pipelines/${encodeURIComponent(name)}/${action}`, {});
  if (options.json) context.terminal.print(JSON.stringify({ pipeline: changed }));
  else
    context.terminal.print(
      `${changed.name} is ${changed.paused ? "paused" : "active"}; this holds over deploys.`,
    );
  return exitCodes.succeeded;
}
