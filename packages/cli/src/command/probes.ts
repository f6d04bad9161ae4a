import { MillraceError, type Json } from "@millrace/core";
import type { ProbeLogEntry, ProbeView } from "@millrace/protocol";
import type { Command } from "commander";
import type { ApiClient } from "../api/client.ts";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { readJsonOption } from "../json-option.ts";
import { examples, readTime, withServerOptions } from "../stack/options.ts";
import {
  formatAgo,
  formatDuration,
  formatIn,
  formatTable,
  formatTime,
  harmless,
  plural,
} from "../terminal/format.ts";
import type { Colors, Terminal } from "../terminal/terminal.ts";

interface ProbesOptions extends ServerOptions {
  readonly json?: boolean;
}

interface LogsOptions {
  readonly args?: string;
  readonly since?: string;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace probes", "what is looked at, who waits for it, what is there"],
        ["millrace probes logs report", "what its looks have logged"],
      ),
    )
    .action(finish((options: ProbesOptions) => listProbes(context, options)));
  command
    .command("logs")
    .argument("<name>", "the probe")
    .option("--args <json>", "its arguments, where it is looked at with several")
    .option(
      "--since <time>",
      "logged since then: a time, or how long ago (15m, 2h, 7d); 1d unless given",
      readTime,
    )
    .description("what the looks of a probe have logged")
    .addHelpText(
      "after",
      examples(
        ["millrace probes logs report", ""],
        [`millrace probes logs report --args '{"day":"2026-11-27"}' --since 1h`, ""],
      ),
    )
    .action(
      finish((name: string, own: LogsOptions, inner: Command) =>
        printLogs(context, name, { ...inner.optsWithGlobals<ProbesOptions>(), ...own }),
      ),
    );
}

async function listProbes(context: Context, options: ProbesOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { items: probes } = await client.get("/probes");
  if (options.json) terminal.print(JSON.stringify({ probes }));
  else if (probes.length === 0)
    terminal.print("Nothing was looked at yet: a probe looks when somebody waits for it.");
  else for (const line of probeLines(probes, terminal)) terminal.print(line);
  return exitCodes.succeeded;
}

async function printLogs(
  context: Context,
  name: string,
  options: ProbesOptions & LogsOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const args =
    options.args === undefined
      ? await onlyArgs(client, name)
      : await readJsonOption(context, "--args", options.args);
  const query = {
    ...(args === null ? {} : { args: JSON.stringify(args) }),
    ...(options.since === undefined ? {} : { since: options.since }),
  };
  let isEmpty = true;
  for await (const entry of client.pages(`/probes/${encodeURIComponent(name)}/logs`, query)) {
    isEmpty = false;
    terminal.print(options.json ? JSON.stringify(entry) : lineOf(entry, terminal));
  }
  if (isEmpty) terminal.note("Nothing was logged.");
  return exitCodes.succeeded;
}

/** Where nobody says which: of the one thing that the probe looks at. */
async function onlyArgs(client: ApiClient, name: string): Promise<Json> {
  const { items } = await client.get("/probes");
  const things = items.filter(({ probe }) => probe === name);
  if (things.length <= 1) return things[0]?.args ?? null;
  const shown = things.slice(0, thingsShown).map(({ args }) => `--args '${harmless(JSON.stringify(args))}'`);
  const more = things.length > thingsShown ? ` or ${things.length - thingsShown} others` : "";
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `The probe \`${name}\` looks at ${things.length} things.`,
    advice: `Say which: ${shown.join(", ")}${more}.`,
  });
}

const thingsShown = 5;

function lineOf({ at, look, stream, level, text, fields }: ProbeLogEntry, { paint }: Terminal): string {
  const word = stream !== "log" || level === "info" ? "" : `${level} `;
  const color = level === "error" ? paint.red : level === "warn" ? paint.yellow : (plain: string) => plain;
  const more = fields === undefined ? "" : ` ${paint.dim(harmless(JSON.stringify(fields)))}`;
  return `${paint.dim(`${formatTime(new Date(at), new Date())} look ${look} │`)} ${color(word + harmless(text))}${more}`;
}

function probeLines(probes: readonly ProbeView[], terminal: Terminal): string[] {
  const { paint } = terminal;
  const now = new Date();
  const rows = probes.map((probe) => rowOf(probe, paint, now));
  const lines = formatTable(rows, { width: terminal.lineWidth(), yields: [6, 2, 5] });
  return probes.flatMap((probe, at) => [lines[at] ?? "", ...troubleLines(probe, paint, now)]);
}

const marks = { looking: "●", waiting: "◌", failing: "✕", resting: "–" } as const;

function rowOf(view: ProbeView, paint: Colors, now: Date): string[] {
  const { state, probe, args, everyMs, waiting, triggers, lookedAt, value } = view;
  const color = { looking: paint.green, waiting: paint.yellow, failing: paint.red, resting: paint.dim }[
    state
  ];
  const asked = [...(waiting > 0 ? [plural(waiting, "wait")] : []), ...(triggers ? ["a trigger"] : [])];
  return [
    color(`${marks[state]} ${state}`),
    paint.bold(probe),
    args === null ? "" : harmless(JSON.stringify(args)),
    everyMs === undefined ? "not deployed" : `every ${formatDuration(everyMs)}`,
    asked.length === 0 ? "nobody waits" : asked.join(", "),
    paint.dim(lookedAt === undefined ? "not yet" : formatAgo(new Date(lookedAt), now)),
    value === null ? paint.dim("nothing there") : harmless(JSON.stringify(value)),
  ];
}

function troubleLines(
  { state, reason, error, failures, nextAt }: ProbeView,
  paint: Colors,
  now: Date,
): string[] {
  if (state === "waiting" && reason) return [`  ${paint.yellow(harmless(reason.message))}`];
  if (!error || failures === 0) return [];
  return [
    `  ${paint.red(error.code)} ${harmless(error.message)}`,
    paint.dim(
      `  ${plural(failures, "look")} in a row failed; ${nextAt === undefined ? "no further one is due" : `the next one is due ${formatIn(new Date(nextAt), now)}`}`,
    ),
  ];
}
