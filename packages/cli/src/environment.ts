/** The environment variables that the command line reads, read once. */
import { isAbsolute, join } from "node:path";
import { serverSettings } from "@millrace/protocol";
import type { Terminal } from "./terminal/terminal.ts";

export interface Environment {
  /** `MILLRACE_URL`: the server that commands talk to. */
  readonly url: string | undefined;
  /** `MILLRACE_TOKEN`: what the server asks for. */
  readonly token: string | undefined;
  /** `DATABASE_URL`: a PostgreSQL server instead of the embedded one. */
  readonly databaseUrl: string | undefined;
  /** `MILLRACE_STATE`: the state folder. */
  readonly state: string | undefined;
  /** `MILLRACE_EDITOR`: what opens a file where the page names its place. */
  readonly editor: string | undefined;
  /** All of them: a server's webhooks name those that hold their secrets. */
  readonly variables: { readonly [name: string]: string | undefined };
}

export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const read = (name: string): string | undefined => {
    const value = variables[name]?.trim();
    return value === "" ? undefined : value;
  };
  return {
    url: read("MILLRACE_URL"),
    token: read(serverSettings.token.variable),
    databaseUrl: read(serverSettings.database.variable),
    state: read(serverSettings.state.variable),
    editor: read("MILLRACE_EDITOR"),
    variables,
  };
}

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal;
  readonly environment: Environment;
  /** The working directory. */
  readonly folder: string;
}

/** An option's path as the user means it: from the working directory. */
export function fromFolder(context: Context, path: string): string {
  return isAbsolute(path) ? path : join(context.folder, path);
}
