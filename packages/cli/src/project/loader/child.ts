/**
 * The process in which a project's files run when they are described. Its parent (`load.ts`) bounds and kills it; here
 * everything is done to say which file is guilty before that happens.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { SourceLocation } from "@millrace/core";
import { resolveExternalsFrom } from "./externals.ts";
import { messageDescriptor, type ChildMessage, type ChildRequest, type PlainError } from "./messages.ts";
import { trackResources, type OpenResource } from "./open-resources.ts";
import { plainError, sourceInStack } from "./plain-error.ts";

interface BundleModule {
  modules(observer: {
    starting(file: string): void;
    failed(file: string, error: unknown): void;
    skip: readonly string[];
  }): Promise<{ [file: string]: { [name: string]: unknown } }>;
  readonly settings?: object;
  readonly loadProject?: (modules: object, options: object) => LoadedProject;
}

interface LoadedProject {
  readonly definition: unknown;
  readonly errors: readonly unknown[];
}

/** What a file may leave open for a moment: a closing socket, a short timer. */
const settleMs = 500;
const pollMs = 20;

/** Of the time that a file has: then it is asked where it waits. */
const waitShare = 0.9;

const request = JSON.parse(process.argv[2] ?? "") as ChildRequest;
const exitNow: (code: number) => never = process.exit.bind(process);
let currentFile: string | undefined;
let ended = false;
let waits: NodeJS.Timeout | undefined;
const tracker = trackResources(() => currentFile);

function report(message: ChildMessage): void {
  let rest = Buffer.from(`${JSON.stringify(message)}\n`);
  while (rest.length > 0) rest = rest.subarray(writeSync(messageDescriptor, rest));
}

function end(message: ChildMessage): never {
  ended = true;
  report(message);
  return exitNow(0);
}

function inCurrentFile(): { file: string } | undefined {
  return currentFile === undefined ? undefined : { file: currentFile };
}

/** Where the file that is being imported waits. */
function awaitedPlace(): { source: SourceLocation } | undefined {
  if (currentFile === undefined) return undefined;
  for (const stack of tracker.pending(currentFile)) {
    const source = sourceInStack(stack, request.folder);
    if (source?.file === currentFile) return { source };
  }
  return undefined;
}

/** Says where a file waits before the parent ends it, which could not find out. */
function watchForWaits(): void {
  const afterMs = request.fileTimeoutMs * waitShare;
  clearTimeout(waits);
  waits = setTimeout(
    () => end({ kind: "unsettled", ...inCurrentFile(), afterMs, ...awaitedPlace() }),
    afterMs,
  );
  waits.unref();
}

function watchForEnds(): void {
  process.exit = (code?: number | string | null): never => {
    const source = sourceInStack(new Error("exit").stack ?? "", request.folder);
    const exitCode = String(code ?? process.exitCode ?? 0);
    return end({ kind: "exiting", ...inCurrentFile(), code: exitCode, ...(source ? { source } : {}) });
  };
  process.on("beforeExit", () => {
    if (!ended) end({ kind: "unsettled", ...inCurrentFile(), ...awaitedPlace() });
  });
  process.on("uncaughtException", (thrown) => {
    const error = plainError(thrown, request.folder);
    const file = error.source?.file ?? currentFile;
    report({ kind: "failed", ...(file === undefined ? {} : { file }), error });
  });
}

/** They are made at their first use and stay: a file that prints leaves nothing open. */
function openStandardStreams(): boolean {
  return process.stdout.writable && process.stderr.writable;
}

async function main(): Promise<void> {
  resolveExternalsFrom(request.root, request.externals);
  watchForEnds();
  openStandardStreams();
  const bundle = (await import(pathToFileURL(join(request.folder, "bundle.mjs")).href)) as BundleModule;
  const modules = await bundle.modules({
    starting(file) {
      currentFile = file;
      watchForWaits();
      report({ kind: "starting", file });
    },
    failed: (file, error) => report({ kind: "failed", file, error: plainError(error, request.folder) }),
    skip: request.skip,
  });
  currentFile = undefined;
  clearTimeout(waits);
  // Rejections that nobody handled are told at the end of a turn.
  await nextTurn();
  await reportOpenResources();
  report({ kind: "describing" });
  if (request.kind === "configuration") {
    const [module] = Object.values(modules);
    end({ kind: "done", value: module?.["default"], errors: [] });
  }
  const described = describe(bundle, modules);
  // A body may have left something for later, which would fail outside the graph.
  await reportOpenResources();
  end({ kind: "done", ...described });
}

function describe(
  bundle: BundleModule,
  modules: { [file: string]: object },
): { value: unknown; errors: PlainError[] } {
  const { loadProject } = bundle;
  if (typeof loadProject !== "function") throw new Error("the bundle does not export loadProject");
  const options = { ...bundle.settings, root: request.folder };
  if (request.probe) {
    for (const [file, module] of Object.entries(modules)) {
      currentFile = file;
      report({ kind: "probing", file });
      loadProject({ [file]: module }, options);
    }
    currentFile = undefined;
    report({ kind: "describing" });
  }
  const loaded = loadProject(modules, options);
  return {
    value: loaded.definition,
    errors: loaded.errors.map((error) => plainError(error, request.folder)),
  };
}

/** Lines whose resources were told of. */
const told = new Set<string>();

/** Gives what was opened a moment to close, and reports what did not. */
async function reportOpenResources(): Promise<void> {
  const before = performance.now();
  let open = openOfFiles();
  while (open.length > 0 && performance.now() - before < settleMs) {
    await pause(pollMs);
    open = openOfFiles();
  }
  for (const { resource, source, file } of open.toSorted(byWeight)) {
    // A server, say, brings pipes and timers of its own: a line is told once.
    const key = `${file}:${source?.line}`;
    if (told.has(key)) continue;
    told.add(key);
    report({
      kind: "open",
      resource: resource.type,
      file,
      ...(source ? { source } : {}),
    });
  }
}

interface FileResource {
  readonly resource: OpenResource;
  readonly file: string;
  readonly source: SourceLocation | undefined;
}

/** What people know comes before what it is made of. */
const lightTypes = ["Timeout", "PIPEWRAP", "TCPWRAP"];

function byWeight(a: FileResource, b: FileResource): number {
  return lightTypes.indexOf(a.resource.type) - lightTypes.indexOf(b.resource.type);
}

/** What belongs to no file is this child's own. */
function openOfFiles(): FileResource[] {
  return tracker.open().flatMap((resource) => {
    const source = sourceInStack(resource.stack, request.folder);
    const file = source?.file ?? resource.file;
    return file === undefined ? [] : [{ resource, file, source }];
  });
}

main().catch((thrown: unknown) => {
  const error = plainError(thrown, request.folder);
  report({ kind: "failed", ...inCurrentFile(), error });
  end({ kind: "done", value: undefined, errors: [] });
});
