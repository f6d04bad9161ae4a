import type { Page, ProbeView } from "@millrace/protocol";
import type { Command } from "commander";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { formatAgo, formatDuration, formatTable, harmless, plural } from "../terminal/format.ts";
import type { Colors, Terminal } from "../terminal/terminal.ts";

interface ProbesOptions extends ServerOptions {
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--json", "print JSON")
    .addHelpText("after", examples(["millrace probes", "what is looked at, who waits for it, what is there"]))
    .action(finish((options: ProbesOptions) => listProbes(context, options)));
}

async function listProbes(context: Context, options: ProbesOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { items: probes } = await client.get<Page<ProbeView>>("/probes");
  if (options.json) terminal.print(JSON.stringify({ probes }));
  else if (probes.length === 0)
    terminal.print("Nothing was looked at yet: a probe looks when somebody waits for it.");
  else for (const line of probeLines(probes, terminal)) terminal.print(line);
  return exitCodes.succeeded;
}

function probeLines(probes: readonly ProbeView[], terminal: Terminal): string[] {
  const { paint } = terminal;
  const now = new Date();
  const rows = probes.map((probe) => rowOf(probe, paint, now));
  const lines = formatTable(rows, { width: terminal.lineWidth(), yields: [6, 2, 5] });
  return probes.flatMap((probe, at) => [lines[at] ?? "", ...troubleLines(probe, paint)]);
}

const marks = { looking: "●", failing: "✕", resting: "–" } as const;

function rowOf(view: ProbeView, paint: Colors, now: Date): string[] {
  const { state, probe, args, everyMs, waiting, triggers, lookedAt, value } = view;
  const color = state === "failing" ? paint.red : state === "looking" ? paint.green : paint.dim;
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

function troubleLines({ error, failures, nextAt }: ProbeView, paint: Colors): string[] {
  if (!error || failures === 0) return [];
  return [
    `  ${paint.red(error.code)} ${harmless(error.message)}`,
    paint.dim(`  ${plural(failures, "look")} in a row failed; the next one is at ${nextAt ?? "no time"}`),
  ];
}
