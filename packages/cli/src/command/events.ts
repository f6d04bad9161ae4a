import { errorCodeOf, MillraceError, type EventCause, type Json } from "@millrace/core";
import type { EventView, FiringView } from "@millrace/protocol";
import type { Command } from "commander";
import type { ApiClient } from "../api/client.ts";
import { awayNote, reconnecting } from "../api/reconnect.ts";
import { requireServer, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { exitCodeOfSignal, onInterrupt, type StopSignal } from "../interrupt.ts";
import { examples, readCount, readTime, withServerOptions } from "../stack/options.ts";
import { formatAgo, formatBytes, formatTable, formatTime, harmless, plural } from "../terminal/format.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { firingOutcome } from "../trigger-view/firing.ts";
import { endedWaitLines } from "../wait-view/wait.ts";

interface EventsOptions extends ServerOptions {
  readonly type?: string;
  readonly subject?: string;
  readonly source?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly follow?: boolean;
  readonly invalid?: boolean;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--type <type>", "of this type only; order.* takes all that begin so")
    .option("--subject <text>", "with this subject only")
    .option("--source <uri>", "from this source only")
    .option("--invalid", "only those that do not fit the declaration of their type, with what is wrong")
    .option("--since <time>", "recorded since then: a time, or how long ago (15m, 2h, 7d)", readTime)
    .option("--until <time>", "recorded before then", readTime)
    .option("--limit <count>", "how many", readCount, 20)
    .option("-f, --follow", "go on with those that come, the newest last")
    .option("--json", "print JSON; with -f each event on a line")
    .addHelpText(
      "after",
      examples(
        ["millrace events", "the newest"],
        ["millrace events --type order.placed --since 2h", ""],
        ["millrace events -f", "live"],
        ["millrace events --invalid", "what did not fit its type's declaration"],
        ["millrace events show 1207", "one of them, by its position or id"],
      ),
    )
    .action(
      finish((options: EventsOptions) =>
        options.follow ? followEvents(context, options) : listEvents(context, options),
      ),
    );
  command
    .command("show")
    .argument("<position|id>", "its position in the log, or its id")
    .description("show an entry of the event log with its data")
    .addHelpText(
      "after",
      examples(
        ["millrace events show 1207", "by its position"],
        ["millrace events show 2026-01-31 --source /cli", "by its id"],
        ["millrace events show 1207 --raw > body", "what a webhook was sent"],
      ),
    )
    .option("--raw", "its data alone, as it came, byte by byte")
    .action(
      finish((given: string, own: { readonly raw?: boolean }, inner: Command) => {
        const options = inner.optsWithGlobals<EventsOptions>();
        return own.raw ? showData(context, given, options) : showEvent(context, given, options);
      }),
    );
}

function filterOf({ type, subject, source, invalid }: EventsOptions): {
  readonly [name: string]: string | undefined;
} {
  return { type, subject, source, invalid: invalid ? "true" : undefined };
}

async function listEvents(context: Context, options: EventsOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { since, until, limit } = options;
  const query = { ...filterOf(options), since, until };
  const events = await client.list("/events", query, limit);
  if (options.json) {
    terminal.print(JSON.stringify({ events }));
    return exitCodes.succeeded;
  }
  if (events.length === 0) {
    const isFiltered = Object.values(query).some((value) => value !== undefined);
    terminal.print(isFiltered ? "No such events." : "No events yet. Put one in with `millrace emit TYPE`.");
    return exitCodes.succeeded;
  }
  const { paint } = terminal;
  const now = new Date();
  const rows = events.map(({ position, recordedAt, event, dataBytes, invalid }) => [
    paint.dim(String(position)),
    paint.dim(formatAgo(new Date(recordedAt), now)),
    invalid === undefined ? paint.bold(event.type) : paint.red(`${event.type} (invalid)`),
    event.subject ?? "",
    paint.dim(event.source),
    paint.dim(event.id),
    options.invalid && invalid !== undefined ? harmless(invalid) : paint.dim(dataOf(event, dataBytes)),
  ]);
  const layout = {
    align: ["right", "right"] as const,
    width: terminal.lineWidth(),
    yields: [6, 5, 4, 3, 2],
  };
  for (const line of formatTable(rows, layout)) terminal.print(line);
  return exitCodes.succeeded;
}

function dataOf(event: EventView["event"], bytes: number | undefined): string {
  if (bytes !== undefined) return formatBytes(bytes);
  if (event.data_base64 !== undefined) return "bytes";
  return event.data === undefined ? "" : harmless(JSON.stringify(event.data));
}

/** The newest ones of before, then what comes, over connections as many as it takes. */
async function followEvents(context: Context, options: EventsOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const stopping = new AbortController();
  let stopSignal: StopSignal = "SIGINT";
  const interrupts = onInterrupt(
    (signal) => {
      stopSignal = signal;
      stopping.abort();
    },
    () => process.exit(exitCodes.interrupted),
  );
  let after = 0;
  const print = (view: EventView): void => {
    after = view.position;
    terminal.print(options.json ? JSON.stringify(view) : followLine(view, terminal));
  };
  try {
    const newest = await client.get("/events", { limit: 1 });
    const start = newest.items[0]?.position ?? 0;
    const query = { ...filterOf(options), since: options.since };
    const before = await client.list("/events", query, options.limit);
    for (const view of before.toReversed()) print(view);
    after = Math.max(after, start);
    const { signal } = stopping;
    const views = reconnecting({
      open: (onOpen) =>
        client.events<EventView>("/events/follow", { ...filterOf(options), after }, { signal, onOpen }),
      signal,
      onAway: () => terminal.note(awayNote),
    });
    for await (const view of views) print(view);
    return exitCodeOfSignal(stopSignal);
  } finally {
    interrupts.release();
  }
}

function followLine(
  { position, recordedAt, event, dataBytes, invalid }: EventView,
  { paint }: Terminal,
): string {
  const parts = [
    paint.dim(formatTime(new Date(recordedAt), new Date())),
    paint.dim(String(position)),
    invalid === undefined ? paint.bold(event.type) : paint.red(`${event.type} (invalid)`),
    event.subject ?? "",
    paint.dim(event.source),
    paint.dim(event.id),
    paint.dim(dataOf(event, dataBytes)),
  ];
  return parts.filter((part) => part !== "").join("  ");
}

async function showEvent(context: Context, given: string, options: EventsOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const view = await findEvent(client, given, options.source);
  const [{ items: firings }, { items: waits }] = await Promise.all([
    client.get(`/events/${view.position}/firings`),
    client.get(`/events/${view.position}/waits`),
  ]);
  if (options.json) {
    terminal.print(JSON.stringify({ ...view, firings, waits }));
    return exitCodes.succeeded;
  }
  const { paint } = terminal;
  const { specversion: _version, data, data_base64: bytes, type, ...attributes } = view.event;
  terminal.print(`${paint.bold(type)}  ${paint.dim(`position ${view.position}`)}`);
  const rows = Object.entries<Json | undefined>({
    ...attributes,
    recorded: view.recordedAt,
    lane: view.lane,
    retention: view.retention,
    ...(view.invalid === undefined ? {} : { invalid: view.invalid }),
    ...(view.cause === undefined ? {} : { "caused by": causeText(view.cause) }),
  }).map(([name, value]) => [paint.dim(name), typeof value === "string" ? value : JSON.stringify(value)]);
  for (const line of formatTable(rows, {})) terminal.print(`  ${line}`);
  for (const line of [...causedLines(firings, terminal), ...endedWaitLines(waits, terminal.paint)])
    terminal.print(line);
  if (bytes !== undefined) terminal.print(`\n${bytes}`);
  if (data !== undefined) {
    const text = typeof data === "string" ? data : JSON.stringify(data, undefined, 2);
    terminal.print(`\n${text.split("\n").map(harmless).join("\n")}`);
  }
  return exitCodes.succeeded;
}

/** A terminal takes no bytes that steer it. */
async function showData(context: Context, given: string, options: EventsOptions): Promise<number> {
  const { terminal } = context;
  const client = await requireServer(context, options);
  const { position } = await findEvent(client, given, options.source);
  const bytes = await client.bytes(`/events/${position}/data`);
  if (terminal.isLive)
    for (const line of Buffer.from(bytes).toString("utf8").split("\n")) terminal.print(harmless(line));
  else terminal.write(bytes);
  return exitCodes.succeeded;
}

export function causeText({ run, pipeline, node }: EventCause): string {
  const of = pipeline === undefined ? "" : ` of ${pipeline}${node === undefined ? "" : `, node ${node}`}`;
  return harmless(`${run === undefined ? "a run" : `run ${run}`}${of}`);
}

const causedShown = 20;

/** Which firings it is a member of, and the runs that they started. */
function causedLines(firings: readonly FiringView[], { paint }: Terminal): string[] {
  const lines = firings
    .slice(0, causedShown)
    .map(
      (firing) => `  ${paint.dim("fired")} ${paint.bold(firing.pipeline)}  ${firingOutcome(firing, paint)}`,
    );
  const more = firings.length - causedShown;
  return more > 0 ? [...lines, paint.dim(`  … and ${plural(more, "more firing")}`)] : lines;
}

/** Digits are a position first; an id may be digits, too. */
async function findEvent(client: ApiClient, given: string, source: string | undefined): Promise<EventView> {
  if (/^[1-9]\d{0,14}$/.test(given) && source === undefined) {
    try {
      return await client.get(`/events/${given}`);
    } catch (error) {
      if (errorCodeOf(error) !== "MILLRACE_EVENT_UNKNOWN") throw error;
    }
  }
  const { items } = await client.get("/events", { id: given, source });
  const [found, ...others] = items;
  if (!found) {
    throw new MillraceError("MILLRACE_EVENT_UNKNOWN", {
      message: `The event log has no entry ${JSON.stringify(given)}${source === undefined ? "" : ` of the source ${source}`}.`,
    });
  }
  if (others.length > 0) {
    throw new MillraceError("MILLRACE_REQUEST_INVALID", {
      message: `${items.length} events have the id ${given}: of ${items.map(({ event }) => event.source).join(", ")}.`,
      advice: `Name one with its source: \`millrace events show ${given} --source ${found.event.source}\`.`,
      fields: { id: given },
    });
  }
  // With all its data, however large.
  return client.get(`/events/${found.position}`);
}
