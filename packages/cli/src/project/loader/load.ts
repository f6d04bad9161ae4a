/** Runs a bundle in bounded children until it is known what it holds and which of its files are broken. */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MillraceError } from "@millrace/core";
import { runBoundedChild } from "./bounded-child.ts";
import { errorOfEnd, errorOfMessage, isPhase } from "./load-error.ts";
import type { ChildMessage } from "./messages.ts";

export interface LoadBounds {
  /** For all files together, in ms; a single one gets half of what is left. */
  readonly timeoutMs?: number;
  /** Heap of the child, in MB. */
  readonly memoryMb?: number;
}

export const loadTimeoutMsDefault = 10_000;
export const loadMemoryMbDefault = 512;

export interface LoadRequest {
  readonly kind: "configuration" | "project";
  readonly root: string;
  readonly code: string;
  readonly map: string;
  readonly externals: { readonly [name: string]: string };
}

export interface LoadResult {
  /** What the child answered; `undefined` when it could not. */
  readonly value: unknown;
  /** In the order in which they were found. */
  readonly errors: readonly MillraceError[];
  /** Files whose exports are not part of the value. */
  readonly brokenFiles: readonly string[];
}

/** A file that ends the child is left out of the next one; this many may be found so. */
const roundsMax = 5;
const roundMsMin = 500;

export async function loadInChild(request: LoadRequest, bounds: LoadBounds = {}): Promise<LoadResult> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "millrace-load-")));
  try {
    await writeFile(join(folder, "bundle.mjs"), request.code);
    await writeFile(join(folder, "bundle.mjs.map"), request.map);
    return await loadFrom(folder, request, bounds);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function loadFrom(folder: string, request: LoadRequest, bounds: LoadBounds): Promise<LoadResult> {
  const timeoutMs = bounds.timeoutMs ?? loadTimeoutMsDefault;
  const memoryMb = bounds.memoryMb ?? loadMemoryMbDefault;
  const deadline = performance.now() + timeoutMs;
  const fatal: MillraceError[] = [];
  const skip: string[] = [];
  let probe = false;
  for (let round = 1; ; round += 1) {
    const leftMs = deadline - performance.now();
    const roundBounds = { timeoutMs: leftMs, fileTimeoutMs: leftMs / 2, memoryMb };
    const child = await runBoundedChild(
      {
        kind: request.kind,
        folder,
        root: request.root,
        externals: Object.keys(request.externals),
        skip,
        fileTimeoutMs: roundBounds.fileTimeoutMs,
        probe,
      },
      roundBounds,
    );
    const done = child.messages.find((message) => message.kind === "done");
    if (done) return finish(request.root, child.messages, done, fatal, skip);
    const last = child.messages.findLast(({ kind }) => isPhase(kind));
    const guilty = last !== undefined && "file" in last ? last.file : undefined;
    const tryAgain = round < roundsMax && deadline - performance.now() > roundMsMin;
    if (guilty === undefined && last?.kind === "describing" && !probe && tryAgain) {
      probe = true;
      continue;
    }
    fatal.push(errorOfEnd(request.root, child, roundBounds));
    if (guilty === undefined || request.kind === "configuration" || !tryAgain) {
      const errors = [...errorsIn(request.root, child.messages), ...fatal];
      return { value: undefined, errors, brokenFiles: [...skip, ...(guilty === undefined ? [] : [guilty])] };
    }
    skip.push(guilty);
  }
}

function finish(
  root: string,
  messages: readonly ChildMessage[],
  done: ChildMessage & { kind: "done" },
  fatal: readonly MillraceError[],
  skipped: readonly string[],
): LoadResult {
  const failed = messages.flatMap((message) =>
    message.kind === "failed" && message.file !== undefined ? [message.file] : [],
  );
  const inPipelines = done.errors.map((error) => errorOfMessage(root, { kind: "failed", error }));
  return {
    value: done.value,
    errors: [...fatal, ...errorsIn(root, messages), ...inPipelines],
    brokenFiles: [...new Set([...skipped, ...failed])].sort(),
  };
}

function errorsIn(root: string, messages: readonly ChildMessage[]): MillraceError[] {
  return messages.flatMap((message) =>
    message.kind === "failed" || message.kind === "open" ? [errorOfMessage(root, message)] : [],
  );
}
