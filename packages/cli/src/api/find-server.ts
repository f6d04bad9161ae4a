/** Which server a command talks to: `--url`, `MILLRACE_URL`, the state folder's owner, the usual address. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { MillraceError } from "@millrace/core";
import { serverSettings } from "@millrace/protocol";
import { fromFolder, type Context } from "../environment.ts";
import { findProjectRoot } from "../project-root.ts";
import { ApiClient } from "./client.ts";

export const portDefault = Number(serverSettings.port.fallback);
export const urlDefault = `http://127.0.0.1:${portDefault}`;
export const stateFolderName = serverSettings.state.fallback;

export interface ServerOptions {
  readonly url?: string;
  readonly state?: string;
}

export interface FoundServer {
  readonly client: ApiClient;
  /** `default`: nobody named it; it is there at the usual address. */
  readonly from: "option" | "environment" | "state" | "default";
}

/** The state folder that a command means: `--state`, `MILLRACE_STATE`, `.millrace` in the project. */
export function stateFolderOf(context: Context, options: ServerOptions): string {
  const named = options.state ?? context.environment.state;
  if (named !== undefined) return fromFolder(context, named);
  return join(findProjectRoot(context.folder) ?? context.folder, stateFolderName);
}

/** A server, whether it answers or not when it was named; `undefined` when none was named and none is found. */
export async function findServer(context: Context, options: ServerOptions): Promise<FoundServer | undefined> {
  const { url, token } = context.environment;
  const clientFor = (address: string): ApiClient => new ApiClient({ url: checkUrl(address), token });
  if (options.url !== undefined) return { client: clientFor(options.url), from: "option" };
  if (options.state === undefined && url !== undefined)
    return { client: clientFor(url), from: "environment" };
  const owner = await ownerOf(stateFolderOf(context, options));
  if (owner !== undefined) return { client: clientFor(owner), from: "state" };
  if (isStateNamed(context, options)) return undefined;
  const usual = clientFor(urlDefault);
  return (await answersAsOurs(usual)) ? { client: usual, from: "default" } : undefined;
}

/** Throws MILLRACE_SERVER_UNREACHABLE when there is none. */
export async function requireServer(context: Context, options: ServerOptions): Promise<ApiClient> {
  const found = await findServer(context, options);
  if (found) return found.client;
  const folder = stateFolderOf(context, options);
  const usual = isStateNamed(context, options) ? "" : `, and none answers at ${urlDefault}`;
  throw new MillraceError("MILLRACE_SERVER_UNREACHABLE", {
    message: `No server runs on the state folder ${folder}${usual}.`,
    fields: { folder },
  });
}

/**
 * The server of a command that changes something. One that nobody named is at the usual address by chance: in a project
 * it must have that project, or none at all.
 */
export async function requireServerToChange(context: Context, options: ServerOptions): Promise<ApiClient> {
  const found = await findServer(context, options);
  if (!found) return requireServer(context, options);
  if (found.from === "default") await refuseForeign(context, found.client);
  return found.client;
}

/** Throws MILLRACE_SERVER_UNREACHABLE when the server has other projects alone, and this folder is one. */
export async function refuseForeign(context: Context, client: ApiClient): Promise<void> {
  const own = await projectHere(context);
  if (own === undefined) return;
  const projects = await projectsOf(client);
  if (projects.length === 0 || projects.includes(own)) return;
  throw new MillraceError("MILLRACE_SERVER_UNREACHABLE", {
    message: `No server of the project "${own}" answers: the one at ${client.url} has ${projects.map((name) => `"${name}"`).join(", ")}.`,
    advice: `Start this project's with \`millrace dev\`, or name that one with \`--url ${client.url}\`.`,
    fields: { url: client.url, projects },
  });
}

/** The name of the project that the working directory belongs to. */
export async function projectHere(context: Context): Promise<string | undefined> {
  const root = findProjectRoot(context.folder);
  if (root === undefined) return undefined;
  const { loadConfiguration } = await import("../project/configuration.ts");
  return (await loadConfiguration(root)).configuration.project;
}

/** The projects whose pipelines a server has. */
export async function projectsOf(client: ApiClient): Promise<string[]> {
  const pipelines = await client.list("/pipelines");
  return [...new Set(pipelines.map(({ project }) => project))];
}

/** Who names a folder means its server and no other. */
function isStateNamed(context: Context, options: ServerOptions): boolean {
  return (options.state ?? context.environment.state) !== undefined;
}

async function ownerOf(folder: string): Promise<string | undefined> {
  if (!existsSync(join(folder, "server.json"))) return undefined;
  const { readServerFile } = await import("@millrace/store");
  return (await readServerFile(folder))?.url;
}

async function answersAsOurs(client: ApiClient): Promise<boolean> {
  try {
    const info = await client.get("/info");
    return typeof info.version === "string" && typeof info.shards === "number";
  } catch (error) {
    const isOurs = error instanceof MillraceError && error.code !== "MILLRACE_SERVER_UNREACHABLE";
    return isOurs;
  }
}

function checkUrl(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return address;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `The server's address must begin with http:// or https://; found ${JSON.stringify(address)}.`,
    advice: `Write it like ${urlDefault}.`,
  });
}
