import { hostname } from "node:os";
import { isAbsolute, resolve } from "node:path";
import { MillraceError } from "@millrace/core";
import type { WorkerEvent } from "./worker-event.ts";

export interface WorkerOptions {
  /** The server's address: `http://127.0.0.1:4600` or `https://…`. */
  readonly url: string;
  readonly token?: string;
  /** Shown to people; the host's name when absent. */
  readonly name?: string;
  /** Only tasks of these queues come here. Absent: `["default"]`. */
  readonly queues?: readonly string[];
  /** How many attempts run at once. Absent: 4. */
  readonly slots?: number;
  /** How many short attempts it takes ahead of free slots. Absent: 32 per slot. */
  readonly prefetch?: number;
  readonly labels?: { readonly [name: string]: string };
  /** Bundles and large values are kept here between attempts; made when missing. */
  readonly cacheFolder: string;
  /** A child is replaced after this many attempts. Absent: 10,000. */
  readonly attemptsPerChildMax?: number;
  /** V8's heap bound of a child, in MiB. A child whose resident memory is above it after an attempt is replaced. Absent: 1,024. */
  readonly childMemoryMb?: number;
  /** Time between an attempt's abort signal at its timeout and the kill, in ms. Absent: 2,000. */
  readonly killGraceMs?: number;
  /** Working directory of task code. Absent: the worker's own. */
  readonly workFolder?: string;
  /** Where named variables and connections of tasks are read. Absent: the worker's own environment. */
  readonly environment?: { readonly [name: string]: string | undefined };
  /** Tasks may be debugged: an attempt of which this is asked opens a debugger's port on this machine's loopback. */
  readonly allowInspect?: boolean;
  /**
   * The function of an attempt that is about to be suspended runs once more, on what it has recorded, and the attempt's log says
   * where it asks for other steps and waits: for development.
   */
  readonly checkReplay?: boolean;
  readonly version: string;
  readonly onEvent?: (event: WorkerEvent) => void;
}

/** The options after validation and defaults: nothing is left to check. */
export interface WorkerSettings {
  readonly httpUrl: string;
  readonly webSocketUrl: string;
  readonly token: string | undefined;
  readonly name: string;
  readonly queues: readonly string[];
  readonly slots: number;
  readonly prefetch: number;
  readonly labels: { readonly [name: string]: string };
  readonly cacheFolder: string;
  readonly attemptsPerChildMax: number;
  readonly childMemoryMb: number;
  readonly killGraceMs: number;
  readonly workFolder: string;
  readonly environment: { readonly [name: string]: string | undefined };
  readonly allowInspect: boolean;
  readonly checkReplay: boolean;
  readonly version: string;
  readonly onEvent: (event: WorkerEvent) => void;
}

/** Enough that a child of tasks under a millisecond stays busy during a round trip with its commit. */
const prefetchPerSlot = 32;

export function readOptions(options: WorkerOptions): WorkerSettings {
  const url = readUrl(options.url);
  const base = `${url.host}${url.pathname.replace(/\/+$/, "")}`;
  const slots = readInteger("slots", options.slots ?? 4, 1, 1_000);
  return Object.freeze({
    httpUrl: `${url.protocol}//${base}`,
    webSocketUrl: `${url.protocol === "https:" ? "wss:" : "ws:"}//${base}`,
    token: options.token,
    name: options.name ?? hostname(),
    queues: Object.freeze([...(options.queues ?? ["default"])]),
    slots,
    prefetch: readInteger("prefetch", options.prefetch ?? prefetchPerSlot * slots, 0, 10_000),
    labels: Object.freeze({ ...options.labels }),
    cacheFolder: isAbsolute(options.cacheFolder) ? options.cacheFolder : resolve(options.cacheFolder),
    attemptsPerChildMax: readInteger("attemptsPerChildMax", options.attemptsPerChildMax ?? 10_000, 1, 1e9),
    childMemoryMb: readInteger("childMemoryMb", options.childMemoryMb ?? 1_024, 32, 1_048_576),
    killGraceMs: readInteger("killGraceMs", options.killGraceMs ?? 2_000, 0, 600_000),
    workFolder: resolve(options.workFolder ?? "."),
    environment: options.environment ?? process.env,
    allowInspect: options.allowInspect ?? false,
    checkReplay: options.checkReplay ?? false,
    version: options.version,
    onEvent: options.onEvent ?? (() => {}),
  });
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `The worker's \`url\` must be an http or https address; found ${JSON.stringify(text)}.`,
  });
}

function readInteger(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new MillraceError("MILLRACE_REQUEST_INVALID", {
    message: `The worker's \`${name}\` must be an integer from ${min} to ${max}; found ${value}.`,
  });
}
