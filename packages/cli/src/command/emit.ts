import { randomUUID } from "node:crypto";
import type { CloudEvent } from "@millrace/core";
import type { EventReceipt } from "@millrace/protocol";
import type { Command } from "commander";
import type { ApiClient } from "../api/client.ts";
import { requireServerToChange, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { readJsonOption } from "../json-option.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { harmless } from "../terminal/format.ts";

interface EmitOptions extends ServerOptions {
  readonly subject?: string;
  readonly source: string;
  readonly id?: string;
  readonly data?: string;
  readonly time?: string;
  readonly json?: boolean;
}

/** Where an event happened when nobody says: at somebody's command line. */
const sourceDefault = "/cli";

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command.argument("<type>", "what happened, for example order.placed"))
    .option("--subject <text>", "what it happened to")
    .option("--source <uri>", "where it happened", sourceDefault)
    .option("--id <text>", "its name within the source; a repeat with the same one is recorded once")
    .option("--data <json>", "its data as JSON, @file, or - for standard input")
    .option("--time <time>", "when it happened, for example 2026-01-31T06:00:00Z; now when absent")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      examples(
        ["millrace emit order.placed --subject order/7 --data '{\"total\": 12.5}'", ""],
        ["millrace emit day.closed --id 2026-01-31", "once for this id, however often it is repeated"],
        ["millrace emit report.ready --data @report.json", "data from a file"],
      ),
    )
    .action(finish((type: string, options: EmitOptions) => emit(context, type, options)));
}

async function emit(context: Context, type: string, options: EmitOptions): Promise<number> {
  const { terminal } = context;
  const data = options.data === undefined ? undefined : await readJsonOption(context, "--data", options.data);
  const client = await requireServerToChange(context, options);
  const event: CloudEvent = {
    specversion: "1.0",
    id: options.id ?? randomUUID(),
    source: options.source,
    type,
    ...(options.subject === undefined ? {} : { subject: options.subject }),
    ...(options.time === undefined ? {} : { time: options.time }),
    ...(data === undefined ? {} : { data }),
  };
  const receipt = await client.emit(event);
  const invalid = receipt.invalid ?? (await invalidBefore(client, receipt));
  if (options.json)
    terminal.print(
      JSON.stringify({
        source: event.source,
        id: event.id,
        ...receipt,
        ...(invalid === undefined ? {} : { invalid }),
      }),
    );
  else {
    terminal.print(sentence(event, receipt));
    if (invalid !== undefined)
      terminal.note(
        `It does not fit the declaration of its type, so it fires nothing: ${harmless(invalid)}.`,
      );
  }
  // It is in the log, and nothing that a script emits it for will happen.
  return invalid === undefined ? exitCodes.succeeded : exitCodes.failed;
}

/** A repeat is judged as the entry that stands was when it was recorded. */
async function invalidBefore(client: ApiClient, receipt: EventReceipt): Promise<string | undefined> {
  if (!receipt.duplicate) return undefined;
  return (await client.get(`/events/${receipt.position}`)).invalid;
}

function sentence(event: CloudEvent, receipt: EventReceipt): string {
  if (receipt.accepted) return `Accepted ${event.type} ${event.id}; another server records it.`;
  if (receipt.duplicate) return `${event.id} was recorded before, at position ${receipt.position}.`;
  return `Recorded ${event.type} ${event.id} at position ${receipt.position}.`;
}
