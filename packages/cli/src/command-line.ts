/** Reads the first word, loads that command alone, and turns what comes of it into an exit code. */
import { nearestName, MillraceError } from "@millrace/core";
import { Command, CommanderError } from "commander";
import { commandNames, commands, helpGroups, type CommandName } from "./commands.ts";
import { readEnvironment, type Context } from "./environment.ts";
import { exitCodeOfError, exitCodes } from "./exit-code.ts";
import { ownVersion } from "./own-version.ts";
import { errorDocument, formatError } from "./terminal/print-error.ts";
import { openTerminal, type Colors } from "./terminal/terminal.ts";

/** What a command's file exports: its options, examples and what it does. */
export interface CommandModule {
  define(command: Command, context: Context, finish: Finish): void;
}

/** Wraps an action so that the number it resolves with becomes the exit code. */
export type Finish = <A extends readonly unknown[]>(
  action: (...args: A) => Promise<number>,
) => (...args: A) => Promise<void>;

export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const context: Context = {
    terminal: openTerminal(process.env),
    environment: readEnvironment(process.env),
    folder: process.cwd(),
  };
  try {
    return await dispatch(argv, context);
  } catch (error) {
    if (argv.includes("--json")) context.terminal.print(JSON.stringify(errorDocument(error)));
    const width = process.stderr.isTTY ? context.terminal.columns() - 1 : undefined;
    context.terminal.note(formatError(error, context.terminal.paintNote, width));
    return exitCodeOfError(error);
  }
}

async function dispatch(argv: readonly string[], context: Context): Promise<number> {
  const [first, ...rest] = argv;
  const { terminal } = context;
  if (first === undefined || first === "--help" || first === "-h") {
    terminal.print(overview(terminal.paint));
    return exitCodes.succeeded;
  }
  if (first === "--version" || first === "-V") {
    terminal.print(ownVersion());
    return exitCodes.succeeded;
  }
  if (first === "help") return dispatch(rest[0] === undefined ? [] : [rest[0], "--help"], context);
  return runCommand(requireCommand(first), rest, context);
}

function requireCommand(name: string): CommandName {
  if (Object.hasOwn(commands, name)) return name as CommandName;
  const near = nearestName(name, commandNames);
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: name.startsWith("-")
      ? `\`millrace\` has no option ${name} in front of a command.`
      : `There is no command \`${name}\`.`,
    advice:
      near === undefined ? "See them all with `millrace --help`." : `Did you mean \`millrace ${near}\`?`,
  });
}

async function runCommand(name: CommandName, argv: readonly string[], context: Context): Promise<number> {
  const module = await commands[name].load();
  let exitCode: number = exitCodes.succeeded;
  const command = new Command(name);
  command.description(commands[name].summary);
  prepare(command, context);
  module.define(command, context, (action) => async (...args) => {
    exitCode = await action(...args);
  });
  for (const inner of command.commands) prepare(inner, context);
  try {
    await command.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return exitCodes.succeeded;
    throw usageError(error, innermost(command, argv));
  }
  return exitCode;
}

function prepare(command: Command, { terminal }: Context): void {
  command
    .exitOverride()
    .helpOption("-h, --help", "show this help")
    .helpCommand(false)
    .configureHelp({
      styleTitle: (text) => terminal.paint.bold(text),
      styleOptionText: (text) => terminal.paint.cyan(text),
      styleSubcommandText: (text) => terminal.paint.cyan(text),
      commandUsage: (inner) => `millrace ${qualifiedName(inner)} ${inner.usage()}`,
    })
    .configureOutput({
      writeOut: (text) => terminal.write(text),
      // Errors are told by one printer, when they are caught.
      writeErr: () => undefined,
      outputError: () => undefined,
      getOutHasColors: () => terminal.paint.isColorSupported,
    });
}

function qualifiedName(command: Command): string {
  const { parent } = command;
  return parent ? `${qualifiedName(parent)} ${command.name()}` : command.name();
}

/** The command that the words in front name: of `pools set a b` it is `set`. */
function innermost(command: Command, argv: readonly string[]): Command {
  return command.commands.find((inner) => inner.name() === argv[0]) ?? command;
}

function usageError(error: CommanderError, command: Command): MillraceError {
  const name = qualifiedName(command);
  const [given = ""] = command.args;
  if (error.code === "commander.excessArguments" && command.commands.length > 0) {
    return unknownInner(
      name,
      given,
      command.commands.map((inner) => inner.name()),
    );
  }
  const [message = "", hint] = error.message.replace(/^error: /, "").split("\n");
  const meant = hint === undefined ? undefined : /^\(Did you mean (.*)\?\)$/.exec(hint)?.[1];
  return new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`.replace(/([.?])\.$/, "$1"),
    advice:
      meant === undefined
        ? `See \`millrace ${name} --help\`.`
        : `Did you mean \`${meant.replace(/^one of /, "")}\`? See \`millrace ${name} --help\`.`,
  });
}

function unknownInner(name: string, given: string, known: readonly string[]): MillraceError {
  const near = nearestName(given, known);
  return new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `There is no command \`${name} ${given}\`.`,
    advice:
      near === undefined ? `See \`millrace ${name} --help\`.` : `Did you mean \`millrace ${name} ${near}\`?`,
  });
}

function overview(paint: Colors): string {
  const width = Math.max(...commandNames.map((name) => name.length));
  const lines = [
    `${paint.bold("millrace")} ${ownVersion()}: an orchestrator for data pipelines`,
    "",
    `${paint.bold("Usage:")} millrace <command> [options]`,
  ];
  for (const [title, names] of helpGroups) {
    lines.push("", paint.bold(title));
    for (const name of names) lines.push(`  ${paint.cyan(name.padEnd(width))}  ${commands[name].summary}`);
  }
  lines.push(
    "",
    paint.bold("Examples"),
    `  millrace init shop && cd shop && npm install   ${paint.dim("make a project")}`,
    `  millrace dev                                   ${paint.dim("server, worker and reload in one")}`,
    `  millrace run hello                             ${paint.dim("start a pipeline and follow it")}`,
    "",
    paint.dim("millrace <command> --help shows a command's options and examples."),
  );
  return lines.join("\n");
}
