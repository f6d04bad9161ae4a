import type { Command } from "commander";
import type { LogEntry } from "@millrace/protocol";
import type { ApiClient } from "../api/client.ts";
import { findRunId, requireNode } from "../api/find-run.ts";
import { awayNote } from "../api/reconnect.ts";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { exitCodeOfSignal, onInterrupt, type StopSignal } from "../interrupt.ts";
import { runEvents } from "../run-view/follow.ts";
import { logLine } from "../run-view/live-view.ts";
import { examples, readCount, withServerOptions } from "../stack/options.ts";
import { formatTime } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";

interface LogsOptions extends ServerOptions {
  readonly follow?: boolean;
  readonly item?: string;
  readonly attempt?: number;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(
    command.argument("<run>", "its id, or the beginning of it").argument("[node]", "of this node only"),
  )
    .option("-f, --follow", "go on until the run ends")
    .option("--item <path>", "of this item of a fan-out only, for example 3")
    .option("--attempt <number>", "of this attempt only", readCount)
    .option("--json", "print each line as JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace logs r0v2", "all nodes"],
        ["millrace logs r0v2 measure --item 2", "one item of a fan-out"],
        ["millrace logs r0v2 -f", "live"],
      ),
    )
    .action(
      finish((run: string, node: string | undefined, options: LogsOptions) =>
        printLogs(context, run, node, options),
      ),
    );
}

async function printLogs(
  context: Context,
  given: string,
  node: string | undefined,
  options: LogsOptions,
): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const id = await findRunId(client, given);
  if (node !== undefined) await checkNode(client, id, node);
  const { item, attempt } = options;
  const isWanted = (entry: LogEntry): boolean =>
    (node === undefined || entry.node === node) &&
    (item === undefined || entry.item === item) &&
    (attempt === undefined || entry.attempt === attempt);
  const print = (entry: LogEntry): void =>
    terminal.print(
      options.json ? JSON.stringify(entry) : `${stampOf(entry, terminal)} ${logLine(entry, terminal)}`,
    );
  const stored = (): AsyncIterable<LogEntry> => client.pages(`/runs/${id}/logs`, { node, item, attempt });
  if (options.follow) {
    return followLogs(client, id, {
      stored,
      onEntry: (entry) => {
        if (isWanted(entry)) print(entry);
      },
      onAway: () => terminal.note(awayNote),
    });
  }
  let isEmpty = true;
  for await (const entry of stored()) {
    isEmpty = false;
    print(entry);
  }
  if (isEmpty) terminal.note("Nothing was logged.");
  return exitCodes.succeeded;
}

/** What is stored while a stream begins comes by both ways; it is printed once. */
function keyOf({ node, item, generation, attempt, position }: LogEntry): string {
  return `${node}/${item}/${generation}/${attempt}/${position}`;
}

interface LogSource {
  readonly stored: () => AsyncIterable<LogEntry>;
  readonly onEntry: (entry: LogEntry) => void;
  readonly onAway: () => void;
}

/** Each stream begins with a snapshot: what is stored then is what was said before, also while none was open. */
async function followLogs(
  client: ApiClient,
  id: string,
  { stored, onEntry, onAway }: LogSource,
): Promise<number> {
  const stopping = new AbortController();
  let stopSignal: StopSignal = "SIGINT";
  const interrupts = onInterrupt(
    (signal) => {
      stopSignal = signal;
      stopping.abort();
    },
    () => process.exit(exitCodes.interrupted),
  );
  const seen = new Set<string>();
  const tell = (entry: LogEntry): void => {
    const key = keyOf(entry);
    if (!seen.has(key)) onEntry(entry);
    seen.add(key);
  };
  try {
    for await (const event of runEvents(client, id, { signal: stopping.signal, onAway })) {
      if (event.kind === "log") tell(event.entry);
      else if (event.kind === "snapshot") for await (const entry of stored()) tell(entry);
    }
    return stopping.signal.aborted ? exitCodeOfSignal(stopSignal) : exitCodes.succeeded;
  } finally {
    interrupts.release();
  }
}

async function checkNode(client: ApiClient, id: string, node: string): Promise<void> {
  const { nodes } = await client.get(`/runs/${id}`);
  requireNode(
    node,
    nodes.map((known) => known.id),
  );
}

function stampOf(entry: LogEntry, { paint }: Terminal): string {
  return paint.dim(formatTime(new Date(entry.at), new Date()));
}
