import { InvalidArgumentError, type Command } from "commander";
import { nearestName } from "@millrace/core";
import type { OnResume, PipelineSummary, ResumePreview, ResumeRequest } from "@millrace/protocol";
import { requirePipeline } from "../api/find-pipeline.ts";
import { requireServer, requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { formatAgo, formatTable, formatTime, plural, zoneNote } from "../terminal/format.ts";
import { stateLabel } from "../terminal/marks.ts";
import type { Colors, Terminal } from "../terminal/terminal.ts";
import { simulatedLines } from "../trigger-view/firing.ts";

interface PipelinesOptions extends ServerOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

interface ResumeOptions {
  readonly onResume?: OnResume;
  readonly preview?: boolean;
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
  command
    .command("pause <name>")
    .description("start no more runs of it")
    .addHelpText("after", examples(["millrace pipelines pause report", ""]))
    .action(
      finish((name: string, _own: object, inner: Command) =>
        changePipeline(
          context,
          name,
          { action: "pause", body: {} },
          inner.optsWithGlobals<PipelinesOptions>(),
        ),
      ),
    );
  command
    .command("resume <name>")
    .description("start runs of it again")
    .option(
      "--on-resume <policy>",
      "what becomes of the firings of the pause: all, latest, none, or the newest so many; as the trigger says unless given",
      readOnResume,
    )
    .option("--preview", "only show which firings it would make")
    .addHelpText(
      "after",
      examples(
        ["millrace pipelines resume report", ""],
        ["millrace pipelines resume report --on-resume latest --preview", "what it would do"],
      ),
    )
    .action(
      finish((name: string, own: ResumeOptions, inner: Command) =>
        resumePipeline(context, name, own, inner.optsWithGlobals<PipelinesOptions>()),
      ),
    );
}

function readOnResume(text: string): OnResume {
  if (text === "all" || text === "latest" || text === "none") return text;
  const limit = Number(text);
  if (/^[1-9]\d{0,8}$/.test(text)) return { limit };
  const near = nearestName(text, ["all", "latest", "none"]);
  throw new InvalidArgumentError(
    `It is all, latest, none or a number.${near === undefined ? "" : ` Did you mean ${near}?`}`,
  );
}

async function resumePipeline(
  context: Context,
  name: string,
  own: ResumeOptions,
  options: PipelinesOptions,
): Promise<number> {
  const onResume = own.onResume === undefined ? {} : { onResume: own.onResume };
  if (!own.preview) return changePipeline(context, name, { action: "resume", body: onResume }, options);
  const { terminal } = context;
  const client = await requireServer(context, options);
  await requirePipeline(client, name);
  const path = `/pipelines/${encodeURIComponent(name)}/resume` as const;
  const preview = await client.preview(path, onResume);
  if (options.json) terminal.print(JSON.stringify(preview));
  else for (const line of previewLines(preview, terminal)) terminal.print(line);
  return exitCodes.succeeded;
}

function previewLines(preview: ResumePreview, { paint }: Terminal): string[] {
  const { pipeline, paused, onResume, firingCount, firings } = preview;
  if (!paused) return [`${pipeline} is not paused.`];
  const now = new Date();
  const policy = typeof onResume === "string" ? onResume : `the newest ${onResume.limit}`;
  const head = `${paint.bold(pipeline)} is paused since ${formatTime(new Date(paused.at), now)}; to resume it now (${policy}) would make ${plural(firingCount, "firing")}.`;
  const more = firingCount - firings.length;
  return [
    head,
    ...(firings.length > 0 ? [paint.dim(zoneNote())] : []),
    ...firings.flatMap((firing) => simulatedLines(firing, paint, now)),
    ...(more > 0 ? [paint.dim(`  … and ${plural(more, "more firing")}`)] : []),
  ];
}

async function listPipelines(context: Context, options: PipelinesOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const all = await client.list("/pipelines");
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
  { action, body }: { readonly action: "pause" | "resume"; readonly body: ResumeRequest },
  options: PipelinesOptions,
): Promise<number> {
  const client = await requireServerToChange(context, options);
  await requirePipeline(client, name);
  const path = `/pipelines/${encodeURIComponent(name)}` as const;
  const changed =
    action === "pause" ? await client.post(`${path}/pause`) : await client.post(`${path}/resume`, body);
  if (options.json) context.terminal.print(JSON.stringify({ pipeline: changed }));
  else
    context.terminal.print(
      `${changed.name} is ${changed.paused ? "paused" : "active"}; this holds over deploys.`,
    );
  return exitCodes.succeeded;
}
