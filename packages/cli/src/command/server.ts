import { serverSettings, type SettingDefinition } from "@millrace/protocol";
import { Option, type Command } from "commander";
import { portDefault, stateFolderOf } from "../api/find-server.ts";
import type { Finish } from "../command-line.ts";
import type { Context } from "../environment.ts";
import { exitCodes } from "../exit-code.ts";
import { onInterrupt } from "../interrupt.ts";
import { ownPageFolder, ownVersion } from "../own-version.ts";
import { startLocalServer } from "../stack/local-server.ts";
import { settingsOf } from "../stack/settings.ts";
import { examples, readInteger, readPort } from "../stack/options.ts";
import { formatTime } from "../terminal/format.ts";

interface ServerCommandOptions {
  readonly host?: string;
  readonly port?: number;
  readonly publicUrl?: string;
  readonly state?: string;
  readonly keepDays?: number;
  readonly rateLimit?: number;
  readonly json?: boolean;
}

export function define(command: Command, context: Context, finish: Finish): void {
  for (const option of serverOptions()) command.addOption(option);
  command
    .option("--json", "print events as lines of JSON")
    .addHelpText(
      "after",
      `${examples(
        ["millrace server", "on this machine, with an embedded PostgreSQL"],
        ["DATABASE_URL=postgres://… millrace server", "on a PostgreSQL; start as many as you like"],
        ["MILLRACE_TOKEN=… millrace server --host 0.0.0.0 --public-url https://millrace.example.com", ""],
      )}

Servers of one database share one state folder's large values: give each the same --state.`,
    )
    .action(finish((options: ServerCommandOptions) => runServer(context, options)));
}

/** Each setting that has a flag. */
function serverOptions(): Option[] {
  const readers: { readonly [name: string]: (text: string) => number } = {
    port: readPort,
    "keep-days": readDays,
    "rate-limit": readRate,
  };
  return Object.entries<SettingDefinition>(serverSettings).flatMap(
    ([name, { flag, summary, variable, fallback }]) => {
      if (flag === undefined) return [];
      const otherwise = [fallback, variable].filter((one) => one !== undefined).join(", or ");
      const option = new Option(flag, otherwise === "" ? summary : `${summary} (default: ${otherwise})`);
      const read = readers[name];
      return read ? option.argParser(read) : option;
    },
  );
}

function readRate(text: string): number {
  return readInteger(text, 1, 1_000_000);
}

function readDays(text: string): number {
  return readInteger(text, 1, 36_500);
}

async function runServer(context: Context, options: ServerCommandOptions): Promise<number> {
  const { terminal, environment } = context;
  const tell = (event: string, text: string, fields: object): void => {
    if (options.json) return terminal.print(JSON.stringify({ event, ...fields }));
    const now = new Date();
    terminal.print(`${terminal.paint.dim(formatTime(now, now))} ${text}`);
  };
  const stopping = new AbortController();
  const asked = new Promise<void>((resolve) => {
    stopping.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const interrupts = onInterrupt(
    () => {
      tell("stopping", "Stopping: runs are handed over, or go on at the next start.", {});
      stopping.abort();
    },
    () => process.exit(exitCodes.interrupted),
  );
  try {
    const stateFolder = stateFolderOf(context, options);
    const given = {
      flags: {
        host: options.host,
        port: options.port,
        "public-url": options.publicUrl,
        state: options.state,
        "keep-days": options.keepDays,
      },
      variables: environment.variables,
    };
    const server = await startLocalServer({
      stateFolder,
      databaseUrl: environment.databaseUrl,
      host: options.host ?? serverSettings.host.fallback,
      port: options.port ?? portDefault,
      settings: settingsOf(given, stateFolder),
      token: environment.token,
      publicUrl: options.publicUrl,
      version: ownVersion(),
      pageFolder: ownPageFolder(),
      variables: environment.variables,
      sourceRoot: context.folder,
      shareFolder: true,
      ...(options.keepDays === undefined ? {} : { retentionDays: options.keepDays }),
      ...(options.rateLimit === undefined ? {} : { requestsPerSecond: options.rateLimit }),
      onNote: (message) => tell("note", message, { message }),
    });
    const ms = Math.round(performance.now());
    const { url, database } = server;
    tell("ready", `${terminal.paint.green("●")} ${url} is ready in ${ms} ms (${database})`, {
      url,
      ms,
      state: server.stateFolder,
      database,
    });
    await asked;
    await server.stop();
    // It was asked to stop, and it did.
    return exitCodes.succeeded;
  } catch (error) {
    // A terminal's Ctrl-C ends a start's helpers, too: what they leave unfinished then is no failure.
    if (!stopping.signal.aborted) throw error;
    return exitCodes.succeeded;
  } finally {
    interrupts.release();
  }
}
