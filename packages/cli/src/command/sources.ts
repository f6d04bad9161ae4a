import { MillraceError, nearestName } from "@millrace/core";
import type { SourceView } from "@millrace/protocol";
import type { Command } from "commander";
import type { ApiClient } from "../api/client.ts";
import { requireServer, requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { formatAgo, formatDuration, formatTable, harmless, plural } from "../terminal/format.ts";
import type { Colors, Terminal } from "../terminal/terminal.ts";

interface SourcesOptions extends ServerOptions {
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace sources", "what each reads, how it does, what it told"],
        ["millrace sources pause landing", "read no more"],
        ["millrace sources resume landing", "read again, first what came meanwhile"],
      ),
    )
    .action(finish((options: SourcesOptions) => listSources(context, options)));
  for (const [action, summary] of [
    ["pause", "read no more of it"],
    ["resume", "read it again, first what came during the pause"],
  ] as const) {
    command
      .command(`${action} <name>`)
      .description(summary)
      .addHelpText("after", examples([`millrace sources ${action} landing`, ""]))
      .action(
        finish((name: string, _own: object, inner: Command) =>
          changeSource(context, { name, action }, inner.optsWithGlobals<SourcesOptions>()),
        ),
      );
  }
}

async function listSources(context: Context, options: SourcesOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { items: sources } = await client.get("/sources");
  if (options.json) terminal.print(JSON.stringify({ sources }));
  else if (sources.length === 0)
    terminal.print('No sources yet. Export one from a file of the project: files("landing", { folder: … }).');
  else for (const line of sourceLines(sources, terminal)) terminal.print(line);
  return exitCodes.succeeded;
}

async function changeSource(
  context: Context,
  { name, action }: { readonly name: string; readonly action: "pause" | "resume" },
  options: SourcesOptions,
): Promise<number> {
  const client = await requireServerToChange(context, options);
  await requireSource(client, name);
  const source = await client.post(`/sources/${encodeURIComponent(name)}/${action}`);
  const { terminal } = context;
  if (options.json) terminal.print(JSON.stringify({ source }));
  else
    terminal.print(`${source.name} is ${source.paused ? "paused" : "read again"}; this holds over deploys.`);
  return exitCodes.succeeded;
}

/** Some texts are no part of an address: so the name is looked for first. */
async function requireSource(client: ApiClient, name: string): Promise<void> {
  const { items } = await client.get("/sources");
  if (items.some((source) => source.name === name)) return;
  const near = nearestName(
    name,
    items.map((source) => source.name),
  );
  throw new MillraceError("MILLRACE_SOURCE_UNKNOWN", {
    message: `There is no source \`${name}\`.`,
    ...(near === undefined ? {} : { advice: `Did you mean \`${near}\`?` }),
  });
}

function sourceLines(sources: readonly SourceView[], terminal: Terminal): string[] {
  const { paint } = terminal;
  const now = new Date();
  const rows = sources.map((source) => rowOf(source, paint, now));
  const lines = formatTable(rows, { width: terminal.lineWidth(), yields: [6, 2, 5, 4, 3] });
  return sources.flatMap((source, at) => [lines[at] ?? "", ...troubleLines(source, paint)]);
}

const marks = {
  waiting: "○",
  starting: "◌",
  running: "●",
  failing: "✕",
  paused: "‖",
  stopped: "–",
} as const satisfies { readonly [state in SourceView["state"]]: string };

function rowOf(source: SourceView, paint: Colors, now: Date): string[] {
  const { state, events, lastEventAt, remembered, settling, waiting, lastScan, problem } = source;
  const color =
    state === "failing" ? paint.red : state === "running" && !problem ? paint.green : paint.yellow;
  const pending = [
    ...(settling > 0 ? [`${settling} settling`] : []),
    ...(waiting > 0 ? [`${waiting} without marker`] : []),
  ];
  return [
    color(`${marks[state]} ${state}`),
    paint.bold(source.name),
    harmless(source.reads),
    plural(events, "event"),
    paint.dim(lastEventAt === undefined ? "none yet" : formatAgo(new Date(lastEventAt), now)),
    pending.join(", "),
    paint.dim(
      lastScan
        ? `${plural(remembered, "file")} known, looked through ${formatAgo(new Date(lastScan.at), now)} in ${formatDuration(lastScan.tookMs)}`
        : "",
    ),
  ];
}

function troubleLines({ error, problem }: SourceView, paint: Colors): string[] {
  const trouble = error ?? problem;
  if (!trouble) return [];
  const { code, message, advice } = trouble;
  const color = error ? paint.red : paint.yellow;
  return [`  ${color(code)} ${harmless(message)}`, paint.dim(`  ${advice}`)];
}
