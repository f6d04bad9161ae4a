/** Opens the page in the person's browser, where there is one: never in the way of anything, and silent where it can't. */
import { spawn } from "node:child_process";
import type { Context } from "../environment.ts";
import { pause } from "../pause.ts";

/** A page that is open from before comes back by itself within this time: then it is the one. */
const comesBackMs = 1_500;

export interface OpenOptions {
  /** The server starts for the first time, so no page can be open. */
  readonly isNew: boolean;
  readonly isOpen: () => boolean;
  readonly signal: AbortSignal;
}

export async function openForPerson(
  { environment }: Context,
  url: string,
  { isNew, isOpen, signal }: OpenOptions,
): Promise<void> {
  const opener = pageOpener(environment.variables, process.platform);
  if (opener === undefined) return;
  if (!isNew) await pause(comesBackMs, signal);
  if (signal.aborted || isOpen()) return;
  const child = spawn(opener, [url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}

/** How to open an address here; `undefined` where nobody would see it. */
export function pageOpener(
  variables: { readonly [name: string]: string | undefined },
  platform: NodeJS.Platform,
): string | undefined {
  // In continuous integration, and at the other end of a connection, nobody looks.
  if (variables["CI"] || variables["SSH_CONNECTION"] || variables["BROWSER"] === "none") return undefined;
  if (platform === "darwin") return "open";
  return variables["DISPLAY"] || variables["WAYLAND_DISPLAY"] ? "xdg-open" : undefined;
}
