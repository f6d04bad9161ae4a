import type { SettingView } from "@millrace/protocol";
import type { Command } from "commander";
import { findServer, stateFolderOf, type ServerOptions } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { examples, withServerOptions } from "../stack/options.ts";
import { settingsOf } from "../stack/settings.ts";
import { formatTable, harmless } from "../terminal/format.ts";

interface SettingsOptions extends ServerOptions {
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  withServerOptions(command)
    .option("--json", "print JSON: { server, settings }")
    .addHelpText(
      "after",
      `${examples(["millrace settings", "of the running server; else of one that would start here"])}

What is secret is not shown: only that it is set.`,
    )
    .action(finish((options: SettingsOptions) => showSettings(context, options)));
}

async function showSettings(context: Context, options: SettingsOptions): Promise<number> {
  const { terminal } = context;
  const client = (await findServer(context, options))?.client;
  const settings = client ? (await client.get("/settings")).items : settingsHere(context, options);
  if (options.json) {
    terminal.print(JSON.stringify({ server: client?.url ?? null, settings }));
    return exitCodes.succeeded;
  }
  const { paint } = terminal;
  terminal.print(
    client
      ? `The server ${client.url}:`
      : "No server runs here. One that is started in this folder would have:",
  );
  const rows = settings.map((setting) => [
    paint.bold(harmless(setting.name)),
    harmless(valueText(setting)),
    paint.dim(harmless(sourceText(setting))),
    paint.dim(setting.summary),
  ]);
  for (const line of formatTable(rows, { width: terminal.lineWidth() })) terminal.print(line);
  return exitCodes.succeeded;
}

function settingsHere(context: Context, options: ServerOptions): readonly SettingView[] {
  const { variables } = context.environment;
  return settingsOf({ flags: { state: options.state }, variables }, stateFolderOf(context, options));
}

function valueText({ value, isSecret, note }: SettingView): string {
  const parts = [value, isSecret ? "(secret)" : undefined, value === undefined ? note : undefined];
  const noted = value !== undefined && note !== undefined ? ` (${note})` : "";
  return `${parts.filter((part) => part !== undefined).join(" ")}${noted}`;
}

function sourceText({ source, from }: SettingView): string {
  return from ?? (source === "operator" ? "set by an operator" : source);
}
