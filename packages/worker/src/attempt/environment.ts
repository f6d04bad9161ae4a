import type { Dispatch } from "@millrace/protocol";
import { connectionVariable } from "../child/connection.ts";

type Environment = { readonly [name: string]: string | undefined };

/** The variables that a task names, as far as the worker has them. */
export function namedVariables(dispatch: Dispatch, environment: Environment): { [name: string]: string } {
  const named: { [name: string]: string } = {};
  for (const name of dispatch.env) {
    const value = environment[name];
    if (value !== undefined) named[name] = value;
  }
  return named;
}

/** The texts of the connections that a task lists; `null` where the worker has none. */
export function listedConnections(
  dispatch: Dispatch,
  environment: Environment,
): { [name: string]: string | null } {
  const listed: { [name: string]: string | null } = {};
  for (const name of dispatch.connections) listed[name] = environment[connectionVariable(name)] ?? null;
  return listed;
}
