/**
 * Finds the line that a busy child is at. Its event loop does not turn, so it can't be asked; but Node's inspector, which a
 * signal opens, stops it between two steps and tells its stack.
 */
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";
import type { SourceLocation } from "@millrace/core";
import { isOwnFile } from "./plain-error.ts";

interface CallFrame {
  readonly location: {
    readonly scriptId: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
}

interface InspectorMessage {
  readonly method?: string;
  readonly params?: {
    readonly scriptId?: string;
    readonly url?: string;
    readonly callFrames?: readonly CallFrame[];
  };
}

/** A place in the bundle, counted from 0. */
interface Frame {
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** A child that is inside a native call does not stop. */
const answerMs = 1_000;

/** `undefined` when the child does not answer, or is in none of the project's own files. */
export async function findBusyPlace(
  child: ChildProcess,
  folder: string,
): Promise<SourceLocation | undefined> {
  const deadline = AbortSignal.timeout(answerMs);
  try {
    const frames = await stackOf(await openInspector(child, deadline), deadline);
    return placeOf(frames, folder);
  } catch {
    return undefined;
  }
}

function openInspector(child: ChildProcess, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no inspector was opened")));
    child.stderr?.on("data", (chunk: string) => {
      const url = /ws:\/\/127\.0\.0\.1:\d+\/[\w-]+/.exec(chunk)?.[0];
      if (url !== undefined) resolve(url);
    });
    child.kill("SIGUSR1");
  });
}

function stackOf(url: string, signal: AbortSignal): Promise<readonly Frame[]> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const end = (): void => socket.close();
    signal.addEventListener("abort", () => {
      end();
      reject(new Error("the child did not stop"));
    });
    socket.addEventListener("error", () => reject(new Error("the inspector refused")));
    socket.addEventListener("open", () => {
      socket.send(JSON.stringify({ id: 1, method: "Debugger.enable" }));
      socket.send(JSON.stringify({ id: 2, method: "Debugger.pause" }));
    });
    let bundle: string | undefined;
    socket.addEventListener("message", ({ data }) => {
      const { method, params } = JSON.parse(String(data)) as InspectorMessage;
      if (method === "Debugger.scriptParsed" && params?.url?.endsWith("/bundle.mjs"))
        bundle = params.scriptId;
      if (method !== "Debugger.paused") return;
      end();
      const frames = (params?.callFrames ?? []).map(({ location }) => location);
      resolve(frames.filter(({ scriptId }) => scriptId === bundle));
    });
  });
}

/** The innermost frame in one of the project's own files. */
function placeOf(frames: readonly Frame[], folder: string): SourceLocation | undefined {
  const map = new SourceMap(JSON.parse(readFileSync(join(folder, "bundle.mjs.map"), "utf8")) as never);
  for (const { lineNumber, columnNumber } of frames) {
    const entry = map.findEntry(lineNumber, columnNumber);
    if (!("originalSource" in entry) || !isOwnFile(entry.originalSource)) continue;
    return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }
  return undefined;
}
